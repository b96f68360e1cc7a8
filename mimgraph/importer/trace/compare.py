"""Compare traces of one model at several sizes: name the sizes, and find where control flow differs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from mimgraph.importer.sizes import Sizes
from mimgraph.importer.trace.records import Call, Packed, Place, Step, Trace, Value


class Difference(NamedTuple):
    """A call inside which the traces do something else at other sizes."""

    path: str
    message: str
    place: Place


def unify(traces: Sequence[Trace], sizes: Sizes) -> list[Difference]:
    """Write the sizes of every trace into the first as expressions; return where the traces differ.

    Numbers among the arguments become expressions too.
    """
    comparison = _Comparison(sizes)
    roots = [trace.root for trace in traces]
    try:
        comparison.calls(roots)
    except _Differs as error:  # the arguments or results of the model itself
        found = Difference("", str(error), error.place or roots[0].place)
        comparison.differences.append(found)
    return comparison.differences


class _Comparison:
    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.differences: list[Difference] = []

    def calls(self, calls: Sequence[Call]) -> None:
        """Compare one call of every trace, and everything inside it."""
        first = calls[0]
        first.args = self.structure([call.args for call in calls])
        first.kwargs = self.structure([call.kwargs for call in calls])
        try:
            for items in self._in_step(calls):
                if isinstance(items[0], Call):
                    self.calls(items)
                else:
                    self.steps(items)
        except _Differs as error:
            self.differences.append(Difference(first.path, str(error), error.place or first.place))
        first.result = self.structure([call.result for call in calls])

    def _in_step(self, calls: Sequence[Call]) -> Any:
        """Yield the items of the calls side by side; raise an error where they differ."""
        first = calls[0]
        if first.is_closed:
            return
        shortest = min(len(call.items) for call in calls)
        for items in zip(*(call.items[:shortest] for call in calls), strict=True):
            if len({kind(item) for item in items}) > 1:
                raise _Differs("other sizes take another branch", items[0].place)
            yield items
        if any(len(call.items) != shortest for call in calls):
            longest = max(calls, key=lambda call: len(call.items))
            raise _Differs("the number of steps depends on sizes", longest.items[shortest].place)

    def steps(self, steps: Sequence[Step]) -> None:
        first = steps[0]
        try:
            first.args = self.structure([step.args for step in steps])
            first.kwargs = self.structure([step.kwargs for step in steps])
            first.result = self.structure([step.result for step in steps])
        except _Differs as error:
            raise _Differs(str(error), first.place) from None

    def structure(self, given: Sequence[Any]) -> Any:
        """Return what stands for the arguments of all traces at one place."""
        first = given[0]
        if isinstance(first, Value):
            return self.value(given)
        if any(type(one) is not type(first) for one in given):
            raise _Differs("other sizes give other arguments")
        if isinstance(first, bool) or first is None:
            return self._same(given)
        if isinstance(first, int):
            return self.sizes.of(given)
        if isinstance(first, Packed):
            return Packed(*map(self.structure, zip(*given, strict=True)))
        if isinstance(first, list | tuple):
            if len({len(one) for one in given}) > 1:
                raise _Differs("other sizes give more or fewer arguments")
            return type(first)(self.structure(parts) for parts in zip(*given, strict=True))
        if isinstance(first, dict):
            if any(one.keys() != first.keys() for one in given):
                raise _Differs("other sizes give other arguments")
            return {key: self.structure([one[key] for one in given]) for key in first}
        if isinstance(first, slice):
            parts = ([getattr(one, name) for one in given] for name in ("start", "stop", "step"))
            return slice(*map(self.structure, parts))
        return self._same(given) if isinstance(first, float | str) else first

    @staticmethod
    def _same(given: Sequence[Any]) -> Any:
        if any(one != given[0] for one in given):
            if all(isinstance(one, float) and math.isnan(one) for one in given):
                return given[0]
            raise _Differs(
                "a number depends on values of inputs, or on sizes in a way that the trace does not see"
            )
        return given[0]

    def value(self, given: Sequence[Any]) -> Value:
        first: Value = given[0]
        if any(not isinstance(one, Value) or one.rank != first.rank for one in given):
            raise _Differs("other sizes give tensors of another rank")
        if not first.sizes:
            shapes = zip(*(one.shape for one in given), strict=True)
            first.sizes = tuple(map(self.sizes.of, shapes))
            if first.fixed:
                tensors = [one.tensor for one in given if one.tensor is not None]
                first.samples = tuple(one for one in tensors if not one.is_meta)
        return first


class _Differs(Exception):
    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.place = place


def kind(item: Step | Call) -> tuple[str, str]:
    """Return what must be the same in every trace: the function, or the path of the module."""
    return ("step", item.function) if isinstance(item, Step) else ("call", item.path)
