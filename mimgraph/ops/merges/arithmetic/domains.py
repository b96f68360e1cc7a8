"""Find the constraints on sizes under which Python can compute an operator of numbers.

Where torch has inf or nan for a tensor, Python raises an error or goes on with complex numbers.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator

from mimgraph.ir.dim import Dim, Size, at_least
from mimgraph.ir.expression import ExpressionError
from mimgraph.ir.sizes import equal
from mimgraph.ir.types import INTEGER, Constraint
from mimgraph.ops.merges.arithmetic.term import Term

WITH_WHOLE = "it may be + - * and / of sizes with whole numbers, such as sqrt($T / 10 - 3)"
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
