"""Give the shapes of a module's tensors when they are first read, as a check does not need them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import cached_property


class ShapesUnknown(Exception):
    """Nobody can tell the shapes: the library that has the module is not installed, or fails."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message, self.help = message, help


Shapes = Mapping[str, tuple[int, ...]]


class LazyShapes(Mapping[str, tuple[int, ...]]):
    """The shapes by name that `compute` returns, which runs once and only if they are read.

    They are compared by `key`, which says what they are the shapes of. It pickles if `compute` does.
    To read them may raise `ShapesUnknown`.
    """

    def __init__(self, key: Hashable, compute: Callable[[], Shapes]) -> None:
        self.key = key
        self.compute = compute

    @cached_property
    def _shapes(self) -> Shapes:
        return self.compute()

    def __getitem__(self, name: str) -> tuple[int, ...]:
        return self._shapes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)

    def __bool__(self) -> bool:
        """Return True without reading the shapes: a module without tensors has no need of this class."""
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LazyShapes) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)
