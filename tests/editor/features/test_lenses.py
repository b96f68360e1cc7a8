"""Lenses tell the cost of the model and of its blocks."""

from __future__ import annotations

from pathlib import Path

from mimgraph.editor.features.lenses import lenses
from mimgraph.editor.features.node_facts import Facts
from mimgraph.editor.features.uses import uses_of
from tests.helpers.cases import check_texts
from tests.helpers.editor import analysed


def shown(text: str) -> str:
    analysis = analysed(text)
    found = lenses(analysis, uses_of(analysis), Facts(analysis))
    return "".join(f"{one.span.line} {one.text}\n" for one in found)


def test_lenses(rewrite: bool) -> None:
    check_texts(Path(__file__).with_name("lenses.md"), shown, rewrite)
    assert shown("") == shown("- 1") == ""
