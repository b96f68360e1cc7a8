"""What declared things say, as a value to compare and hash: without where they stand."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from mimgraph.ir.expression import Expression
from mimgraph.ir.graph import Option, Template, Written
from mimgraph.source import Span

_LEAVES = frozenset({bool, int, str, type(None)})


def content(value: Any) -> Hashable:
    """The content of plain data, types and declared things; 1, 1.0 and True stay apart."""
    kind: Any = type(value)
    if kind in _LEAVES:
        return kind, value
    if kind is float:
        return kind, repr(value)  # 0.0 is not -0.0
    if kind is Span:
        return None
    if kind is Written:
        return content(value.expression)
    if kind is Option:
        return content(value.value)
    if kind is Template:
        return kind, value.text
    if isinstance(value, list | tuple):
        return (kind, *map(content, value))
    if isinstance(value, dict):
        return tuple(sorted((key, content(item)) for key, item in value.items()))
    if names := _field_names(kind):
        return (kind, *(content(getattr(value, name)) for name in names))
    return (kind, value) if isinstance(value, Hashable) else _Itself(value)


class _Itself:
    """A thing of Python that has no hash, a set or an array: equal to itself alone, and kept."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.value is other.value


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    """Return the fields of a dataclass that are compared; an expression is compared as a whole."""
    if not issubclass(kind, Expression) and is_dataclass(kind):
        return tuple(field.name for field in fields(kind) if field.compare)
    return ()
