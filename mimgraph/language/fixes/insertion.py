"""Put a node between a source and the node or item that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mimgraph.diagnostics import Diagnostic
from mimgraph.language.edit.entries import with_entry, with_item
from mimgraph.language.edit.new_entries import as_item
from mimgraph.language.fixes.surroundings import Surroundings
from mimgraph.language.text_edits import TextEdit
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree


def inserted(
    diagnostic: Diagnostic, around: Surroundings, data: dict[str, Any]
) -> Iterator[tuple[TextEdit, ...]]:
    """Yield the edits that put a node before the node or item at fault, which then reads it."""
    if (item := around.item) is not None and "layer" in data:
        options = {key: value for key, value in data.items() if key != "from"}
        yield tuple(with_item(item.around, item.at, as_item(options)))
        return
    node = around.node
    if node is None:
        yield from _before_outputs(around, data)
        return
    if not isinstance(node.value, Mapping):
        return
    name = _new_name(around, data)
    entries = node.around.entries
    at = next(n for n, one in enumerate(entries) if one[0] is node.key)
    for source in _sources(node.value, data.get("from"), diagnostic):
        new = {**data, "from": source.text}
        new = {key: new[key] for key in ("layer", "merge", "from", *new) if key in new}
        before = entries[at - 1][0] if at else None
        edits = with_entry(node.around, name, new, after=before, first=not at)
        quote = 0 if source.plain else 1
        place = source.part(0, len(source.text)) if quote else source.span
        yield (*edits, TextEdit(place, name))


def _before_outputs(around: Surroundings, data: dict[str, Any]) -> Iterator[tuple[TextEdit, ...]]:
    """Yield the edits that put a node between a source and the output that reads it."""
    nodes, source = around.scope.get("nodes"), around.innermost
    if isinstance(source, Mapping):
        source = source.get("from") or source
    if not isinstance(nodes, Mapping) or not isinstance(source, Scalar) or source.name is None:
        return
    if all(one.key.text != "outputs" for one in around.entries):
        return
    name = _new_name(around, {**data, "from": source.text})
    new = {**data, "from": source.text}
    edits = with_entry(
        nodes, name, {key: new[key] for key in ("layer", "from", *new) if key in new}
    )
    yield (*edits, TextEdit(source.span, name))


def _sources(node: Mapping, name: str | None, diagnostic: Diagnostic) -> Iterator[Scalar]:
    """Yield the sources of a node to which the fault may belong: the marked one first, then all
    with the name in the help."""
    found = [
        one
        for key in ("from", "each")
        if (given := node.get(key)) is not None
        for one in _scalars(given)
    ]
    marked = [one for one in found if one.span[1:3] == diagnostic.span[1:3]]
    named = [one for one in found if name is None or one.text == name]
    yield from {id(one): one for one in (*marked, *named)}.values()


def _scalars(tree: Tree) -> Iterator[Scalar]:
    if isinstance(tree, Scalar):
        if tree.name is not None:
            yield tree
    else:
        values = tree.items if isinstance(tree, Sequence) else [one for _, one in tree.entries]
        for value in values:
            yield from _scalars(value)


def _new_name(around: Surroundings, data: dict[str, Any]) -> str:
    """Return a name for the node, after its source and op, that nothing in its scope has."""
    op = str(data.get("layer") or data.get("merge")).lower()
    source = str(data.get("from", "")).partition(".")[0]
    first = name = f"{source}_{op}" if source.isidentifier() else op
    taken = {
        key.text
        for section in ("inputs", "nodes")
        if isinstance(found := around.scope.get(section), Mapping)
        for key, _ in found.entries
    }
    number = 2
    while name in taken:
        name, number = f"{first}_{number}", number + 1
    return name
