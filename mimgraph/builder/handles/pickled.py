"""Pickle handles: with all calls that they depend on, so that several in one pickle have these in common.

A pickle has the calls in a list before each handle, sources first. So pickling a long chain needs no
deep recursion: each call refers to calls that the pickle has already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mimgraph.builder.tracing.expressions import rewriter_as_written
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ops.layer_call import IN_SEQUENCE, EachCall, Uses
from mimgraph.support.objects import new_number

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
    if isinstance(record.made, TypedNode):
        declared = rewriter_as_written(None).node(record.made.declared)
        state["made"] = replace(record.made, declared=declared)
    marked: list[tuple[Uses, object]] = []
    if record.layer is not None and record.layer.uses.get(None) is record:
        marked = [(record.layer.uses, record), *_items(record.layer)]
    return record_made, (_EACH_LOADING, type(record), record.number), (state, marked)


def _items(layer: object) -> Iterator[tuple[Uses, object]]:
    """Yield the uses of the items of a Sequential that its call marked as used."""
    for item in getattr(layer.layer if isinstance(layer, EachCall) else layer, "items", ()):
        if item.uses.get(None) is IN_SEQUENCE:
            yield item.uses, IN_SEQUENCE


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
