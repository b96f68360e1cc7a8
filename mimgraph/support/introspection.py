"""Show an object in `dir` and `help` as users need it."""

from __future__ import annotations

from typing import ClassVar, Self


class Completed:
    """An object whose `dir` has the names in `_completed` only; other attributes work as ever."""

    __slots__ = ()
    _completed: ClassVar[tuple[str, ...]] = ()

    def __dir__(self) -> list[str]:
        return [*self._completed]


class LikeFunction:
    """An object that `help` shows as a function, with its signature: a function has `__get__`, too."""

    __slots__ = ()

    def __get__(self, instance: object, owner: object = None) -> Self:
        """Return the object itself: it is the same in a class."""
        return self
