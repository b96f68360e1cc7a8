"""Find the entries and items around a diagnostic, and put a node between a source and its reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from mimgraph.declare.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.diagnostics import Diagnostic
from mimgraph.ir.names import free_name
from mimgraph.language.edit.entries import as_item, with_entry, with_item
from mimgraph.language.text_edits import TextEdit
from mimgraph.source import Span


class Entry(NamedTuple):
    """An entry of a mapping, and the keys that lead to the mapping."""

    around: Mapping
    key: Scalar
    value: Tree
    path: tuple[str, ...]


class Item(NamedTuple):
    """An item of a list."""

    around: Sequence
    at: int
    value: Tree


class Surroundings(NamedTuple):
    """The entries and items around a span, from the outermost to the innermost."""

    tree: Mapping
    steps: tuple[Entry | Item, ...]

    @property
    def entries(self) -> Iterator[Entry]:
        """The entries around the span, from the innermost."""
        return (step for step in reversed(self.steps) if isinstance(step, Entry))

    @property
    def node(self) -> Entry | None:
        """The entry of the node around the span, in the spec or a block."""
        return next((one for one in self.entries if is_node_path(one.path)), None)

    @property
    def item(self) -> Item | None:
        """The item of a seq around the span."""
        for before, step in zip(self.steps, self.steps[1:], strict=False):
            if isinstance(step, Item) and isinstance(before, Entry) and before.key.text == "seq":
                return step
        return None

    @property
    def scope(self) -> Mapping:
        """The spec, or the block around the span."""
        block = next((one for one in self.entries if one.path == ("blocks",)), None)
        return block.value if block and isinstance(block.value, Mapping) else self.tree

    def names(self, section: str) -> list[str]:
        """Return the names in a section of the scope, such as "nodes"."""
        found = self.scope.get(section)
        return [key.text for key, _ in found.entries] if isinstance(found, Mapping) else []

    @property
    def innermost(self) -> Tree:
        """The innermost value around the span, or the key at it."""
        return self.steps[-1].value if self.steps else self.tree


def is_node_path(path: tuple[str, ...]) -> bool:
    """Return whether the entries of a mapping at this path are nodes."""
    return path == ("nodes",) or (len(path) == 3 and path[0] == "blocks" and path[2] == "nodes")


def surroundings_of(tree: Mapping, span: Span) -> Surroundings:
    """Return the entries and items that a span lies in."""
    steps: list[Entry | Item] = []
    keys: tuple[str, ...] = ()
    here: Tree | None = tree
    while here is not None:
        inner: Tree | None = None
        if isinstance(here, Mapping):
            for key, value in here.entries:
                if key.span.to(value.span).contains(span):
                    steps.append(Entry(here, key, value, keys))
                    keys, inner = (*keys, key.text), value
                    break
        elif isinstance(here, Sequence):
            for index, item in enumerate(here.items):
                if item.span.contains(span):
                    steps.append(Item(here, index, item))
                    keys, inner = (*keys, str(index)), item
                    break
        here = inner
    return Surroundings(tree, tuple(steps))


# Put a node between a source and the node or item that reads it.


def inserted(
    diagnostic: Diagnostic, around: Surroundings, data: Any
) -> Iterator[tuple[TextEdit, ...]]:
    """Yield the edits that put a node, or an item of a seq, before the one at fault, which then reads it."""
    if (item := around.item) is not None:
        is_node = isinstance(data, dict) and "layer" in data
        options = {key: value for key, value in data.items() if key != "from"} if is_node else {}
        yield tuple(with_item(item.around, item.at, as_item(options) if is_node else data))
    elif isinstance(data, dict) and "from" in data:
        node = around.node
        if node is None:
            yield from _before_outputs(around, data)
        elif isinstance(node.value, Mapping):
            yield from _before_node(diagnostic, around, node, node.value, data)


def _before_node(
    diagnostic: Diagnostic, around: Surroundings, node: Entry, read: Mapping, data: dict[str, Any]
) -> Iterator[tuple[TextEdit, ...]]:
    """Yield the edits that put a node between a source and the node at fault."""
    name = _new_name(around, data)
    entries = node.around.entries
    at = next(n for n, one in enumerate(entries) if one[0] is node.key)
    for source in _sources(read, _source_of(data), diagnostic):
        new = _reading(data, source.text)
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
    new = _reading(data, source.text)
    name = _new_name(around, new)
    edits = with_entry(
        nodes, name, {key: new[key] for key in ("layer", "from", *new) if key in new}
    )
    yield (*edits, TextEdit(source.span, name))


def _source_of(data: dict[str, Any]) -> str:
    """Return the first source of a node: `x` of `from: x`, `from: {m: x}` or `from: [x, y]`."""
    given = data["from"]
    values = [*given.values()] if isinstance(given, dict) else given
    return str(values[0] if isinstance(values, list) else values)


def _reading(data: dict[str, Any], source: str) -> dict[str, Any]:
    """Return the node with another first source."""
    given = data["from"]
    if isinstance(given, dict):
        return {**data, "from": {**given, next(iter(given)): source}}
    return {**data, "from": [source, *given[1:]] if isinstance(given, list) else source}


def _sources(node: Mapping, name: str, diagnostic: Diagnostic) -> Iterator[Scalar]:
    """Yield the sources of a node to which the fault may belong: the marked one first, then all
    with the name in the help."""
    found = [
        one
        for key in ("from", "each")
        if (given := node.get(key)) is not None
        for one in _scalars(given)
    ]
    marked = [one for one in found if one.span[1:3] == diagnostic.span[1:3]]
    named = [one for one in found if one.text == name]
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
    source = _source_of(data).partition(".")[0]
    taken = {*around.names("inputs"), *around.names("nodes")}
    return free_name(f"{source}_{op}" if source.isidentifier() else op, taken)
