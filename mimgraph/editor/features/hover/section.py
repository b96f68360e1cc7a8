"""Describe what stands outside of nodes: inputs, sizes, params, outputs, parts and blocks."""

from __future__ import annotations

from collections.abc import Iterator

from mimgraph.editor.features.hover.place import HoverPlace
from mimgraph.editor.features.hover.values import NAME, key_text, source_text, valued, values_text
from mimgraph.editor.features.node_facts import cost_text
from mimgraph.editor.features.wording import listed, type_text
from mimgraph.ir.declared_graph import Block
from mimgraph.ir.dim import Dim, symbols


def section_texts(place: HoverPlace) -> Iterator[str]:
    """Yield what a place outside of nodes is, by the section around it."""
    keys = place.path.texts
    section, is_key = keys[0] if keys else "", place.path.is_key
    if section == "limits":
        yield _limits(place, keys[1:])
        yield key_text(keys[-1])
    elif len(keys) < 2 and not (section == "outputs" and not is_key):
        yield key_text(section) if keys else ""
    elif section == "inputs":
        yield _input(place, keys)
    elif section == "params":
        if is_key:
            yield values_text(place, keys[1], keys[1]) if len(keys) == 2 else key_text(keys[-1])
    elif section == "outputs" and place.declared is not None:
        source = place.source_at(one.source for one in place.declared.outputs)
        yield source_text(place, source, ()) if source else (key_text(keys[-1]) if keys else "")
    elif section == "blocks" and place.block is not None:
        yield from _in_block(place, place.block, keys)
    elif section == "parts" and place.declared is not None and len(keys) == 2:
        block = place.declared.blocks.get(keys[1])
        if block is not None:
            place.block = block
            yield from _block_text(place, block, keys[1])
    elif is_key:
        yield key_text(keys[-1])


def _limits(place: HoverPlace, keys: tuple[str, ...]) -> str:
    """Return how much is used of the limit at the place, or of every limit."""
    found = place.facts.limits()
    if not keys:
        return listed([f"`{name}`: {text}" for name, text in found.items()])
    return f"**{keys[0]}** {found[keys[0]]}" if keys[0] in found else ""


def _in_block(place: HoverPlace, block: Block, keys: tuple[str, ...]) -> Iterator[str]:
    """Yield what stands in a block outside of its nodes."""
    inner = keys[2:]
    if not inner:
        yield from _block_text(place, block, keys[1])
    elif inner[0] == "params" and len(inner) == 2:
        yield values_text(place, inner[1], inner[1])
    elif inner[0] == "inputs" and (len(inner) > 1 or not place.path.is_key):
        yield _block_input(place, block, inner)
    elif inner[0] == "outputs" and (source := place.source_at(o.source for o in block.outputs)):
        yield source_text(place, source, ())
    elif place.path.is_key:
        yield key_text(inner[-1])


def _block_text(place: HoverPlace, block: Block, name: str) -> Iterator[str]:
    """Describe a block: its doc, and its uses with the result and cost of each."""
    yield f"block `{name}`"
    yield block.doc
    rows = []
    for scope in place.scopes():
        results = ", ".join(type_text(one) for one in scope.body.results.values())
        cost = cost_text(place.facts.of_body(scope.body))
        shown = f" → `{results}`" if results else ""
        rows.append(f"`{scope.name}`{shown}{': ' + cost if cost else ''}")
    yield listed(rows)


def _block_input(place: HoverPlace, block: Block, inner: tuple[str, ...]) -> str:
    text = place.path.scalar.text
    if text in block.sizes and not (place.path.is_key and text in block.input_names):
        return values_text(place, text, text)
    name = inner[1] if len(inner) > 1 else text
    found: dict[str, str] = {}
    for scope in place.scopes():
        if name in scope.body.inputs:
            found.setdefault(type_text(scope.body.inputs[name]), scope.name)
    return valued(name, found)


def _input(place: HoverPlace, keys: tuple[str, ...]) -> str:
    """Return what an input of the graph is, or the size of it at the place."""
    assert place.declared is not None or place.uses is None
    types = place.uses.graph.body.inputs if place.uses else {}
    name, scalar = keys[1], place.path.scalar
    if place.path.is_key and len(keys) == 2:
        doc = (
            next((o.doc for o in place.declared.inputs if o.name == name), "")
            if place.declared
            else ""
        )
        found = {type_text(types[name]): ""} if name in types else {}
        return valued(name, found) + f"\n\ninput{': ' + doc if doc else ''}"
    if not place.path.is_key and keys[-1] in (name, "shape"):
        return _size(place, scalar.text)
    return key_text(keys[-1]) if len(keys) > 2 else ""


def _size(place: HoverPlace, text: str) -> str:
    """Return which inputs have a size, and what must hold for it at run time."""
    names = NAME.findall(text)
    if not names or place.uses is None:
        return ""
    typed = place.facts.analysis.known_types
    name = names[0]
    inputs = [
        f"`{key}` `{type_text(type_)}`"
        for key, type_ in place.uses.graph.body.inputs.items()
        if any(isinstance(size, Dim) and name in symbols(size) for size in type_.shape)
    ]
    lines = [f"**{name}** size known at run time, of {', '.join(inputs) or 'no input'}"]
    constraints = typed.constraints if typed else ()
    for one in constraints:
        if name in symbols(one.dim):
            lines.append(f"- `{one}`")
    return "\n".join(lines)
