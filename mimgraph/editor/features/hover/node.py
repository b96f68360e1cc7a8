"""Describe a node and what stands in it: its op, ports, options, and the params that it gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mimgraph.diagnostics import Report
from mimgraph.editor.features.hover.place import HoverPlace
from mimgraph.editor.features.hover.values import key_text, op_doc, source_text, valued
from mimgraph.editor.features.node_facts import node_facts
from mimgraph.editor.features.uses import Use
from mimgraph.editor.features.wording import options_of, result_text, type_text
from mimgraph.infer.evaluation import Evaluation, compute
from mimgraph.ir.declared_graph import Apply, Call, Node, Share, Source
from mimgraph.ir.declared_values import FAULTY
from mimgraph.ir.option_types import describe as describe_type
from mimgraph.language.reference import default
from mimgraph.ops import registry
from mimgraph.summary.node_text import value_text


def node_texts(place: HoverPlace, node: Node) -> Iterator[str]:
    """Yield what the place in a node is, by the first of these that it is in."""
    uses = place.uses.of(node) if place.uses else []
    applied = node.applied
    is_op = isinstance(applied, Apply | Call) and place.span == applied.span
    if is_op or place.span == node.span:
        yield from _op(place, node, uses)
    elif source := place.source_at(node.sources or ()):
        yield source_text(place, source, uses)
    elif isinstance(applied, Share) and place.is_in(applied.span):
        yield source_text(place, Source(applied.target, None, applied.span), uses)
    elif node.take is not None and place.is_in(node.take.span):
        yield _port(node, node.take.port, uses)
    elif isinstance(applied, Apply) and _is_activation(place, applied):
        if (op := registry.find("layer", place.path.scalar.text)) is not None:
            yield f"{op.kind} `{op.name}`"
            yield op_doc(op)
    elif argument := place.argument_at(node.sources or ()):
        yield source_text(place, argument, uses)
    elif (text := _option(place, node, uses) or _param(place, node)) is not None:
        yield text
    elif place.path.is_key:
        yield key_text(place.path.scalar.text)
    else:
        yield key_text(place.path.texts[-1]) if place.path.keys else ""


def _op(place: HoverPlace, node: Node, uses: Sequence[Use]) -> Iterator[str]:
    """Describe a node: its op with documentation, types, options, cost and emitted lines."""
    applied = node.applied
    result = f" → `{result_text(uses[0].node)}`" if uses else ""
    name = node.name if place.span == node.span or not node.name.isdigit() else ""
    title = f"**{name}**" if name and not name.isdigit() else ""
    match applied:
        case Apply():
            op = registry.find(applied.kind, applied.name)
            kind = f"{applied.kind} `{applied.name}`"
        case Call():
            op, kind = None, f"block `{applied.block}`"
        case Share():
            op, kind = None, f"shares `{applied.text}`"
        case _:
            op, kind = None, "chain" if applied else "node"
    yield f"{title} {kind}{result}".strip()
    if isinstance(applied, Call) and place.declared and applied.block in place.declared.blocks:
        yield place.declared.blocks[applied.block].doc
    if op is not None:
        yield op_doc(op)
    yield from node_facts(place.facts, uses)


def _port(node: Node, port: str, uses: Sequence[Use]) -> str:
    """Return the type of a port of a node."""
    found: dict[str, str] = {}
    for use in uses:
        if port in use.node.results:
            found.setdefault(type_text(use.node.results[port]), use.path)
    return valued(f"{node.name}.{port}", found) if found else key_text("take")


def _is_activation(place: HoverPlace, applied: Apply) -> bool:
    return applied.activation is not None and place.is_in(applied.activation.span)


def _param(place: HoverPlace, node: Node) -> str | None:
    """Return what the param of a block is that the use of the block gives at the place."""
    applied = node.applied
    if not isinstance(applied, Call) or place.declared is None:
        return None
    block = place.declared.blocks.get(applied.block)
    name = next(
        (text for text in reversed(place.path.texts) if block and text in block.params), None
    )
    if block is None or name is None:
        return None
    value = compute(block.params[name].value, Evaluation({}, Report()))
    has = "required" if value is None else f"default `{value_text(value)}`"
    return f"param `{name}` of the block `{applied.block}`" + (
        "" if value is FAULTY else f", {has}"
    )


def _option(place: HoverPlace, node: Node, uses: Sequence[Use]) -> str | None:
    """Return what an option is and its value; None if there is none at the place."""
    applied = node.applied
    if not isinstance(applied, Apply):
        return None
    op = registry.find(applied.kind, applied.name)
    name = next((text for text in reversed(place.path.texts) if op and text in op.options), None)
    lone = applied.lone
    if name is None and lone is not None and place.is_in(lone.span) and op is not None:
        name = op.lone_option
    if op is None or name is None or name not in op.options:
        return None
    spec = op.options[name]
    given = default(spec)
    words = given if given in ("inferred", "required") else f"default `{given}`"
    text = f"option `{name}` of `{op.name}`: {describe_type(spec.annotation)}, {words}"
    values: dict[str, str] = {}
    for use in uses:
        for option in options_of(use.node):
            if option.name == name:
                values.setdefault(value_text(option.value), use.path)
    return f"{valued(name, values)}\n\n{text}" if values else text
