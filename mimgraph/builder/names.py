"""Name nodes and blocks, and find declared parts with equal content."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from mimgraph.builder.user_line import spec_error
from mimgraph.ir.declared_values import Option, Template, Written
from mimgraph.ir.expression import Expression
from mimgraph.ir.names import name_fault
from mimgraph.source import Span


def check_name(name: object, span: Span, fault: Callable[[str], str | None] = name_fault) -> None:
    """Raise an error if `fault` finds that this cannot be a name; by default, the name of a
    node."""
    reason = fault(name) if isinstance(name, str) else "a name is a string"
    if reason is not None:
        raise spec_error("bad-name", f"{name!r} cannot be a name", span, reason)


def check_output_name(name: object, span: Span) -> None:
    """Raise an error if this cannot be the public name of an output, which is an identifier."""
    if not (isinstance(name, str) and name.isascii() and name.isidentifier()):
        raise spec_error("bad-name", f"{name!r} cannot be an output's name", span)


def _base(stem: str) -> str:
    """Return the stem, or `node` for one that would be illegal with a number."""
    return stem if name_fault(f"{stem}_1") is None else "node"


class Names:
    """Makes names that are legal and differ from each other and from those taken."""

    def __init__(self, taken: Iterable[str] = (), first_number: int = 1) -> None:
        self.taken = set(taken)
        self.first_number = first_number
        self.counts: dict[str, int] = {}

    def unique(self, stem: str) -> str:
        """Return `stem`, or if it is taken `stem_1`, `stem_2`, ...: the first that is free.

        `node` replaces a stem that would be illegal with a number, as `__1` is.
        """
        base = _base(stem)
        number = self.counts.get(stem, 0)
        name = f"{base}_{number}" if number else stem
        while name in self.taken or name_fault(name) is not None:
            number = max(number + 1, self.first_number)
            name = f"{base}_{number}"
        self.counts[stem] = number
        self.taken.add(name)
        return name


# Compare declared values by content, without their spans.


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
