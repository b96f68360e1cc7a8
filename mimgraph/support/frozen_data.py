"""Frozen, slotted records at no cost at run time: mypy reports an assignment to a field.

They are dataclasses to everyone who asks, but each method is written when it is first called:
`dataclasses` imports `inspect`, and compiles four methods of each class, of which a command calls few.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, dataclass_transform, overload

from mimgraph.support.record_methods import field_names, made_record

if TYPE_CHECKING:  # mypy knows these by name
    from dataclasses import field, replace
else:
    from mimgraph.support.record_methods import Field as field
    from mimgraph.support.record_methods import replace

__all__ = ["data", "field", "field_names", "locked_data", "mutable_data", "replace"]

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
    if made is None:
        return lambda cls: made_record(cls, eq, slots)
    return made_record(made, eq, slots)


@overload
def locked_data(made: type[T], /) -> type[T]: ...
@overload
def locked_data(*, eq: bool = True, slots: bool = True) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def locked_data(
    made: type[T] | None = None, /, *, eq: bool = True, slots: bool = True
) -> type[T] | Callable[[type[T]], type[T]]:
    """Make a record that is frozen at run time, too, as users hold it."""
    if made is None:
        return lambda cls: made_record(cls, eq, slots, locked=True)
    return made_record(made, eq, slots, locked=True)


@overload
def mutable_data(made: type[T], /) -> type[T]: ...
@overload
def mutable_data(*, slots: bool = True) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(eq_default=False, field_specifiers=(field,))
def mutable_data(
    made: type[T] | None = None, /, *, slots: bool = True
) -> type[T] | Callable[[type[T]], type[T]]:
    """Make a record whose fields may be assigned, compared by identity."""
    if made is None:
        return lambda cls: made_record(cls, False, slots)
    return made_record(made, False, slots)
