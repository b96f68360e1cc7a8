"""List what differs between two records, as edits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mimgraph.compare.equality import comparable
from mimgraph.compare.model import Edit
from mimgraph.ir.typed import TypedNode
from mimgraph.ir.types import TensorType


def edits(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield an edit for each name that has another value, or that one of the records lacks."""
    for name in dict.fromkeys((*old, *new)):
        if comparable(old.get(name)) != comparable(new.get(name)):
            yield Edit(name, old.get(name), new.get(name))


def type_edits(old: Mapping[str, TensorType], new: Mapping[str, TensorType]) -> Iterator[Edit]:
    """Yield the edits of shapes and dtypes, by port; only of shapes where one side has no results."""
    for what in ("shape", "dtype") if old and new else ("shape",):
        was, now = (
            {f"{port} {what}".strip(): str(getattr(type_, what)) for port, type_ in types.items()}
            for types in (old, new)
        )
        yield from edits(was, now)


def compared_results(node: TypedNode) -> Mapping[str, TensorType]:
    """Return the default result as the port "", or every result where none is the default."""
    return node.results if node.type is None else {"": node.type}
