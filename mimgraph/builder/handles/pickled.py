"""Pickle handles: with all calls that they depend on, so that several in one pickle have these in common.

A pickle has the calls in a list before each handle, sources first. So pickling a long chain needs no
deep recursion: each call refers to calls that the pickle has already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from mimgraph.support.unique import new_number

if TYPE_CHECKING:
    from mimgraph.builder.handles.records import Record


class Loading:
    """One load of a pickle. Its calls keep their order, and come after all that were made before."""

    def __init__(self) -> None:
        self.number = new_number()


class _EachLoading:
    """Stands in a pickle for its loading: each load makes one, which all its calls have in common."""

    def __reduce__(self) -> tuple[type[Loading], tuple[()]]:
        return Loading, ()


_EACH_LOADING: Any = _EachLoading()


def record_made(loading: Loading, kind: type[Record], number: tuple[int, ...]) -> Record:
    """Return a record of a pickle, yet without its parts."""
    record = kind.__new__(kind)
    record.number = (*loading.number, *number)
    return record


def reduced(record: Record) -> tuple[Any, ...]:
    """Return what a pickle holds of a record; raise a `TypeError` for a call in a running block."""
    if record.trace is not None:
        message = (
            f"{record.label} was made inside the block {record.trace.family}, and handles there"
        )
        raise TypeError(
            f"{message} cannot be pickled: return it from the block, and pickle its result"
        )
    state = {name: getattr(record, name) for name in record.__slots__ if name != "number"}
    # references to records, as a handle is pickled with all calls before it
    state["sources"] = [(key, one.record, one.port) for key, one in record.sources]
    is_first = record.layer is not None and record.layer.uses.get(None) is record
    number = record.number
    return record_made, (_EACH_LOADING, type(record), number), (state, is_first)


def sources_first(records: Iterable[Record]) -> list[Record]:
    """Return the records and all that they depend on, each after those on which it depends."""
    found: dict[Record, None] = {}
    entered: set[Record] = set()
    stack = [*records]
    while stack:
        record = stack[-1]
        if record in entered:
            found.setdefault(stack.pop())
        else:
            entered.add(record)
            stack += [one for one in _needed(record) if one not in entered]
    return [*found]


def _needed(record: Record) -> Iterator[Record]:
    """Yield the records that one depends on, among them the first call of its layer."""
    for _, source in record.sources:
        yield source.record
    yield from record.borrowed.values()
    yield from record.needs
    if record.lender is not None:
        yield record.lender
    first = record.layer.uses.get(None) if record.layer is not None else None
    if isinstance(first, type(record)):
        yield first
