"""Frozen, slotted records at no cost at run time: mypy reports an assignment to a field.

With `dataclass(frozen=True)`, a class takes twice as long to make, and an instance three times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform, overload

T = TypeVar("T")


@overload
def data(made: type[T], /) -> type[T]: ...
@overload
def data(*, eq: bool = True, slots: bool = True) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def data(
    made: type[T] | None = None, /, *, eq: bool = True, slots: bool = True
) -> type[T] | Callable[[type[T]], type[T]]:
    """Make a record, compared and hashed by its fields, or by identity with `eq=False`.

    With `slots=False` it may have cached properties.
    """
    decorated = dataclass(slots=slots, eq=eq, unsafe_hash=eq)
    return decorated if made is None else decorated(made)
