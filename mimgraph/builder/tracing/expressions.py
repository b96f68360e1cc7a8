"""Turn numbers that a block's function computed into expressions, which a spec can hold."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from mimgraph.builder.tracing.trace import Trace
from mimgraph.builder.tracing.watched import Local, note_use
from mimgraph.builder.user_line import spec_error
from mimgraph.infer.evaluation import in_formula
from mimgraph.ir.declared_values import Option, Template, Written
from mimgraph.ir.dim import Dim
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
)
from mimgraph.ir.rewrite import Rewriter
from mimgraph.ir.sizes import line_of
from mimgraph.source import Span

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
