"""The page of every code: its examples are run, `--rewrite` writes what is told of the wrong one."""

from __future__ import annotations

import re

import pytest

from mimgraph.diagnostics.codes import CODES
from mimgraph.diagnostics.explain import PAGES, listing, page
from mimgraph.diagnostics.render import render_text
from tests.helpers.marked import faults, warnings

_PAGE = re.compile(
    r"# (?P<code>.+)\n\n(?P<meaning>\w.+?)\n\n"
    r"```yaml\n(?P<wrong>.+?)```\n\n```text\n(?P<told>.*?)```\n\n"
    r"(?P<mend>\w.+?)\n\n```yaml\n(?P<right>.+?)```\n",
    re.DOTALL,
)


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {path.stem for path in PAGES.iterdir()} == CODES.keys()


@pytest.mark.parametrize("code", CODES)
def test_page(code: str, rewrite: bool) -> None:
    """The wrong spec has that fault alone, told as the page says; the right one has none."""
    text = page(code)
    parts = _PAGE.fullmatch(text)
    assert parts is not None
    found = faults(parts["wrong"]) or warnings(parts["wrong"])
    told = f"{render_text(found)}\n"
    assert (parts["code"], [fault.code for fault in found]) == (code, [code])
    assert faults(parts["right"]) + warnings(parts["right"]) == []
    if rewrite:
        start, end = parts.span("told")
        (PAGES / f"{code}.md").write_text(text[:start] + told + text[end:], encoding="utf-8")
    assert parts["told"] == told or rewrite


def test_the_list_tells_each_code_in_one_line() -> None:
    lines = listing().splitlines()
    assert [line.split()[0] for line in lines] == list(CODES)
    assert max(map(len, lines)) <= 110
