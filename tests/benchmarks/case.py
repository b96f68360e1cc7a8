"""A benchmark case: two sides that return their cost, and the target for their ratio."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

from tests.conftest import ROOT

Cost = Callable[[], float]  # runs once, and returns the cost in seconds, bytes, or a number
UNITS = {
    "ms": 1e3,
    "µs a node": 1e6,
    "B a node": 1.0,
    "MB": 1e-6,
    "tensors": 1.0,
    "graphs": 1.0,
}


@dataclass(frozen=True, slots=True)
class Case:
    """Two sides to compare: `make` prepares them, ours first; only running them is measured."""

    name: str
    against: str
    make: Callable[[], tuple[Cost, Cost]]
    at_most: float | None = None  # the target; a case without one is only reported
    rounds: int = 20
    unit: str = "ms"
    peer: str = ""  # the library that the case needs
    group: str = ""  # the report shows the worst case of a group

    @property
    def runs_here(self) -> bool:
        return not self.peer or find_spec(self.peer) is not None


per_node = partial(Case, unit="µs a node")


def clocked(action: Callable[[], Any], parts: int = 1) -> Cost:
    """Return the processor time of an action, divided by its number of parts.

    Other processes hardly change it. Garbage collection runs as usual.
    """

    def cost() -> float:
        start = time.process_time()
        result = action()
        end = time.process_time()
        del result  # only now, as freeing the result does not count
        return (end - start) / parts

    return cost


def best(cost: Cost, runs: int = 30) -> Cost:
    """Return the least of some runs, which other load hardly changes."""
    return lambda: min(cost() for _ in range(runs))


def process(*command: str, given: bytes = b"", answer: bytes = b"") -> Cost:
    """Return the processor time of a whole process that is given an input and says the answer.

    It may use cached byte code.
    """
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def cost() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            command, input=given, check=True, capture_output=True, cwd=ROOT, env=env
        )
        assert answer in done.stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return cost


def in_own_process(make: str) -> Cost:
    """Return a cost that is measured in a process of its own; `make` is a Python expression for it.

    A peer may change torch for the whole process: pytorch-symbolic wraps `nn.Module` itself.
    """
    module = make.partition("(")[0].rpartition(".")[0]
    script = f"import {module}\nprint(({make})())"

    def cost() -> float:
        done = subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT
        )
        return float(done.stdout.split()[-1])

    return cost


def fixed(value: float) -> Cost:
    """Return a constant cost, to compare with a number."""
    return lambda: value
