"""Every case runs, and counts meet their targets; `--benchmark-enable` also times the cases."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.__main__ import Result, row
from tests.benchmarks.case import Case
from tests.benchmarks.cases import CASES


def params() -> list[object]:
    return [
        pytest.param(
            case,
            id=f"{case.name}, {case.against}",
            marks=[pytest.mark.slow] * case.slow,
        )
        for case in CASES
    ]


@pytest.mark.parametrize("case", params())
def test_case(benchmark: BenchmarkFixture, case: Case) -> None:
    if not case.runs_here:
        pytest.skip(f"{case.peer} is not installed")
    ours, theirs = case.make()
    benchmark.group = case.name
    result = Result(case, [benchmark.pedantic(ours)], [theirs()])
    assert row(result, case.name).count("|") == 8
    if case.unit in ("tensors", "graphs", "MB"):
        assert result.share_of_target <= 1


def test_noise_is_half_the_range_of_the_middle_half_of_the_ratios() -> None:
    ours = [1.0, 1.9, 2.0, 2.1, 9.0]
    assert Result(CASES[0], ours, [1.0] * 5).noise == "±5.0%"
    assert Result(CASES[0], [2.0], [1.0]).noise == "one run"
