"""Sizes that are linear in one name, `factor * name + offset`."""

from __future__ import annotations

from typing import NamedTuple, overload

from mimgraph.ir.dims.dim import Dim, Size, terms_of


class Line(NamedTuple):
    """The function `factor * x + offset`."""

    factor: int
    offset: int

    @overload
    def at(self, x: int) -> int: ...
    @overload
    def at(self, x: Dim) -> Size: ...
    def at(self, x: Size) -> Size:
        """Return the size for a value of x."""
        product = self.factor * x
        return product + self.offset if self.offset else product

    @overload
    def solve(self, size: int) -> int: ...
    @overload
    def solve(self, size: Dim) -> Size: ...
    def solve(self, size: Size) -> Size:
        """Return the x that gives a size, rounded down."""
        rest = size - self.offset if self.offset else size
        return rest // self.factor


class NamedLine(NamedTuple):
    """A line over the named size `name`."""

    name: str
    line: Line


def line_of(size: Size) -> NamedLine | None:
    """Return the name in a size and the line over it; None if the size is not linear in one name."""
    match terms_of(size):
        case ((((str(name), 1),), factor),):
            return NamedLine(name, Line(factor, 0))
        case ((((str(name), 1),), factor), ((), offset)):
            return NamedLine(name, Line(factor, offset))
    return None
