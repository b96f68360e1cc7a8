"""The tables of speed on the page of costs have every row of `python -m tests.benchmarks --report`."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.benchmarks.cases import CASES
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "explanation" / "cost.md").read_text()
TABLE = re.compile(r"^\| what \| ours \| against \|.*\n\| ---.*\n((?:\|.*\n)+)", re.MULTILINE)


def rows() -> list[list[str]]:
    """Return the cells of the rows of all tables of speed."""
    lines = [line for table in TABLE.findall(PAGE) for line in table.splitlines()]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_the_tables_have_every_row_of_the_report() -> None:
    shown = [
        (what.partition(": ")[0], against.partition(": ")[0]) for what, _, against, *_ in rows()
    ]
    alone = [(case.name, case.against) for case in CASES if not case.group]
    groups = Counter((case.group, case.against) for case in CASES if case.group)
    slowest = [
        (f"{group}, the slowest of {count} others", against)
        for (group, against), count in groups.items()
    ]
    assert sorted(shown) == sorted([*alone, *slowest])


def test_a_target_is_met_if_the_ratio_says_so() -> None:
    """A row shows three digits, so a ratio that equals its target may be either."""
    for *_, ratio, _noise, at_most, met in rows():
        if at_most and ratio != at_most:
            assert met == ("yes" if float(ratio) < float(at_most) else "no"), (ratio, at_most)


def test_every_test_of_engines_is_about_a_row() -> None:
    table = PAGE.partition("## Engines and tools")[2]
    tried = {path.stem.removeprefix("test_") for path in (ROOT / "tests/engines").glob("test_*.py")}
    about = {
        "compile": "torch.compile",
        "copies": "pickle",
        "data_parallel": "FSDP2",
        "devices": "meta",
        "export": "torch.export",
        "functional": "torch.func",
        "onnx": "ONNX",
        "pipelining": "pipelining",
        "precision": "autocast",
        "tools": "profiler",
        "tracers": "TorchScript",
        "trainers": "Lightning",
    }
    assert tried - {"models", "names"} == about.keys()
    assert all(name in table for name in about.values())
