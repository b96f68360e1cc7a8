"""Report how far a long computation is, to a listener such as the command line's progress bar.

Who computes opens a task and says when a step of it is done:

    >>> with progress("laying out", total=3) as step:
    ...     for _ in range(3):
    ...         step()

Without a listener this does nothing. Garbage collection can pause meanwhile."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

# step() after one step, step(20) after twenty, step(1, "best 0.03") with a text beside the bar
Step = Callable[..., None]


class Task(Protocol):
    """A computation that a listener shows."""

    def step(self, count: int = 1, detail: str = "") -> None: ...
    def end(self) -> None: ...


Listener = Callable[[str, int | None], Task]  # is called with the title and total of each new task

_listeners: list[Listener] = []


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Step]:
    """Open a task of `total` steps, or of an unknown number, and give the function to call after each.

    Tasks may be nested. The title says what is done, in small letters: "laying out".
    """
    if not _listeners:
        yield _unheard
        return
    task = _listeners[-1](title, total)
    try:
        yield task.step
    finally:
        task.end()


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hand the tasks that are opened in the `with` block to a listener."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def _unheard(count: int = 1, detail: str = "") -> None:
    """Do nothing, as nobody listens."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Pause garbage collection in a `with` block or decorated function.

    The collector visits all objects again and again while their number grows: that is half of the
    time of a large graph, and a tenth of a small check.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
