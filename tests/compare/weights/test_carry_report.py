"""The plan of the weights that survive an edit, found without torch; `edits.md` has the expected reports."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.carried import carry_report
from tests.conftest import SPECS

FILE = Path(__file__).parent / "edits.md"
_CASE = re.compile(
    r"(?P<title>## .*?\n\n)```yaml\n(?P<old>.*?)```\n\n```yaml\n(?P<new>.*?)```\n"
    r"(?:\n````text\n.*?````\n)?",
    re.DOTALL,
)


def cases() -> dict[str, tuple[str, str]]:
    """Return the two specs of each case, by its heading."""
    found = _CASE.finditer(FILE.read_text())
    return {m["title"][3:].strip(): (m["old"], m["new"]) for m in found}


def test_reports_are_as_expected(rewrite: bool) -> None:
    text = FILE.read_text()

    def with_report(match: re.Match[str]) -> str:
        report = carry_report(mg.loads(match["old"]), mg.loads(match["new"])).text()
        specs = f"```yaml\n{match['old']}```\n\n```yaml\n{match['new']}```\n"
        return f"{match['title']}{specs}\n````text\n{report}\n````\n"

    expected = _CASE.sub(with_report, text)
    if rewrite:
        FILE.write_text(expected)
    assert text == expected or rewrite


@pytest.mark.parametrize("title", cases())
def test_every_tensor_is_reported_once(title: str) -> None:
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


@pytest.mark.parametrize("title", cases())
def test_a_graph_carries_all_of_itself(title: str) -> None:
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
