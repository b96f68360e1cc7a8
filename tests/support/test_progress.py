"""Tasks and their steps reach the listener, and cost nothing without one."""

from __future__ import annotations

import pytest

from mimgraph.support.progress import listening, progress


class Log(list[str]):
    """A listener that writes down what it hears."""

    def __call__(self, title: str, total: int | None) -> Log:
        self.append(f"{title} {total}")
        return self

    def step(self, count: int = 1) -> None:
        self.append(f"+{count}")

    def end(self) -> None:
        self.append("end")


def _work() -> None:
    with progress("laying out", total=3) as step:
        step()
        with progress("drawing"):
            pass
        step(2)


def test_a_listener_hears_tasks_and_steps() -> None:
    log = Log()
    with listening(log):
        _work()
    _work()  # nobody listens any more
    assert log == ["laying out 3", "+1", "drawing None", "end", "+2", "end"]


def test_a_task_that_fails_ends() -> None:
    log = Log()
    with pytest.raises(ValueError), listening(log), progress("tracing"):
        raise ValueError
    assert log == ["tracing None", "end"]
