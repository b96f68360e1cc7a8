"""`python -m tests.benchmarks [--report] [--only PATTERN]`: print a table with the ratio of each case."""

from __future__ import annotations

import argparse
import gc
import re
from collections.abc import Iterable, Iterator
from statistics import median, quantiles
from typing import NamedTuple

from tests.benchmarks.case import UNITS, Case
from tests.benchmarks.cases import CASES


class Result(NamedTuple):
    """The costs of both sides of a case, one of each per round."""

    case: Case
    ours: list[float]
    theirs: list[float]

    @property
    def ratios(self) -> list[float]:
        """The ratio of each round: of two neighbouring runs, as other load on the machine slows both."""
        return [mine / other for mine, other in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        """The median ratio."""
        return median(self.ratios)

    @property
    def noise(self) -> str:
        """Half of the range that holds the middle half of the ratios, in percent of the median."""
        if len(self.ratios) == 1:
            return "one run"
        first, _, third = quantiles(self.ratios, n=4, method="inclusive")
        return f"±{(third - first) / 2 / self.ratio:.1%}"

    @property
    def share_of_target(self) -> float:
        """The ratio divided by the target: at most 1 if the target is met."""
        return self.ratio / (self.case.at_most or float("inf"))


def measure(case: Case) -> Result:
    """Run both sides of a case in turn."""
    sides = case.make()
    if case.rounds > 1:
        for cost in sides:
            cost()
    gc.collect()
    gc.freeze()  # the collector need not visit older objects
    took: tuple[list[float], list[float]] = ([], [])
    for turn in range(case.rounds):
        # the second finds warm caches, so each is first in half of the rounds
        for side in (0, 1) if turn % 2 else (1, 0):
            gc.collect()  # frees the classes of the last model, so that they are compiled again
            took[side].append(sides[side]())
    gc.unfreeze()
    return Result(case, *took)


def row(result: Result, name: str) -> str:
    """Return a row of the table."""
    case, scale = result.case, UNITS[result.case.unit]
    theirs = f"{case.against}: {min(result.theirs) * scale:.4g} {case.unit}"
    target, met = "", ""
    if case.at_most is not None:
        target, met = f"{case.at_most:.3g}", "yes" if result.share_of_target <= 1 else "no"
    ours = f"{min(result.ours) * scale:.4g} {case.unit}"
    cells = (name, ours, theirs, f"{result.ratio:.3g}", result.noise, target, met)
    return f"| {' | '.join(cells)} |"


def rows(cases: Iterable[Case], whole: bool) -> Iterator[str]:
    """Yield a row for each case; for the cases of a group only the worst, unless `whole`."""
    groups: dict[str, list[Result]] = {}
    for case in cases:
        if not case.runs_here:
            yield f"| {case.name} | | {case.against}: not installed | | | | |"
            continue
        result = measure(case)
        if whole or not case.group:
            yield row(result, case.name)
        else:
            groups.setdefault(case.group, []).append(result)
    for group, results in groups.items():
        worst = max(results, key=lambda result: result.share_of_target)
        yield row(worst, f"{group}, the slowest of {len(results)} others: {worst.case.name}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument(
        "--report", action="store_true", help="print the rows of docs/explanation/cost.md"
    )
    parser.add_argument(
        "--only", default="", metavar="PATTERN", help="only cases whose name matches"
    )
    args = parser.parse_args()
    print("| what | ours | against | ratio | noise | at most | met |", "| --- " * 7 + "|", sep="\n")
    found = [case for case in CASES if re.search(args.only, f"{case.name} {case.against}")]
    for line in rows(found, whole=not args.report):
        print(line, flush=True)


if __name__ == "__main__":
    main()
