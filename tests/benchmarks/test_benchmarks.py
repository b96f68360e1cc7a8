"""The cases under pytest-benchmark: `pytest tests/benchmarks --benchmark-enable`."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.cases import CASES, Case


@pytest.mark.parametrize("side", ["ours", "floor"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}, {case.floor}")
def test_case(benchmark: BenchmarkFixture, case: Case, side: str) -> None:
    benchmark.group = f"{case.name} against {case.floor}"
    ours, floor = case.make()
    benchmark.pedantic(ours if side == "ours" else floor, rounds=5, warmup_rounds=1)
