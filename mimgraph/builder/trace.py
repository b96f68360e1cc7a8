"""A block's function while it runs: its params and dims are numbers that remember their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mimgraph.builder.place import fail
from mimgraph.data import data
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.expression import (
    Arithmetic,
    Expression,
    Negative,
    Number,
    Variable,
    WrittenFloat,
    WrittenInt,
    parse,
    variables,
    written,
)
from mimgraph.ir.graph import Written
from mimgraph.source import Span

MAX_PARTS, MAX_DEPTH = 80, 24  # of an expression that is kept; beyond it the number stands


@data(eq=False)
class Local(Variable):
    """A name that means something inside one block."""

    owner: Trace | None = None


class Trace:
    """One run of a block's function, for one set of params and types of inputs."""

    __slots__ = ("active", "depth", "family", "params", "sizes", "spoken")

    def __init__(
        self,
        family: str,
        params: Mapping[str, Any],
        sizes: Mapping[str, tuple[Size, ...]],
        outer: Trace | None,
    ) -> None:
        self.family = family
        self.params = params
        self.sizes = sizes
        self.depth: int = outer.depth + 1 if outer else 1
        self.active = True
        _running.append(self)
        self.spoken: set[str] = set()  # the names that declared values speak of

    def close(self) -> None:
        """The function has returned: what it made stands in the block."""
        self.active = False
        _running.remove(self)

    def arguments(self) -> dict[str, Any]:
        """The values of the params, each number remembering its name."""
        return {k: written(value, Local(k, owner=self)) for k, value in self.params.items()}

    def remembered(self, name: str, dims: tuple[Size, ...]) -> tuple[Size, ...]:
        """The dims of an input, each number remembering which one it is."""
        return tuple(
            dim if isinstance(dim, Dim) else WrittenInt(dim, Local(self.axis(name, i), owner=self))
            for i, dim in enumerate(dims, 1)
        )

    def axis(self, name: str, index: int) -> str:
        """What stands for a dim of an input: `x_1`."""
        found = f"{name}_{index}"
        while found in self.params:
            found += "_"
        return found

    def pattern(self, name: str) -> tuple[str, ...]:
        """A name for every dim of an input."""
        return tuple(self.axis(name, i) for i in range(1, len(self.sizes[name]) + 1))

    def run_time_sizes(self) -> dict[Dim, str]:
        """What is known only at run time, and the dim or param that stands for it."""
        found = {value: name for name, value in self.params.items() if isinstance(value, Dim)}
        for name, dims in self.sizes.items():
            for i, dim in enumerate(dims, 1):
                if isinstance(dim, Dim):
                    found.setdefault(dim, self.axis(name, i))
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
        return _written(_Localised(trace).walk(value.written, 0), span)
    except _CannotBeWritten:
        return int(value) if isinstance(value, WrittenInt) else float(value)


def _written(expression: Expression, span: Span) -> Written:
    return Written(expression, span, lambda start, end: span)


class _CannotBeWritten(Exception):
    """An expression that is too large, or of names that are not this block's."""


class _Localised:
    """Rewrites an expression in the plain names of one block."""

    def __init__(self, trace: Trace | None) -> None:
        self.trace = trace
        self.parts = 0

    def walk(self, expression: Expression, depth: int) -> Expression:
        self.parts += 1
        if depth > MAX_DEPTH or self.parts > MAX_PARTS:
            raise _CannotBeWritten
        match expression:
            case Local(name=name, owner=owner) if owner is not None and owner is self.trace:
                owner.spoken.add(name)
                return Variable(name)
            case Arithmetic(operator, left, right):
                return Arithmetic(operator, self.walk(left, depth + 1), self.walk(right, depth + 1))
            case Number():
                return expression
        raise _CannotBeWritten


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
