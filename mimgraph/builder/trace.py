"""Trace one run of a block's function: what it decides by, and the expressions that it computes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from mimgraph.builder.user_line import spec_error
from mimgraph.builder.watched import RESULTS, Local, Watched, note_use
from mimgraph.infer.evaluation import in_formula
from mimgraph.ir.declared_graph import InputShape
from mimgraph.ir.declared_values import Option, Template, Written
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
    WrittenText,
    evaluate,
    parse,
    plain,
    to_text,
    variables,
    written,
)
from mimgraph.ir.rewrite import Rewriter
from mimgraph.ir.sizes import line_of
from mimgraph.ops.layer_call import Uses
from mimgraph.source import Span

if TYPE_CHECKING:
    from mimgraph.builder.records import Record


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


# Turn numbers that a block's function computed into expressions, which a spec can hold.


_ATOMS = frozenset((int, float, bool, str, type(None)))
MAX_PARTS, MAX_DEPTH = 80, 24  # of a declared expression; a larger one is declared as its number


def rewriter_as_written(trace: Trace | None) -> Rewriter:
    """Return what rewrites the options of nodes as a spec would write them."""
    return Rewriter(option=partial(as_written, trace=trace))


def as_written(option: Option, trace: Trace | None) -> Option:
    """Return an option as a spec would write it."""
    value = declare_value(option.value, trace, option.span)
    return option if value is option.value else option._replace(value=value)


def declare_value(value: Any, trace: Trace | None, span: Span) -> Any:
    """Return a value for a declared option: numbers with expressions become written expressions."""
    if type(value) in _ATOMS:  # as most are
        return value
    if isinstance(value, list):
        return [declare_value(item, trace, span) for item in value]
    if isinstance(value, dict):
        return {key: declare_value(item, trace, span) for key, item in value.items()}
    if isinstance(value, WrittenText):
        return _declared_text(value, trace, span)
    if isinstance(value, Dim):
        return _written(_run_time_size(value, trace, span), span)
    if not isinstance(value, WrittenInt | WrittenFloat):
        return value
    try:
        expression = _InNamesOfBlock(trace).walk(value.written, 0)
    except _CannotBeWritten:
        note_use(value)  # the block has it as a plain number
        return plain(value)
    return plain(value) if isinstance(expression, Number) else _written(expression, span)


def _declared_text(text: WrittenText, trace: Trace | None, span: Span) -> Template | str:
    """Return a formula with its numbers in it: as they are, or as expressions behind a `$`."""
    texts: dict[str, str] = {}
    for name, number in text.values.items():
        declared = declare_value(number, trace, span)
        if isinstance(declared, Written):
            inside = to_text(declared.expression)
            texts[name] = f"${inside}" if inside.isidentifier() else f"$({inside})"
        else:
            texts[name] = in_formula(declared)
    template = Template(text.template, partial(_whole, span), formula=True)
    return template._replace(text=template.filled(texts))


def _written(expression: Expression, span: Span) -> Written:
    return Written(expression, span, partial(_whole, span))


def _whole(span: Span, start: int, end: int) -> Span:
    """Return the whole span as the place of some of its characters, as only the line is known."""
    return span


class _CannotBeWritten(Exception):
    """Raised for an expression that is too large, or has names of another block."""


class _InNamesOfBlock:
    """Rewrites an expression in the names of one block, with numbers for its fixed params."""

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
                owner.declared_names.add(name)
                return Variable(name)
            case Arithmetic(operator, left, right):
                sides = self.walk(left, depth + 1), self.walk(right, depth + 1)
                return _folded(Arithmetic(operator, *sides))
            case Number():
                return expression
        raise _CannotBeWritten


def _folded(expression: Arithmetic) -> Expression:
    """Return the expression, or its value if both sides are numbers."""
    if not (isinstance(expression.left, Number) and isinstance(expression.right, Number)):
        return expression
    try:
        return Number(evaluate(expression, lambda variable: None))
    except ExpressionError:
        raise _CannotBeWritten from None


def _run_time_size(dim: Dim, trace: Trace | None, span: Span) -> Expression:
    """Return the expression of a run-time size; in a block, it uses the dims of the block's
    inputs."""
    if trace is None:
        return parse(str(dim))
    names = trace.run_time_sizes()
    try:
        found = Variable(names[dim]) if dim in names else _renamed(parse(str(dim)), _told_by(names))
    except KeyError as missing:
        message = f"{dim} is a run-time size that no input of {trace.family} has"
        help = f"give the block an input with an axis of {missing.args[0]}"
        raise spec_error("bad-option", message, span, help) from None
    trace.declared_names.update(variable.name for variable in variables(found))
    return found


def _told_by(names: Mapping[Dim, str]) -> dict[str, Expression]:
    """Return for each named size how it is computed from the axes of a block: `x_1` for T, and
    `x_1 // 8` for the H of an axis of `8*H`."""
    found: dict[str, Expression] = {}
    for size, axis in names.items():
        linear = line_of(size)
        if linear is None or (linear.name in found and str(size) != linear.name):
            continue
        factor, offset = linear.line
        product: Expression = Variable(axis)
        if offset:
            product = Arithmetic("-", product, Number(offset))
        found[linear.name] = product if factor == 1 else Arithmetic("//", product, Number(factor))
    return found


def _renamed(expression: Expression, names: Mapping[str, Expression]) -> Expression:
    """Return the expression with others in place of names; raise a `KeyError` for a name that has
    none."""
    match expression:
        case Variable(name):
            return names[name]
        case Negative(operand):
            return Negative(_renamed(operand, names))
        case Arithmetic(operator, left, right):
            return Arithmetic(operator, _renamed(left, names), _renamed(right, names))
    return expression
