"""Whatever happens to a spec, it ends as a graph or as faults that say where they are."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.ends import check
from tests.fuzz.mutations import mutated_texts, mutated_trees, tweaked_trees
from tests.fuzz.running import check_runs

SECONDS = 5  # of computing, enough for every spec


def comes_to_an_end(text: str) -> None:
    started = time.process_time()
    check(text)
    assert time.process_time() - started < SECONDS


def runs_if_accepted(text: str) -> None:
    graph = check(text)
    if graph is not None:
        check_runs(graph)


CASES: dict[str, tuple[st.SearchStrategy[str], Callable[[str], None]]] = {
    "text": (mutated_texts(), comes_to_an_end),
    "tree": (mutated_trees(), comes_to_an_end),
    "options": (tweaked_trees(), runs_if_accepted),
}
cases = pytest.mark.parametrize("case", CASES)


def fuzz(case: str, examples: int, always_the_same: bool) -> None:
    """Hold that many mutated specs to their legal ends."""
    texts, run = CASES[case]
    own = settings(
        max_examples=examples,
        derandomize=always_the_same,
        print_blob=not always_the_same,
        suppress_health_check=list(HealthCheck),
    )
    own(given(texts)(run))()


@cases
def test_mutated_specs(case: str) -> None:
    fuzz(case, 150, always_the_same=True)


@pytest.mark.slow
@cases
def test_many_mutated_specs(case: str) -> None:
    fuzz(case, 1_500, always_the_same=True)


@pytest.mark.nightly
@cases
def test_very_many_mutated_specs(case: str) -> None:
    fuzz(case, 35_000, always_the_same=False)
