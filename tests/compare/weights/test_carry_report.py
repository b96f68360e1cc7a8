"""The plan of the weights that survive an edit, found without torch; `edits.md` has the expected reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.carried import carry_report
from tests.conftest import SPECS
from tests.helpers.shown import cases as of_file
from tests.helpers.shown import check

FILE = Path(__file__).parent / "edits.md"


def cases() -> dict[str, list[str]]:
    """Return the two specs of each case, by its heading."""
    return of_file(FILE)


def test_reports_are_as_expected(rewrite: bool) -> None:
    check(FILE, rewrite, text=lambda *specs: carry_report(*map(mg.loads, specs)).text())


@pytest.mark.parametrize("title", cases())
def test_every_tensor_is_reported_once_and_a_graph_carries_all_of_itself(title: str) -> None:
    old, new = map(mg.loads, cases()[title])
    report = carry_report(old, new)
    data = report.data()
    assert json.loads(json.dumps(data)) == data
    keys = [tensor["key"] for tensor in data["tensors"]]
    assert len(set(keys)) == len(keys)
    sources = [tensor["from"] for tensor in data["tensors"] if tensor["from"] is not None]
    back = carry_report(new, old).data()
    olds = {tensor["key"] for tensor in back["tensors"]}
    assert {*sources, *(one["key"] for one in data["dropped"])} == olds
    for text in cases()[title]:
        report = carry_report(mg.loads(text), mg.loads(text))
        assert not any(tensor["rules"] for tensor in report.data()["tensors"])
        assert not report.dropped
        assert len(report.equal_outputs) == len(mg.loads(text).outputs)


@pytest.mark.slow
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_spec_carries_all_of_itself(path: Path) -> None:
    report = carry_report(mg.load(path), mg.load(path))
    assert report.anew == report.dropped == ()
    assert [(one.name, one.why) for one in report.plan.outputs if one.why] == []
