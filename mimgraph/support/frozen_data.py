"""Frozen, slotted data, whose being frozen costs nothing when it runs: mypy tells of an assignment.

`dataclass(frozen=True)` takes twice as long to make a class, and an object three times.
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
    """A class of data, compared and hashed by its fields, or with `eq=False` by identity; without
    slots it may have cached properties."""
    decorated = dataclass(slots=slots, eq=eq, unsafe_hash=eq)
    return decorated if made is None else decorated(made)
