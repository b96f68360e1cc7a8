"""Any mutated spec ends as a graph or as diagnostics with places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.amounts import amounts
from tests.fuzz.ends import check
from tests.fuzz.mutations import mutated_texts, mutated_trees, overridden, tweaked_trees
from tests.fuzz.running import check_runs
from tests.helpers.cases import each
from tests.helpers.marked import locations


def comes_to_an_end(text: str) -> None:
    check(text)


def runs_if_accepted(text: str) -> None:
    graph = check(text)
    if graph is not None:
        check_runs(graph)


CASES: dict[str, tuple[st.SearchStrategy[str], Callable[[str], None]]] = {
    "text": (mutated_texts(), comes_to_an_end),
    "tree": (mutated_trees(), comes_to_an_end),
    "options": (tweaked_trees(), runs_if_accepted),
}


@pytest.mark.parametrize("case", CASES)
@amounts(None, 300, 35_000)
def test_mutated_specs(case: str, amount: settings) -> None:
    texts, run = CASES[case]
    amount(given(texts)(run))()


@amounts(None, 200, 6_000)
def test_mutated_params(amount: settings) -> None:
    @amount
    @given(overridden())
    def comes_to_an_end(case: tuple[str, dict[str, Any]]) -> None:
        check(*case)

    comes_to_an_end()


FOUND = {  # found by fuzzing: each once ended in a traceback
    "a size that is infinite": (
        "inputs: {x: [3, 8]}\nnodes:\n  y: {layer: Upsample, from: x, scale_factor: 1e308}\noutputs: y\n",
        ["too-large 3:30"],
    ),
    "a named size that is infinite": (
        "inputs: {x: [3, T]}\nnodes:\n  y: {layer: Upsample, from: x, scale_factor: .inf}\noutputs: y\n",
        ["too-large 3:30"],
    ),
}


@each("text, faults", FOUND)
def test_found_cases_stay_right(text: str, faults: list[str]) -> None:
    check(text)
    assert locations(text) == faults
