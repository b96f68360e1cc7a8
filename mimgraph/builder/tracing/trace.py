"""Trace one run of a block's function: record the params and sizes by which Python code decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from mimgraph.builder.tracing.watched import RESULTS, Local, Watched
from mimgraph.ir.declared_graph import InputShape
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.expression import plain, written
from mimgraph.ops.layer_call import Uses
from mimgraph.source import Span

if TYPE_CHECKING:
    from mimgraph.builder.handles.records import Record


class Result(NamedTuple):
    """A size of a layer's result; without port and axis, all sizes of a call's results."""

    record: Record
    port: str | None = None
    axis: int | None = None


class Trace:
    """Records one run of a block's function, for one set of params and input types.

    The function receives `Watched` numbers, which record here how Python code uses them.
    """

    __slots__ = (
        "active",
        "called",
        "decided_by",
        "declared_names",
        "depth",
        "family",
        "outer",
        "params",
        "ranked",
        "results",
        "sizes",
        "used",
        "watched",
    )

    def __init__(
        self,
        family: str,
        params: Mapping[str, Any],
        sizes: Mapping[str, tuple[Size, ...]],
        outer: Trace | None,
        watched: bool = True,
    ) -> None:
        self.family = family
        self.params = params
        self.sizes = sizes
        self.outer = outer  # the run of the block whose function calls this one
        self.depth: int = outer.depth + 1 if outer else 1
        self.active = True
        self.watched = watched
        # the uses of each layer that was called
        self.called: list[Uses] = []
        # the names by whose values Python code decided: the block is valid for these values only
        self.decided_by: set[str] = set()
        # the sizes of layers' results by which it decided
        self.results: set[Result] = set()
        # the inputs whose number of axes it asked for
        self.ranked: set[str] = set()
        # the names that options use
        self.used: set[str] = set()
        # the names in the declared body
        self.declared_names: set[str] = set()
        if not watched:
            self.note_all()
        _running.append(self)

    def close(self) -> None:
        """End the run: handles that it made cannot be used any more."""
        if self.active:
            self.active = False
            _running.remove(self)

    def release(self) -> None:
        """Forget the calls once the block is declared, as layers from outside would keep every run
        alive."""
        for uses in self.called:
            uses.pop(self, None)
        self.called.clear()
        self.results.clear()

    def note(self, name: str | Result) -> None:
        """Record that Python code decided by the value of this name, or by a result."""
        if isinstance(name, Result):
            self.results.add(name)
            self.ranked |= self.sizes.keys()
            name = RESULTS
        self.decided_by.add(name)
        if name == RESULTS:  # a result's size depends on all params and sizes that were used before
            self.decided_by |= self.used

    def note_all(self) -> None:
        """Record that Python code may have decided by the value of any name."""
        self.decided_by |= {RESULTS, *self.params}
        for name in self.sizes:
            self.note_input(name)

    def note_input(self, name: str) -> None:
        """Record that Python code may have decided by the type of this input."""
        self.note(RESULTS)
        self.ranked.add(name)
        self.decided_by |= self.axes(name).keys()

    @property
    def decides_by_sizes(self) -> bool:
        """Whether Python code decided something by a size of an input or of a layer's result."""
        return not self.decided_by <= self.params.keys()

    def is_fixed(self, name: str) -> bool:
        """Return whether the block is valid for one value of this param or size only.

        A size known only at run time has no other value.
        """
        return name in self.decided_by and not isinstance(self.value(name), Dim)

    def value(self, name: str) -> Any:
        """Return the value of a param, or of a dim of an input."""
        if name in self.params:
            return self.params[name]
        return next(dims[name] for dims in map(self.axes, self.sizes) if name in dims)

    def arguments(self) -> dict[str, Any]:
        """Return the values of the params; each number has its name as its expression."""
        return {name: self._named(value, name) for name, value in self.params.items()}

    def input_dims(self, name: str, dims: tuple[Size, ...]) -> tuple[Any, ...]:
        """Return the dims of an input; each has the name of its axis as its expression."""
        self.ranked.add(name)
        return tuple(self._named(dim, self.axis(name, i)) for i, dim in enumerate(dims, 1))

    def result_dims(self, record: Record, port: str, dims: tuple[Size, ...]) -> tuple[Any, ...]:
        """Return the dims of a layer's result; each records its use."""
        self.ranked |= self.sizes.keys()
        if not self.watched:
            return dims
        return tuple(
            Watched(plain(dim), None, frozenset({(self, Result(record, port, axis))}))
            for axis, dim in enumerate(dims)
        )

    def _named(self, value: Any, name: str) -> Any:
        """Return a watched number whose expression is this name."""
        local = Local(name, owner=self)
        if self.watched and type(value) in (int, float, Dim):
            return Watched(value, local, frozenset({(self, name)}))
        return written(value, local)

    def axis(self, name: str, index: int) -> str:
        """Return the name of an axis of an input: `x_1`."""
        found = f"{name}_{index}"
        while found in self.params:
            found += "_"
        return found

    def axes(self, name: str) -> dict[str, Size]:
        """Return the dims of an input by the names of their axes."""
        return {self.axis(name, i): dim for i, dim in enumerate(self.sizes[name], 1)}

    def pattern(self, name: str, span: Span) -> InputShape:
        """Return the shape of an input: names of axes, or the number if Python code decided by it."""
        axes = self.axes(name).items()
        dims = tuple(dim if self.is_fixed(axis) else axis for axis, dim in axes)
        return InputShape(dims, (span,) * len(dims))

    def run_time_sizes(self) -> dict[Dim, str]:
        """Return the sizes known only at run time, each with the name of its axis or else its param."""
        found: dict[Dim, str] = {}
        for name in self.sizes:
            for axis, dim in self.axes(name).items():
                if isinstance(dim, Dim):
                    found.setdefault(dim, axis)
        for name, value in self.params.items():
            if isinstance(value, Dim):
                found.setdefault(value, name)
        return found


_running: list[Trace] = []  # inner ones last


def running() -> Trace | None:
    """Return the trace of the block whose function is running: calls without sources belong to it."""
    return _running[-1] if _running else None


def note_refusal() -> None:
    """Record that an error is raised, as the function of the running block may catch it and decide
    by it."""
    trace = running()
    if trace is not None:
        trace.note_all()


def enclosing(trace: Trace | None) -> Iterator[Trace | None]:
    """Yield a run of a block's function and those that call it, and None for the graph around."""
    while trace is not None:
        yield trace
        trace = trace.outer
    yield None
