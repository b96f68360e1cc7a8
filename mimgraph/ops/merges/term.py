"""Define the terms of a formula: the code and kind of each part, and the value or size of a number."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import NamedTuple

from mimgraph.diagnostics.text import code
from mimgraph.ir.code import Code, Constant
from mimgraph.ir.dim import Dim, Size, at_least
from mimgraph.ir.expression import Expression, ExpressionError, Number, variables
from mimgraph.ir.sizes import equal
from mimgraph.ir.types import INTEGER, Constraint
from mimgraph.ops.merges.elementwise import Kind

LIMIT = 2**31  # of a fraction that is followed through a formula


class Term(NamedTuple):
    """A part of a formula: the code and kind of a tensor, or of a number with its value.

    The code of a number is a constant, or keeps the name of one: `2 * torch.pi`. A number that is
    known only at run time has no value: it is `size / over`, or was computed from sizes in another way,
    and then may be `above_zero` for all of them, or be 0 only where the size `zero` is.
    """

    code: Code
    kind: Kind
    value: int | float | None = None
    size: Size | None = None
    over: int = 1
    above_zero: bool = False
    zero: Size | None = None

    @property
    def is_number(self) -> bool:
        return self.kind.level == 0

    @property
    def is_positive(self) -> bool:
        """Whether a number is above 0 for all sizes."""
        if self.value is not None:
            return self.value > 0
        return self.above_zero if self.size is None else at_least(self.size, 1) is True

    @property
    def zero_with(self) -> Size | None:
        """A size that is 0 where the number is, and only there; None if no such size is known."""
        if self.value is not None:
            return 0 if self.value == 0 else 1
        return self.zero if self.size is None else self.size

    @property
    def ratio(self) -> tuple[Size, int] | None:
        """The number as a size and what divides it; None if it is neither that nor a short fraction."""
        if self.value is None:
            return None if self.size is None else (self.size, self.over)
        numerator, over = self.value.as_integer_ratio()
        return (numerator, over) if max(abs(numerator), over) < LIMIT else None

    @property
    def written(self) -> Expression:
        """Return a number as an expression over the params that it comes from."""
        origin = self.code.written if isinstance(self.code, Constant) else None
        return origin or Number(self.value or 0)


def number(value: float, written: Expression | None = None) -> Term:
    """Return the term of a number; a float beside integers makes float32 in torch."""
    kind = Kind("float32", 0, True) if isinstance(value, float) else Kind("int64", 0)
    origin = written if written is not None and variables(written) else None
    return Term(Constant(value, written=origin), kind, value)


# Find the constraints on sizes under which Python can compute an operator of numbers.
#
# Where torch has inf or nan for a tensor, Python raises an error or goes on with complex numbers.


SIZE = code("$T")
WITH_WHOLE = f"it may be + - * and / of sizes with whole numbers, such as sqrt({SIZE} / 10 - 3)"
LONGEST = 2**31  # a constraint that only longer axes break is not worth its line
LARGEST = sys.float_info.max * (1 - 1e-9)  # less than the largest float, as logarithms are rounded


def domain(operator: str, left: Term, right: Term) -> Iterator[Constraint]:
    """Yield the constraints under which Python, or torch for integer tensors, can compute an operator
    whose right side is a number; raise an `ExpressionError` where no size meets them."""
    integers = all(side.kind.dtype in INTEGER for side in (left, right))
    if not right.is_number or not (left.is_number or integers):
        return  # a float tensor gets inf or nan
    if operator in ("//", "%") or (operator == "/" and left.is_number):
        yield from _not_zero(right)
    elif operator == "**" and left.is_number:
        yield from _of_power(left, right)
    elif operator == "**" and right.size is not None:
        yield from _needed(right.size, "whole numbers have no negative power")


def _of_power(base: Term, exponent: Term) -> Iterator[Constraint]:
    """Yield the constraints of a power of two numbers, of which one is known only at run time."""
    is_fraction = exponent.value is None or not float(exponent.value).is_integer()
    if exponent.kind.dtype != "int64" and is_fraction:
        yield from _not_negative(base)
    if not (exponent.value == 0 or exponent.is_positive or _is_never_negative(exponent.size)):
        yield from _not_zero(base)
    yield from _within_floats(base, exponent)


def _within_floats(base: Term, exponent: Term) -> Iterator[Constraint]:
    """Yield the constraint that a power of a size, or to a size, is no larger than a float can be."""
    if base.value and abs(base.value) != 1 and exponent.size is not None:
        limit = math.log(LARGEST) / abs(math.log(abs(base.value))) * (1 - 1e-9)
        most, grows = int(limit * exponent.over), abs(base.value) > 1
        room = most - exponent.size if grows else most + exponent.size
    elif isinstance(exponent.value, float) and exponent.value > 1 and base.size is not None:
        most = int(LARGEST ** (1 / exponent.value) * base.over)
        room = most - base.size
    else:
        return
    if most < LONGEST:
        yield from _needed(room, "the power is larger than any float")


def _not_negative(base: Term) -> Iterator[Constraint]:
    """Yield the constraint that a base is not negative."""
    root = "a root or a fractional power of"
    if base.size is not None:
        yield from _needed(base.size, f"{root} a negative number")
    elif base.value is not None and base.value < 0:
        raise ExpressionError(f"{root} a negative number")
    elif base.value is None and not base.is_positive:
        raise ExpressionError(f"{root} a number that may be negative", help=WITH_WHOLE)


def _not_zero(divisor: Term) -> Iterator[Constraint]:
    """Yield the constraint that a divisor is not 0."""
    size = divisor.zero_with
    if size == 0:
        raise ExpressionError("division by zero")
    if isinstance(size, Dim) and equal(size, 0) is None:
        yield Constraint(size, excluded=0)


def _needed(size: Size, message: str) -> Iterator[Constraint]:
    """Yield the constraint that a size is at least 0, unless it always is."""
    verdict = at_least(size, 0)
    if verdict is False:
        raise ExpressionError(message)
    if verdict is None and isinstance(size, Dim):
        yield Constraint(size, 0)


def _is_never_negative(size: Size | None) -> bool:
    return size is not None and at_least(size, 0) is True
