"""One case of each measure runs in CI, all at a release, and counts meet their targets."""

from __future__ import annotations

from functools import partial

import pytest

from tests.benchmarks.__main__ import Result, row
from tests.benchmarks.case import Case
from tests.benchmarks.cases import CASES


def marked() -> list[object]:
    """Return all cases; the first one of each function that makes some is for CI, unless it needs a peer."""
    alone = [case for case in CASES if not case.peer]
    first = {measure(case): case for case in reversed(alone)}.values()
    return [
        pytest.param(
            case,
            id=f"{case.name}, {case.against}",
            marks=pytest.mark.slow if case in first else pytest.mark.nightly,
        )
        for case in CASES
    ]


def measure(case: Case) -> object:
    """Return the function that makes both sides of a case."""
    return case.make.func if isinstance(case.make, partial) else case.name


@pytest.mark.parametrize("case", marked())
def test_case(case: Case) -> None:
    if not case.runs_here:
        pytest.skip(f"{case.peer} is not installed")
    ours, theirs = case.make()
    result = Result(case, [ours()], [theirs()])
    assert row(result, case.name).count("|") == 8
    if case.unit in ("tensors", "graphs", "MB"):
        assert result.share_of_target <= 1


def test_noise_is_half_the_range_of_the_middle_half_of_the_ratios() -> None:
    ours = [1.0, 1.9, 2.0, 2.1, 9.0]
    assert Result(CASES[0], ours, [1.0] * 5).noise == "±5.0%"
    assert Result(CASES[0], [2.0], [1.0]).noise == "one run"
