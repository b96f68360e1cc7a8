"""Compare declared values by content, without their spans."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from mimgraph.ir.declared_values import Option, Template, Written
from mimgraph.ir.expression import Expression
from mimgraph.source import Span

_LEAVES = frozenset({bool, int, str, type(None)})


def content_key(value: Any) -> Hashable:
    """Return a key that is equal for plain data, types or declared values with equal content.

    1, 1.0 and True differ; spans are left out.
    """
    kind: Any = type(value)
    if kind in _LEAVES:
        return kind, value
    if kind is float:
        return kind, repr(value)  # 0.0 is not -0.0
    if kind is Span:
        return None
    if kind is Written:
        return content_key(value.expression)
    if kind is Option:
        return content_key(value.value)
    if kind is Template:
        return kind, value.text
    if isinstance(value, list | tuple):
        return (kind, *map(content_key, value))
    if isinstance(value, dict):
        return tuple(sorted((key, content_key(item)) for key, item in value.items()))
    if names := _field_names(kind):
        return (kind, *(content_key(getattr(value, name)) for name in names))
    return (kind, value) if isinstance(value, Hashable) else _Itself(value)


class _Itself:
    """A key for an object without a hash, such as an array: it equals itself alone, and stays
    alive."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.value is other.value


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    """Return the names of a dataclass's fields that are compared; none for an expression."""
    if not issubclass(kind, Expression) and is_dataclass(kind):
        return tuple(field.name for field in fields(kind) if field.compare)
    return ()
