"""Propose changes that may fix a diagnostic; whether they do is checked later.

`APPLIED` has what is done with a part of a help by its role, `PROPOSALS` what is done by the code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mimgraph.declare.tree import Mapping, Scalar, plain
from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.diagnostics.text import Part, Role, parts_of
from mimgraph.language.edit.entries import (
    is_flow,
    optioned_item,
    order_of,
    with_entry,
    with_item_value,
    with_section,
    with_value,
    without_entry,
    without_item,
)
from mimgraph.language.occurrences import find_occurrences
from mimgraph.language.read_spec import DEFAULT_NAME
from mimgraph.language.surroundings import Item, Surroundings, inserted
from mimgraph.language.text_edits import Fix, TextEdit
from mimgraph.language.yaml_reader import tree_of
from mimgraph.language.yaml_text import flow
from mimgraph.source import SourceFile

NUMBERS = (64, 1, 0.5)  # values for a param that the spec only uses


def candidates(diagnostic: Diagnostic, around: Surroundings) -> Iterator[Fix]:
    """Yield the changes that may fix a diagnostic: what its texts say to write, then what its code allows."""
    parts = [
        part
        for text in (diagnostic.help, diagnostic.message)
        for part in parts_of(text)
        if isinstance(part, Part) and part.role in APPLIED
    ]
    found = [_of_part(part, diagnostic, around) for part in parts]
    found += (proposal(diagnostic, around) for proposal in PROPOSALS)
    for proposed in found:
        try:
            yield from proposed
        except (SpecError, ValueError, StopIteration):
            continue  # the text around is too odd to be changed


def _of_part(part: Part, diagnostic: Diagnostic, around: Surroundings) -> Iterator[Fix]:
    """Yield the changes that a part proposes; of several values, and of an example, none is safe."""
    puts = [one for one in parts_of(diagnostic.help) if isinstance(one, Part) and one.role == "put"]
    is_only = puts == [part] and not diagnostic.code.startswith("missing-")
    is_safe = part.role == "name" or is_only or part.yaml.startswith('"')
    for fix in APPLIED[part.role](part, diagnostic, around):
        yield fix if is_safe else fix._replace(is_safe=False)


def _written(text: str, *edits: TextEdit) -> Fix:
    """Return a fix that only writes a name or value."""
    return Fix(f"Write {text}", edits, is_safe=True)


def _name(part: Part, diagnostic: Diagnostic, around: Surroundings) -> Iterator[Fix]:
    """Put the name that was probably meant."""
    for edit in _replaced(diagnostic, part.yaml):
        yield Fix(f"Replace with {part.yaml}", (edit,), is_safe=True, is_meant=True)


def _put(part: Part, diagnostic: Diagnostic, around: Surroundings) -> Iterator[Fix]:
    """Write a value in place of the marked text, an entry of the node at fault, or an op with options."""
    text, flow_text = part.yaml, part.flow.replace(", ...", "")
    if "NAME" in text and (before := _before(around)) is not None:
        text, flow_text = (one.replace("NAME", before) for one in (text, flow_text))
    tree = tree_of(SourceFile("help", flow_text))
    if isinstance(tree, Mapping) and tree.entries:
        data = plain(tree)
        if text.startswith("{") and "..." not in flow_text:
            yield from _respelled(data, text, diagnostic, around)
        elif "..." not in text:
            entry = next(around.entries, None)
            if entry is not None and entry.key.text == next(iter(data)):
                whole = entry.key.span.to(entry.value.span)
                yield _written(text, TextEdit(whole, text))
            for edits in _given(around, data):
                yield Fix(f"Add {text}", edits)
        return
    is_port = diagnostic.code == "unknown-port"
    old = diagnostic.span.excerpt().text
    if is_port and old.isidentifier():
        yield _written(f"{old}.{text}", TextEdit(diagnostic.span, f"{old}.{text}"))
    for edit in _replaced(diagnostic, text):
        yield _written(text, edit)
    if is_port:
        for edits in _given(around, {"take": int(text) if text.isdigit() else text}):
            yield Fix(f"Add take: {text}", edits)


def _insert(part: Part, diagnostic: Diagnostic, around: Surroundings) -> Iterator[Fix]:
    """Insert a node between a source and its reader."""
    tree = tree_of(SourceFile("help", part.yaml))
    if tree is not None and "..." not in part.yaml:
        for edits in inserted(diagnostic, around, plain(tree)):
            yield Fix(f"Insert {part.yaml}", edits)


def _given(around: Surroundings, options: dict[str, Any]) -> Iterator[tuple[TextEdit, ...]]:
    """Yield the edits that give entries to the item, the node or a mapping around."""
    if (item := around.item) is not None:
        new = optioned_item(item.value, options, None)
        yield (with_item_value(item.around, item.at, new),)
    node = around.node
    mappings = [one.value for one in (*([node] if node else ()), *around.entries)]
    for mapping in {id(one): one for one in (*mappings, around.tree)}.values():
        if isinstance(mapping, Mapping):
            yield tuple(edit for one in options.items() for edit in _with(mapping, *one))


def _with(mapping: Mapping, key: str, value: Any) -> Iterable[TextEdit]:
    """Return the edits that give a mapping an entry, or the entry that it has another value."""
    old = mapping.entry(key)
    if old is None:
        return with_entry(mapping, key, value)
    return with_value(*old, value, not is_flow(mapping))


def _declared(diagnostic: Diagnostic, around: Surroundings) -> Iterator[Fix]:
    """Declare a param that the text only uses."""
    if diagnostic.code != "unknown-param":
        return
    name = diagnostic.span.excerpt().text.strip("\"'").lstrip("$")
    if not name.isidentifier():
        return
    for value in NUMBERS:
        params = around.scope.get("params")
        if isinstance(params, Mapping):
            edits = tuple(with_entry(params, name, value))
        elif around.scope.entries and params is None:
            order = order_of(around.tree, around.scope)
            edits = tuple(with_section(around.scope, "params", {name: value}, order))
        else:
            return
        yield Fix(f"Declare the param {name}", edits)


def _renamed(diagnostic: Diagnostic, around: Surroundings) -> Iterator[Fix]:
    """Give a name that cannot be used another one, at all its places."""
    if diagnostic.code != "bad-name":
        return
    found = find_occurrences(around.tree)
    symbols = [one.symbol for one in found.at(diagnostic.span.line, diagnostic.span.column)]
    for symbol in symbols[:1]:
        new = "".join(c if c.isalnum() or c == "_" else "_" for c in symbol.name) or DEFAULT_NAME
        new = f"_{new}" if new[0].isdigit() else new
        new = f"{new}_" if new == symbol.name else new.lstrip("_") or new
        edits = [TextEdit(one.span, new) for one in found.of(symbol)]
        yield Fix(f"Rename it to {new}", tuple(dict.fromkeys(edits)))


def _removed(diagnostic: Diagnostic, around: Surroundings) -> Iterator[Fix]:
    """Remove the entry at fault: an unused node, an unknown option, a key given twice."""
    if diagnostic.code in REMOVED:
        yield from _removals(diagnostic, around)


def _removals(diagnostic: Diagnostic, around: Surroundings) -> Iterator[Fix]:
    """Yield the removal of the entry or item at fault."""
    for step in reversed(around.steps):
        if isinstance(step, Item):
            if len(step.around.items) > 1 and step.value.span == diagnostic.span:
                text = step.value.text if isinstance(step.value, Scalar) else "it"
                yield Fix(f"Remove {text}", (without_item(step.around, step.at),))
        elif step.key.span == diagnostic.span or step.value.span == diagnostic.span:
            edits = tuple(without_entry(step.around, step.key))
            yield Fix(f"Remove {step.key.text}", edits)


REMOVED = (
    "unused-node",
    "unused-input",
    "unused-param",
    "unknown-option",
    "unknown-key",
    "duplicate-key",
    "inferred-conflict",
)


def _respelled(
    new: dict[str, Any], text: str, diagnostic: Diagnostic, around: Surroundings
) -> Iterator[Fix]:
    """Put an op with options in place of a deprecated op or a lone value; what it leaves open stays."""
    if (item := around.item) is not None:
        given = next(iter(new.values()))
        if len(new) == 1 and isinstance(given, dict):
            options = optioned_item(item.value, given, None)
            options = options[next(iter(options))] if isinstance(options, dict) else {}
            value = {next(iter(new)): options}
            edit = with_item_value(item.around, item.at, value)
            yield _written(flow(value), edit)
    node = next((one for one in around.entries if isinstance(one.value, Mapping)), None)
    if node is not None and isinstance(node.value, Mapping) and node.value.entries:
        edits = tuple(edit for one in new.items() for edit in _with(node.value, *one))
        yield _written(flow(new), *edits)
    yield _written(text, TextEdit(diagnostic.span, text))


def _replaced(diagnostic: Diagnostic, text: str) -> Iterator[TextEdit]:
    """Yield the edit that puts a text in place of the marked one; its quotes stay."""
    span = diagnostic.span
    if span.line != span.end_line or span.is_empty:
        return
    old = span.file.line(span.line)[span.column - 1 : span.end_column - 1]
    if len(old) > 1 and old[0] == old[-1] and old[0] in "\"'":
        inside = span.part(1, len(old) - 1)
        yield TextEdit(inside, text if old[0] == "'" else json.dumps(text)[1:-1])
        return
    yield TextEdit(span, text)
    node_text, dot, _ = old.partition(".")
    if dot and "." not in text:
        yield TextEdit(span.part(len(node_text) + 1, len(old)), text)
        yield TextEdit(span.part(0, len(node_text)), text)


def _before(around: Surroundings) -> str | None:
    """Return the name of the node before the one at fault, of the first node that of an input."""
    if around.node is None:
        return None
    nodes = around.names("nodes")
    before = [*around.names("inputs"), *nodes[: nodes.index(around.node.key.text)]]
    return before[-1] if before else None


APPLIED: dict[Role, Callable[[Part, Diagnostic, Surroundings], Iterator[Fix]]] = {
    "name": _name,
    "put": _put,
    "insert": _insert,
    "drop": lambda part, diagnostic, around: _removals(diagnostic, around),
}
PROPOSALS = (_declared, _renamed, _removed)
