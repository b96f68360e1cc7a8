"""Turn Python's operators on handles into nodes: `a + b` is a merge, `2 * a` a formula.

numpy and torch leave `np.float32(2) * a` to the handle, as they cannot read it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, NoReturn, Self, SupportsFloat, TypeAlias, TypeGuard

from mimgraph.builder.handles.record_call import AppliesLayers
from mimgraph.builder.tracing.trace import note_refusal
from mimgraph.builder.tracing.watched import Watched
from mimgraph.builder.user_line import spec_error, user_line
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import LIMIT
from mimgraph.ir.names import free_name
from mimgraph.ops.merges.agreement import broadcasts
from mimgraph.support.arguments import plain, shown
from mimgraph.support.entry_point import entry_points

Number: TypeAlias = SupportsFloat | Dim  # a number of Python, numpy or torch, or a size

_MERGES = {"x + y": "add", "x - y": "subtract", "x * y": "multiply", "x / y": "divide"}
_LETTER = re.compile(r"\b[xy]\b")
_NO_LITERAL = "its numbers are finite, and whole ones have at most 64 bits"
_NO_VALUES = (
    "has no values yet, so it is neither true nor false: combine masks with & | ~, as in"
    " (x > 0) & (x < 1), choose values with merges.where(mask, a, b), and ask whether there is a"
    " handle with `is not None`"
)


@entry_points
class Operators(AppliesLayers):
    """The operators of a handle, with another handle or with a number; shapes broadcast as in torch.

    Only the batch does not: two tensors with a batch must have as many axes as each other.
    """

    __slots__ = ()
    __array_ufunc__ = None  # numpy must not apply its own operators

    def __add__(self, other: Self | Number) -> Self:
        return self._with("x + y", other)

    def __radd__(self, other: Number) -> Self:
        is_start = type(other) is int and other == 0  # of sum([a, b])
        if is_start and self.typed().dtype != "bool":  # masks are added as the numbers 0 and 1
            return self
        return self._with("y + x", other)

    def __sub__(self, other: Self | Number) -> Self:
        return self._with("x - y", other)

    def __rsub__(self, other: Number) -> Self:
        return self._with("y - x", other)

    def __mul__(self, other: Self | Number) -> Self:
        return self._with("x * y", other)

    def __rmul__(self, other: Number) -> Self:
        return self._with("y * x", other)

    def __truediv__(self, other: Self | Number) -> Self:
        return self._with("x / y", other)

    def __rtruediv__(self, other: Number) -> Self:
        return self._with("y / x", other)

    def __floordiv__(self, other: Self | Number) -> Self:
        return self._with("x // y", other)

    def __rfloordiv__(self, other: Number) -> Self:
        return self._with("y // x", other)

    def __mod__(self, other: Self | Number) -> Self:
        return self._with("x % y", other)

    def __rmod__(self, other: Number) -> Self:
        return self._with("y % x", other)

    def __pow__(self, other: Self | Number) -> Self:
        return self._with("x ** y", other)

    def __rpow__(self, other: Number) -> Self:
        return self._with("y ** x", other)

    def __neg__(self) -> Self:
        return self._alone("-x")

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return self._alone("abs(x)")

    # --- comparisons, and masks -----------------------------------------------------------------

    def __lt__(self, other: Self | Number) -> Self:
        return self._with("x < y", other)

    def __le__(self, other: Self | Number) -> Self:
        return self._with("x <= y", other)

    def __gt__(self, other: Self | Number) -> Self:
        return self._with("x > y", other)

    def __ge__(self, other: Self | Number) -> Self:
        return self._with("x >= y", other)

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{self!r} {_NO_VALUES}")

    def __invert__(self) -> Self:
        _check_masks("~", self)
        return self._applied("layer", "LogicalNot")

    def __and__(self, other: Self) -> Self:
        return self._joined("&", "logical_and", other) if _is_handle(other) else NotImplemented

    def __or__(self, other: Self) -> Self:
        return self._joined("|", "logical_or", other) if _is_handle(other) else NotImplemented

    def __xor__(self, other: Self) -> Self:
        if not _is_handle(other):
            return NotImplemented
        _check_masks("^", self, other)
        return self._with_handle("x != y", other)

    def _joined(self, symbol: str, merge: str, other: Operators) -> Self:
        """Return the merge of two masks."""
        _check_masks(symbol, self, other)
        return self._merged(merge, other)

    # --- matrices ---------------------------------------------------------------------------------

    def __matmul__(self, other: Self) -> Self:
        return self._applied("merge", "matmul", other) if _is_handle(other) else NotImplemented

    # --- merges and formulas --------------------------------------------------------------------

    def _with(self, formula: str, other: object) -> Self:
        """Return a formula of this handle, its `x`, and of another or a number, its `y`."""
        if not _is_handle(other):
            number = _number(self, other)
            return NotImplemented if number is None else self._with_number(formula, number)
        if formula in _MERGES:
            return self._merged(_MERGES[formula], other)
        return self._with_handle(formula, other)

    def _merged(self, merge: str, other: Operators) -> Self:
        return self._applied("merge", merge, other, options=_broadcast(self, other))

    def _with_handle(self, formula: str, other: Operators) -> Self:
        x = _variable(self, "x")
        y = x if other == self else free_name(_variable(other, "y"), (x,))
        return self._formula(_spelled(formula, x, y), {x: self, y: other}, _broadcast(self, other))

    def _with_number(self, formula: str, number: object) -> Self:
        x = _variable(self, "x")
        n = free_name("n", (x,))
        return self._formula(_spelled(formula, x, n), {x: self}, {n: number})

    def _alone(self, formula: str) -> Self:
        x = _variable(self, "x")
        return self._formula(_spelled(formula, x), {x: self}, {})

    def _formula(
        self, text: str, named: Mapping[str, object], options: Mapping[str, object]
    ) -> Self:
        return self._applied("merge", "formula", args=(text,), options=options, named=named)


def _is_handle(operand: object) -> TypeGuard[Operators]:
    """Return whether an operand is a handle; a watched number is not looked at."""
    return type(operand) is not Watched and isinstance(operand, Operators)


def _check_masks(symbol: str, *handles: Operators) -> None:
    """Refuse operands that are not bool: torch would combine the bits of integers."""
    for handle in handles:
        dtype = handle.typed().dtype
        if dtype != "bool":
            note_refusal()
            message = f"{symbol} takes masks of dtype bool, and {handle.record.label} is {dtype}"
            help = "compare first, as in x > 0"
            raise spec_error("dtype-mismatch", message, user_line(), help)


def _variable(handle: Operators, letter: str) -> str:
    """Return the name of a handle in a formula: that of its node if the user gave one, else a letter."""
    name = handle.record.name
    return letter if name is None or handle.port is not None else name


def _spelled(formula: str, x: str, y: str = "") -> str:
    """Return a formula with these names in place of its letters."""
    words = {"x": x, "y": y}
    return _LETTER.sub(lambda letter: words[letter[0]], formula)


def _broadcast(one: Operators, other: Operators) -> dict[str, bool]:
    """Return the option of a merge that broadcasts, if the shapes differ and torch would."""
    x, y = one.typed(), other.typed()
    return {"broadcast": True} if x.shape != y.shape and broadcasts({"0": x, "1": y}) else {}


def _number(handle: Operators, operand: Any) -> object:
    """Return an operand as a number or size of ours; None if it is neither.

    A number that no formula can hold is refused.
    """
    if type(operand) is Watched or isinstance(operand, Dim):
        return operand
    is_array = hasattr(operand, "tolist")
    number = plain(operand) if is_array else operand
    if isinstance(number, bool):
        raise TypeError(f"{number} is no number to compute {handle!r} with: write {int(number)}")
    if isinstance(number, int | float):
        is_literal = isfinite(number) if isinstance(number, float) else -LIMIT <= number < LIMIT
        if not is_literal:
            raise TypeError(f"a formula of {handle!r} has no {shown(number)}: {_NO_LITERAL}")
        return number
    if is_array or isinstance(operand, list | tuple):
        raise TypeError(
            f"{handle!r} computes with numbers and other handles, not with {shown(operand)}: declare"
            ' it as mg.Buffer("name", shape, init=values)'
        )
    return None
