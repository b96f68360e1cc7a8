"""Trace a block's function: its params and sizes are numbers that remember their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from mimgraph.builder.tracing.watched import RESULTS, Local, Watched, look_at
from mimgraph.builder.user_line import fail
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.expression import (
    Arithmetic,
    Expression,
    ExpressionError,
    Negative,
    Number,
    Variable,
    WrittenFloat,
    WrittenInt,
    evaluate,
    parse,
    plain,
    variables,
    written,
)
from mimgraph.ir.graph import InputShape, Written
from mimgraph.source import Span

if TYPE_CHECKING:
    from mimgraph.builder.record import Record

MAX_PARTS, MAX_DEPTH = 80, 24  # of an expression that is kept; beyond it the number stands


class Result(NamedTuple):
    """Names a size of what a layer made, or with neither port nor axis all its results."""

    record: Record
    port: str | None = None
    axis: int | None = None


class Trace:
    """Records one run of a block's function, for one set of params and input types.

    `watched` numbers note what Python code does with them: `seen` are the names by which it decided
    something, so that the block holds for their values only; `used` are those that options speak of.
    Of sizes that layers made, `results` are those by which it decided. `ranked` are the inputs whose
    number of axes it knows.
    """

    __slots__ = (
        "active",
        "called",
        "depth",
        "family",
        "params",
        "ranked",
        "results",
        "seen",
        "sizes",
        "spoken",
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
        self.depth: int = outer.depth + 1 if outer else 1
        self.active = True
        self.called: list[dict[Any, Any]] = []  # the uses of what was called in it
        self.watched = watched
        self.spoken: set[str] = set()  # the names that declared values speak of
        self.used: set[str] = set()
        self.seen: set[str] = set()
        self.results: set[Result] = set()
        self.ranked: set[str] = set()
        if not watched:
            self.note_all()
        _running.append(self)

    def close(self) -> None:
        """The function has returned: what it made stands in the block."""
        if self.active:
            self.active = False
            _running.remove(self)

    def release(self) -> None:
        """Forget the calls, once the block is declared: layers made outside would keep every run."""
        for uses in self.called:
            uses.pop(self, None)
        self.called.clear()
        self.results.clear()

    def note(self, name: str | Result) -> None:
        """Record that Python code decided something by the value of this name, or by a result."""
        if isinstance(name, Result):
            self.results.add(name)
            self.ranked |= self.sizes.keys()
            name = RESULTS
        self.seen.add(name)
        if name == RESULTS:  # a size of what a layer made depends on all that was given before
            self.seen |= self.used

    def note_all(self) -> None:
        """Record that Python code may have decided something by the value of any name."""
        self.seen |= {RESULTS, *self.params}
        for name in self.sizes:
            self.note_input(name)

    def note_input(self, name: str) -> None:
        """Record that Python code may have decided something by all that is known of this input."""
        self.note(RESULTS)
        self.ranked.add(name)
        self.seen |= self.axes(name).keys()

    @property
    def decides_by_sizes(self) -> bool:
        """Return whether Python code decided something by a size of an input or of a layer's
        result."""
        return not self.seen <= self.params.keys()

    def is_fixed(self, name: str) -> bool:
        """Return whether the block holds for one value of this param or size only; a run-time size
        has no other."""
        return name in self.seen and not isinstance(self.value(name), Dim)

    def value(self, name: str) -> Any:
        """Return the value of a param, or of a dim of an input."""
        if name in self.params:
            return self.params[name]
        return next(dims[name] for dims in map(self.axes, self.sizes) if name in dims)

    def arguments(self) -> dict[str, Any]:
        """The values of the params, each number remembering its name."""
        return {name: self._named(value, name) for name, value in self.params.items()}

    def remembered(self, name: str, dims: tuple[Size, ...]) -> tuple[Any, ...]:
        """Return the dims of an input, each remembering its place."""
        self.ranked.add(name)
        return tuple(self._named(dim, self.axis(name, i)) for i, dim in enumerate(dims, 1))

    def made(self, record: Record, port: str, dims: tuple[Size, ...]) -> tuple[Any, ...]:
        """Return the dims of a layer's result, which depend on all that layers were given before."""
        self.ranked |= self.sizes.keys()
        if not self.watched:
            return dims
        return tuple(
            Watched(plain(dim), None, frozenset({(self, Result(record, port, axis))}))
            for axis, dim in enumerate(dims)
        )

    def _named(self, value: Any, name: str) -> Any:
        """Return a number that remembers its name in the block."""
        local = Local(name, owner=self)
        if self.watched and type(value) in (int, float, Dim):
            return Watched(value, local, frozenset({(self, name)}))
        return written(value, local)

    def axis(self, name: str, index: int) -> str:
        """What stands for a dim of an input: `x_1`."""
        found = f"{name}_{index}"
        while found in self.params:
            found += "_"
        return found

    def axes(self, name: str) -> dict[str, Size]:
        """Return the dims of an input by the names that stand for them."""
        return {self.axis(name, i): dim for i, dim in enumerate(self.sizes[name], 1)}

    def pattern(self, name: str, span: Span) -> InputShape:
        """Return a name for every dim of an input, or if Python code decided something by it the number."""
        axes = self.axes(name).items()
        dims = tuple(dim if self.is_fixed(axis) else axis for axis, dim in axes)
        return InputShape(dims, (span,) * len(dims))

    def run_time_sizes(self) -> dict[Dim, str]:
        """Return the sizes known only at run time, each with the dim or else the param that it has
        in the block."""
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
    """The block whose function is running, where what has no sources belongs."""
    return _running[-1] if _running else None


