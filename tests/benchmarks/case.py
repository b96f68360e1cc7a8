"""What a case is: two sides that tell what they cost, and the target of their ratio."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from tests.conftest import ROOT

Cost = Callable[[], float]  # does the work, and tells what it took: seconds, bytes or tensors
UNITS = {"ms": 1e3, "µs a node": 1e6, "MB": 1e-6, "tensors": 1.0}


@dataclass(frozen=True, slots=True)
class Case:
    """`make` prepares both sides, ours first; only what they do is measured."""

    name: str
    against: str
    make: Callable[[], tuple[Cost, Cost]]
    at_most: float | None = None  # the target; where there is none, it is good to know
    rounds: int = 20
    unit: str = "ms"
    peer: str = ""  # the library that it needs
    slow: bool = False
    group: str = ""  # of these the report tells the worst

    @property
    def runs_here(self) -> bool:
        return not self.peer or find_spec(self.peer) is not None


def clocked(action: Callable[[], Any], parts: int = 1) -> Cost:
    """The processor's time of one of the action's parts, which others on the machine hardly change;
    garbage is collected as it is by default."""

    def cost() -> float:
        start = time.process_time()
        result = action()
        end = time.process_time()
        del result  # only now: to free it is no part of the action
        return (end - start) / parts

    return cost


def process(*command: str) -> Cost:
    """The processor's time of a whole process, which finds its byte code as one usually does."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def cost() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return cost


def elsewhere(make: str) -> Cost:
    """A cost that a process of its own makes and takes: `make` is the expression. A peer may change
    torch for all that run beside it, as pytorch-symbolic does, which wraps nn.Module itself."""
    module = make.partition("(")[0].rpartition(".")[0]
    script = f"import {module}\nprint(({make})())"

    def cost() -> float:
        done = subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT
        )
        return float(done.stdout.split()[-1])

    return cost


def fixed(value: float) -> Cost:
    """What is compared with a number."""
    return lambda: value
