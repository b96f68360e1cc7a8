"""Give the shapes of a module's tensors, and its multiply-accumulates, when they are first read, as a check
does not need them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import cached_property
from typing import TypeAlias, TypeVar

from mimgraph.ir.dims.dim import Size


class ShapesUnknown(Exception):
    """Nobody can tell the shapes: the library that has the module is not installed, or fails."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message, self.help = message, help


Value = TypeVar("Value")


class LazyMapping(Mapping[str, Value]):
    """The values by name that `compute` returns, which runs once and only if they are read.

    They are compared by `key`, which says what they are the values of. It pickles if `compute` does.
    To read them may raise `ShapesUnknown`.
    """

    def __init__(self, key: Hashable, compute: Callable[[], Mapping[str, Value]]) -> None:
        self.key = key
        self.compute = compute

    @cached_property
    def _values(self) -> Mapping[str, Value]:
        return self.compute()

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __bool__(self) -> bool:
        """Return True without reading the values: a module without tensors has no need of this class."""
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


class LazyShapes(LazyMapping[tuple[int, ...]]):
    """The shapes of a module's tensors by name."""


class LazyLayers(LazyMapping[str]):
    """The classes of a module's layers by path."""


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
