"""Runs the examples on the page of each code; `--rewrite` writes the diagnostics of the wrong ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from mimgraph.diagnostics.codes import CODES, DiagnosticCode
from mimgraph.diagnostics.explain import PAGES, listing, page
from mimgraph.diagnostics.render import render_text
from mimgraph.support.terminal import painter
from tests.helpers.marked import faults, warnings
from tests.helpers.plugin_packages import declare_broken, use

_PAGE = re.compile(
    r"# (?P<code>.+)\n\n(?P<meaning>\w.+?)\n\n"
    r"```yaml\n(?P<wrong>.+?)```\n\n```text\n(?P<shown>.*?)```\n\n"
    r"(?P<fix>\w.+?)\n\n```yaml\n(?P<right>.+?)```\n",
    re.DOTALL,
)


def test_every_code_has_a_type_a_meaning_and_a_page() -> None:
    assert get_args(DiagnosticCode) == tuple(CODES)
    assert {path.stem for path in PAGES.iterdir()} == CODES.keys()


def test_each_page_shows_its_fault_and_a_right_spec(
    rewrite: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wrong spec has just that fault, shown as on the page; the right spec has none."""
    declare_broken(tmp_path)
    use(tmp_path, monkeypatch)
    wrong = []
    for code in CODES:
        text = page(code)
        parts = _PAGE.fullmatch(text)
        assert parts is not None, code
        found = faults(parts["wrong"]) or warnings(parts["wrong"])
        left = faults(parts["right"], "transformers") + warnings(parts["right"])
        if (parts["code"], [fault.code for fault in found], left) != (code, [code], []):
            wrong.append((code, found, left))
        shown = f"{render_text(found)}\n"
        if rewrite:
            start, end = parts.span("shown")
            (PAGES / f"{code}.md").write_text(text[:start] + shown + text[end:], encoding="utf-8")
        elif parts["shown"] != shown:
            wrong.append((code, shown))
    assert not wrong, wrong


def test_the_list_has_one_line_a_code() -> None:
    lines = listing(200, painter(False)).splitlines()
    assert [line.split()[0] for line in lines] == list(CODES)
    assert max(map(len, lines)) <= 110
