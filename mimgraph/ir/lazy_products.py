"""Give the multiply-accumulates of a module when they are first asked for, as a check does not need them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import TypeAlias

from mimgraph.ir.dims.dim import Size

# A multiplication of matrices, a convolution, ...: the sizes whose product is the number of its
# multiply-accumulates. It is multiplied out only where it is asked for, and may be beyond 64 bits.
Product: TypeAlias = tuple[Size, ...]


class LazyProducts:
    """The products that `compute` returns, None if they are unknown; it runs once and only if they are read.

    They are compared by `key`, which says what they are the products of. It pickles if `compute` does.
    """

    def __init__(self, key: Hashable, compute: Callable[[], tuple[Product, ...] | None]) -> None:
        self.key = key
        self.compute = compute

    @cached_property
    def found(self) -> tuple[Product, ...] | None:
        """The products."""
        return self.compute()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LazyProducts) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)