def declare_value(value: Any, trace: Trace | None, span: Span) -> Any:
    """Plain data for a declared option: numbers that remember their names become expressions."""
    if isinstance(value, list):
        return [declare_value(item, trace, span) for item in value]
    if isinstance(value, dict):
        return {key: declare_value(item, trace, span) for key, item in value.items()}
    if isinstance(value, Dim):
        return _written(_run_time_size(value, trace, span), span)
    if not isinstance(value, WrittenInt | WrittenFloat):
        return value
    try:
        expression = _Localised(trace).walk(value.written, 0)
    except _CannotBeWritten:
        look_at(value)  # the block has it as a plain number
        return plain(value)
    return plain(value) if isinstance(expression, Number) else _written(expression, span)


def _written(expression: Expression, span: Span) -> Written:
    return Written(expression, span, lambda start, end: span)


class _CannotBeWritten(Exception):
    """An expression that is too large, or of names that are not this block's."""


class _Localised:
    """Rewrites an expression in the plain names of one block, with values for its fixed params."""

    def __init__(self, trace: Trace | None) -> None:
        self.trace = trace
        self.parts = 0

    def walk(self, expression: Expression, depth: int) -> Expression:
        self.parts += 1
        if depth > MAX_DEPTH or self.parts > MAX_PARTS:
            raise _CannotBeWritten
        match expression:
            case Local(name=name, owner=owner) if owner is not None and owner is self.trace:
                if owner.is_fixed(name):
                    return Number(owner.value(name))
                owner.spoken.add(name)
                return Variable(name)
            case Arithmetic(operator, left, right):
                sides = self.walk(left, depth + 1), self.walk(right, depth + 1)
                return _folded(Arithmetic(operator, *sides))
            case Number():
                return expression
        raise _CannotBeWritten


def _folded(expression: Arithmetic) -> Expression:
    """Return the expression, or its value where that is known."""
    if not (isinstance(expression.left, Number) and isinstance(expression.right, Number)):
        return expression
    try:
        return Number(evaluate(expression, lambda variable: None))
    except ExpressionError:
        raise _CannotBeWritten from None


def _run_time_size(dim: Dim, trace: Trace | None, span: Span) -> Expression:
    """A size known only at run time as an expression: in a block, of the dims of its inputs."""
    if trace is None:
        return parse(str(dim))
    names = trace.run_time_sizes()
    by_text = {str(size): name for size, name in names.items()}
    try:
        found = Variable(names[dim]) if dim in names else _renamed(parse(str(dim)), by_text)
    except KeyError as missing:
        message = f"{dim} is a run-time size that no input of {trace.family} has"
        help = f"give the block an input with an axis of {missing.args[0]}"
        raise fail("bad-option", message, span, help) from None
    trace.spoken.update(variable.name for variable in variables(found))
    return found


def _renamed(expression: Expression, names: Mapping[str, str]) -> Expression:
    match expression:
        case Variable(name):
            return Variable(names[name])
        case Negative(operand):
            return Negative(_renamed(operand, names))
        case Arithmetic(operator, left, right):
            return Arithmetic(operator, _renamed(left, names), _renamed(right, names))
    return expression
