"""`python -m tests.benchmarks`: every case as a ratio to its floor, both run in turn."""

from __future__ import annotations

import gc
import statistics
import time

from tests.benchmarks.cases import CASES, Action, Case


def timed(action: Action) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def ratio(case: Case) -> tuple[float, float]:
    """Our median time in seconds, and the median of the ratios of neighbouring runs."""
    ours, floor = case.make()
    ours(), floor()
    pairs = []
    for turn in range(case.rounds):
        gc.collect()
        # who comes second finds warm caches, so they take turns
        if turn % 2:
            second, first = timed(floor), timed(ours)
        else:
            first, second = timed(ours), timed(floor)
        pairs.append((first, second))
    return statistics.median(p[0] for p in pairs), statistics.median(p[0] / p[1] for p in pairs)


def main() -> None:
    print("| what | against | median | ratio |\n| --- | --- | --- | --- |")
    for case in CASES:
        seconds, against = ratio(case)
        print(f"| {case.name} | {case.floor} | {seconds * 1e3:.2f} ms | {against:.2f} |")


if __name__ == "__main__":
    main()
