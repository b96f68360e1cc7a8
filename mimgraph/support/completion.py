"""Keep the completion of an object short: list the names that users need, and no internal parts."""

from __future__ import annotations

from typing import ClassVar


class Completed:
    """An object whose `dir` has the names in `_completed` only; other attributes work as ever."""

    __slots__ = ()
    _completed: ClassVar[tuple[str, ...]] = ()

    def __dir__(self) -> list[str]:
        return [*self._completed]
