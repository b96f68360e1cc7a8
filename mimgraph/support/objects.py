"""Traits of objects: how `dir`, `help` and notebooks show them, keys that tell them apart, a dict that can be hashed."""

from __future__ import annotations

import os
import sys
from collections.abc import Container, Iterator, Mapping
from itertools import count
from typing import Any, ClassVar, Self, TypeVar


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


# The protocols of IPython: it shows an object as HTML, and names the cells of a notebook.


def cell_name(path: str) -> str:
    """Return the name of a cell, `In[6]`, by the path that IPython compiled it under; "" for a file."""
    shell = _shell()
    if shell is None or not hasattr(shell.compile, "format_code_name"):
        return ""
    label_and_name: tuple[str, str] | None = shell.compile.format_code_name(path)
    return label_and_name[1] if label_and_name else ""


def runs_in_notebook() -> bool:
    """Return whether a notebook runs this; IPython in a terminal shows no pictures."""
    return hasattr(_shell(), "kernel")


def publish(html: str) -> bool:
    """Show HTML below the cell that a notebook runs; return False if no notebook runs this."""
    if not runs_in_notebook():
        return False
    _shell().display_pub.publish({"text/html": html, "text/plain": ""})
    return True


def traceback_lines(error: Exception) -> list[str]:
    """Return the lines that IPython prints for an error by default."""
    table = _shell().InteractiveTB
    lines: list[str] = table.structured_traceback(type(error), error, error.__traceback__)
    return lines


def _shell() -> Any:
    """Return the running IPython; None outside of it."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


class Shown:
    """An object that a notebook shows as HTML; a class defines `_repr_html_`."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        raise NotImplementedError

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, str]:
        """Return the repr and the HTML by media type, but only the types that are asked for."""
        makers = {"text/plain": self.__repr__, "text/html": self._repr_html_}
        return {
            type_: make()
            for type_, make in makers.items()
            if (not include or type_ in include) and not (exclude and type_ in exclude)
        }


# Make numbers in the order of calls, and keys that no other process makes, for parts that are
# pickled.


class _Keys:
    """The keys of this process: its own random beginning, and a number."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin anew, as a forked process must: it has the state of the process that forked it."""
        self.process = os.urandom(6).hex()
        self.numbers = count()


_keys = _Keys()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_keys.renew)


def unique_key() -> str:
    """Return a key that was never returned before, in any process."""
    return f"{_keys.process}.{next(_keys.numbers)}"


_numbers = count()


def new_number() -> tuple[int, ...]:
    """Return a number that sorts after every number returned before; a number read from a pickle is longer."""
    return (next(_numbers),)


# A read-only mapping that can be hashed and pickled.


K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(Mapping[K, V]):
    """A read-only copy of a mapping; it is equal to a dict with the same items, and prints as one."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[K, V]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)
