"""Define the terms of a formula: the code and kind of each part, and the value or size of a number."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.ir.code import Code, Constant
from mimgraph.ir.dim import Size, at_least
from mimgraph.ir.expression import Expression, Number, variables
from mimgraph.ops.merges.arithmetic.elementwise import Kind

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
