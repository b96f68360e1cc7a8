"""Whole processes of the commands that read a spec, for each spec of the gallery."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.case import Case, Cost, fixed, process
from tests.conftest import ROOT

SPECS = sorted(path.stem for path in (ROOT / "specs").glob("*.yaml"))
PICTURES = {"svg": 0.2, "png": 0.2, "html": 0.15}  # the limit in seconds of each ending
COMMANDS = ("summary", "emit", "diff")


def command(name: str, *arguments: str) -> Cost:
    return process(sys.executable, "-m", "mimgraph", name, *arguments)


def drawn(spec: str, ending: str) -> tuple[Cost, Cost]:
    folder = TemporaryDirectory()
    path = str(Path(folder.name, f"{spec}.{ending}"))
    draw = command("draw", f"specs/{spec}.yaml", "-o", path)

    def cost() -> float:
        assert folder  # kept until the last run
        return draw()

    return cost, fixed(PICTURES[ending])


def against_check(spec: str, name: str) -> tuple[Cost, Cost]:
    """Compare a command with the check of the same spec; `diff` reads it as both sides."""
    path = f"specs/{spec}.yaml"
    specs = (path, path) if name == "diff" else (path,)
    return command(name, *specs), command("check", path)


def cases() -> Iterator[Case]:
    """Yield a case for each command and spec, of few runs, as there are hundreds."""
    for spec in SPECS:
        for ending in PICTURES:
            yield Case(
                f"draw to .{ending}, {spec}",
                "a limit",
                partial(drawn, spec, ending),
                at_most=1,
                rounds=3,
                group=f"draw to .{ending}, whole process",
            )
        for name in COMMANDS:
            yield Case(
                f"{name}, {spec}",
                "check of the same spec",
                partial(against_check, spec, name),
                at_most=1.5,
                rounds=3,
                group=f"{name}, whole process",
            )
