"""`python -m tests.benchmarks [--report] [--only PATTERN]`: every case as a ratio, both sides run in turn."""

from __future__ import annotations

import argparse
import gc
import re
from collections.abc import Iterable, Iterator
from statistics import median
from typing import NamedTuple

from tests.benchmarks.case import UNITS, Case
from tests.benchmarks.cases import CASES


class Result(NamedTuple):
    """What each side took in each of the rounds."""

    case: Case
    ours: list[float]
    theirs: list[float]

    @property
    def ratio(self) -> float:
        """The median of neighbouring runs: what else the machine does slows both."""
        return median(mine / other for mine, other in zip(self.ours, self.theirs, strict=True))

    @property
    def beside_target(self) -> float:
        """At most 1 where the target is met."""
        return self.ratio / (self.case.at_most or float("inf"))


def measure(case: Case) -> Result:
    sides = case.make()
    if case.rounds > 1:
        for cost in sides:
            cost()
    gc.collect()
    gc.freeze()  # what is there already is not walked again
    took: tuple[list[float], list[float]] = ([], [])
    for turn in range(case.rounds):
        # who comes second finds warm caches, so they take turns
        for side in (0, 1) if turn % 2 else (1, 0):
            gc.collect()  # a model that nobody has any more is compiled anew
            took[side].append(sides[side]())
    gc.unfreeze()
    return Result(case, *took)


def row(result: Result, name: str) -> str:
    """What was measured as a row of the table."""
    case, scale = result.case, UNITS[result.case.unit]
    theirs = f"{case.against}: {min(result.theirs) * scale:.4g} {case.unit}"
    target, met = "", ""
    if case.at_most is not None:
        target, met = f"{case.at_most:.3g}", "yes" if result.beside_target <= 1 else "no"
    ours = f"{min(result.ours) * scale:.4g} {case.unit}"
    return f"| {name} | {ours} | {theirs} | {result.ratio:.3g} | {target} | {met} |"


def rows(cases: Iterable[Case], whole: bool) -> Iterator[str]:
    """A row a case; of the cases of a group one for the worst, unless all are wanted."""
    groups: dict[str, list[Result]] = {}
    for case in cases:
        if not case.runs_here:
            yield f"| {case.name} | | {case.against}: not installed | | | |"
            continue
        result = measure(case)
        if whole or not case.group:
            yield row(result, case.name)
        else:
            groups.setdefault(case.group, []).append(result)
    for group, results in groups.items():
        worst = max(results, key=lambda result: result.beside_target)
        yield row(worst, f"{group}, the slowest of {len(results)} others: {worst.case.name}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--report", action="store_true", help="the table as the README has it")
    parser.add_argument("--only", default="", metavar="PATTERN", help="cases of that name")
    args = parser.parse_args()
    print(
        "| what | ours | against | ratio | at most | met |\n| --- | --- | --- | --- | --- | --- |"
    )
    found = [case for case in CASES if re.search(args.only, f"{case.name} {case.against}")]
    for line in rows(found, whole=not args.report):
        print(line, flush=True)


if __name__ == "__main__":
    main()
