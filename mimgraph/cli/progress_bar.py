"""Show a progress bar on the terminal for what takes over a second, and remove it when it is done."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mimgraph.support.progress import listening
from mimgraph.support.terminal import wants_color

if TYPE_CHECKING:
    from threading import Timer

    from rich.progress import Progress, TaskID

PATIENCE = 1.0  # seconds without a bar


@contextmanager
def showing_progress() -> Iterator[None]:
    """Show the tasks of a `with` block on standard error, if it is a terminal."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    with listening(_Bars().begin):
        yield


class _Bars:
    """The tasks that are open, and the bars that show them from the second on."""

    def __init__(self) -> None:
        from threading import RLock  # a check starts faster without it

        self.lock = RLock()  # a timer shows the bars in a thread of its own
        self.open: list[_Task] = []
        self.timer: Timer | None = None
        self.bars: Progress | None = None

    def begin(self, title: str, total: int | None) -> _Task:
        """Open a task; the first one starts the timer."""
        from threading import Timer

        task = _Task(self, title, total)
        with self.lock:
            self.open.append(task)
            if self.bars is not None:
                self.show_task(task)
            elif self.timer is None:
                self.timer = Timer(PATIENCE, self.show)
                self.timer.daemon = True
                self.timer.start()
        return task

    def show(self) -> None:
        """Show a bar for each task that is still open."""
        bars = _bars()
        with self.lock:
            if self.open and self.bars is None:
                self.bars = bars
                for task in self.open:
                    self.show_task(task)

    def show_task(self, task: _Task) -> None:
        """Add a bar: one that moves, or one that swings if none moves above it.

        A task of one step has no bar, as that would not move: `mimgraph check -` waits for what is typed.
        """
        before = self.open[: self.open.index(task)]
        swings = task.total is None and not any(one.moves for one in before)
        if self.bars is not None and (task.moves or swings):
            task.id = self.bars.add_task(
                task.title,
                total=task.total,
                completed=task.done,
                count=task.count,
                detail=task.detail,
            )
            self.bars.start()

    def end(self, task: _Task) -> None:
        """Close a task; with the last one the bars go."""
        with self.lock:
            self.open.remove(task)
            if self.bars is not None and task.id is not None:
                self.bars.remove_task(task.id)
            if self.open:
                return
            if self.timer is not None:
                self.timer.cancel()
            if self.bars is not None:
                self.bars.stop()
            self.timer = self.bars = None


class _Task:
    """A task, and the bar that shows it."""

    def __init__(self, bars: _Bars, title: str, total: int | None) -> None:
        self.all = bars
        self.title = title
        self.total = total
        self.done = 0
        self.detail = ""
        self.id: TaskID | None = None

    @property
    def moves(self) -> bool:
        """Whether the bar moves from step to step."""
        return self.total is not None and self.total > 1

    @property
    def count(self) -> str:
        """Return how many steps are done, `120/400`."""
        return f"{self.done}/{self.total}" if self.total else ""

    def step(self, count: int = 1, detail: str = "") -> None:
        """Move the bar, and show a text beside it."""
        self.done += count
        self.detail = detail
        with self.all.lock:
            if self.all.bars is not None and self.id is not None:
                self.all.bars.update(self.id, completed=self.done, count=self.count, detail=detail)

    def end(self) -> None:
        """Remove the bar."""
        self.all.end(self)


def _bars() -> Progress:
    """Return bars that are removed at the end; to import them takes longer than a check."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}"),
        console=Console(file=sys.stderr, no_color=not wants_color(sys.stderr)),
        transient=True,
        redirect_stdout=False,  # the import of a model redirects it as well
        redirect_stderr=False,
    )
