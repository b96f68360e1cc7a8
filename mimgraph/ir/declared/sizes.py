"""Sizes of inputs that are linear in one name, `8*H` and `2*T + 1`: parse them and print them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from mimgraph.ir.declared.values import Written
from mimgraph.ir.expression import (
    Arithmetic,
    Expression,
    ExpressionError,
    Negative,
    Number,
    Variable,
    evaluate,
    parse_formula,
    to_text,
)
from mimgraph.ir.foreign import PLAIN, explained
from mimgraph.ir.names import name_fault
from mimgraph.source import Span

FORM = "a size must be a name, a multiple of one, or one of these plus a number: T, 8*H, 2*T + 1"
PARAMS = "write a $ before the name of a param; else name the axis itself"

_COMPUTED = re.compile(r"[*/%+(^]|-\s*[\d$(]|[\w)]\s+-|^\d(?!.*x\d)", re.ASCII)


class LinearSize(NamedTuple):
    """The size `factor * name + offset`; each number is an `int`, or a `Written` that params give."""

    factor: Any
    name: str
    offset: Any

    def __str__(self) -> str:
        """Return the size as a spec has it: `8*H`, `$patch*H + 1`."""
        product = self.name if self.factor == 1 else f"{_number(self.factor)}*{self.name}"
        if self.offset == 0:
            return product
        if isinstance(self.offset, int) and self.offset < 0:
            return f"{product} - {-self.offset}"
        return f"{product} + {_number(self.offset)}"


def _number(value: Any) -> str:
    """Return a number as it stands in a size: `8`, `$patch`, `$(2 * patch)`."""
    if not isinstance(value, Written):
        return str(value)
    text = to_text(value.expression)
    return f"${text}" if isinstance(value.expression, Variable) else f"$({text})"


def is_computed(text: str) -> bool:
    """Return whether a text that is no name was meant as arithmetic: `8*H` and `T-1`, not `max-len`."""
    return _COMPUTED.search(text) is not None


def size_help(sizes: Sequence[object], at: int) -> str:
    """Return the help for an invalid size in a shape; the first may be the batch, as in Keras."""
    size = sizes[at]
    if size is not None and not (type(size) in (int, str) and size in (-1, "None", "N")):
        return ""
    if at > 0 or len(sizes) == 1:
        return 'name an axis of any length, such as "T"'
    help, rest = "leave the batch out", sizes[1:]
    if not all(type(one) is str or (type(one) is int and one > 0) for one in rest):
        return help
    if len(rest) == 3 and rest[2] in (1, 3, 4) and rest[0] not in (1, 3, 4):
        help, rest = f"{help}, and put the channels first", [rest[2], *rest[:2]]
    return f"{help}: [{', '.join(map(str, rest))}]"


def parse_size(text: str, span: Span, part: Callable[[int, int], Span]) -> Any:
    """Return the size in a text: a `LinearSize`, a name, or what stands for a number if there is no
    name in it; raise an `ExpressionError` for any other text."""
    try:
        expression = parse_formula(text)
    except ExpressionError as error:
        of_sizes = (one for one in PLAIN if one.at != r"\$")  # which says where no $ may stand
        raise explained(error, text, of_sizes) from None
    line = _linear(expression)
    name = line.name
    factor, offset = (
        side.value if isinstance(side, Number) else Written(_as_parsed(side), span, part)
        for side in line[::2]
    )
    if not name:
        return offset
    return name if (factor, offset) == (1, 0) else LinearSize(factor, name, offset)


class _Line(NamedTuple):
    """`factor * name + offset`, both of params and numbers alone; no `name` in a number."""

    factor: Expression
    name: str
    offset: Expression


_ZERO, _ONE = Number(0), Number(1)


def _linear(expression: Expression) -> _Line:
    """Return the expression as a linear one."""
    match expression:
        case Number():
            return _Line(_ZERO, "", expression)
        case Variable(name, _, end) if name.startswith("$"):
            param = name[1:]
            return _Line(_ZERO, "", Variable(param, end - len(param), end))
        case Variable(name, start, end):
            reason = name_fault(name) if name != "N" else "N stands for the batch size"
            if reason is not None:
                message = f"{name!r} cannot name a size"
                raise ExpressionError(message, start, end, code="bad-name", help=reason)
            return _Line(_ONE, name, _ZERO)
        case Negative(operand):
            return _times(_linear(operand), Number(-1))
        case Arithmetic(operator, left, right):
            return _joined(operator, _linear(left), _linear(right))
    raise ExpressionError(FORM)


def _joined(operator: str, left: _Line, right: _Line) -> _Line:
    """Return the result of arithmetic on two sizes."""
    if left.name and right.name and left.name != right.name:
        message = f"a size has one name, and this has two: {left.name} and {right.name}"
        raise ExpressionError(message, help=PARAMS)
    name = left.name or right.name
    if operator in ("+", "-"):
        parts = (_computed(operator, *pair) for pair in zip(left[::2], right[::2], strict=True))
        factor, offset = parts
        return _Line(factor, name, offset)
    if operator == "*" and not (left.name and right.name):
        return _times(left, right.offset) if left.name else _times(right, left.offset)
    if name:
        help = f"name the axis itself: {name}"
        raise ExpressionError(FORM, help=help)
    return _Line(_ZERO, "", _computed(operator, left.offset, right.offset))


def _times(line: _Line, number: Expression) -> _Line:
    """Return a linear expression times a number."""
    factor, offset = (_computed("*", number, side) for side in line[::2])
    return _Line(factor, line.name, offset)


def _computed(operator: str, left: Expression, right: Expression) -> Expression:
    """Return the arithmetic of two numbers, done where params do not matter."""
    if (operator, left) == ("+", _ZERO) or (operator, left) == ("*", _ONE):
        return right
    if (operator, right) in (("+", _ZERO), ("-", _ZERO), ("*", _ONE)):
        return left
    if operator == "*" and _ZERO in (left, right):
        return _ZERO
    found = Arithmetic(operator, left, right)
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(evaluate(found, _no_value))
    return found


def _as_parsed(expression: Expression) -> Expression:
    """Return an expression as its own text is parsed: with a sign before a number that is negative."""
    match expression:
        case Number(value) if value < 0:
            return Negative(Number(-value))
        case Arithmetic(operator, left, right):
            return Arithmetic(operator, _as_parsed(left), _as_parsed(right))
    return expression


def _no_value(variable: Variable) -> Any:
    raise ExpressionError("a param has no value yet", variable.start, variable.end)
