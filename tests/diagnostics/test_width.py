"""Diagnostics fit into a terminal of 60 columns and more, and lose no word of their texts there."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from mimgraph.diagnostics import Diagnostic
from mimgraph.diagnostics.codes import CODES
from mimgraph.diagnostics.explain import page
from mimgraph.diagnostics.render import render_text
from tests.helpers.marked import faults, warnings
from tests.helpers.plugin_packages import declare_broken, use

LONG = "inputs: {x: [4]}\nnodes: {y: {layer: Linear, from: x, out_features: 3, bias: true, weight_norm: false, biass: true}}\noutputs: y\n"


def _words(text: str) -> list[str]:
    """Return the words of a diagnostic without its margins and marks."""
    return re.sub(r"^ *(\d+ )?[|=]|[-^]{2,}", " ", text, flags=re.MULTILINE).split()


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Diagnostic]]:
    """Return the diagnostics of the wrong spec on the page of each code."""
    declare_broken(tmp_path)
    use(tmp_path, monkeypatch)
    specs = {code: re.findall(r"```yaml\n(.*?)```", page(code), re.DOTALL)[0] for code in CODES}
    return {code: faults(spec) or warnings(spec) for code, spec in specs.items()}


def test_lines_fit_and_lose_no_word(found: dict[str, list[Diagnostic]]) -> None:
    wrong = []
    for (code, diagnostics), width in product(found.items(), (60, 80)):
        shown = render_text(diagnostics, width=width)
        if max(map(len, shown.splitlines())) > width:
            wrong.append((code, width, shown))
        for one in diagnostics:
            for text in (one.message, one.note, one.help, *(label.text for label in one.labels)):
                if " ".join(text.split()) not in " ".join(_words(shown)):
                    wrong.append((code, width, text))
    assert not wrong, wrong


def test_a_wide_terminal_shows_all(found: dict[str, list[Diagnostic]]) -> None:
    for code, diagnostics in found.items():
        assert render_text(diagnostics, width=200) == render_text(diagnostics), code


def test_a_long_line_is_cut_around_its_mark() -> None:
    shown = render_text(faults(LONG), width=60)
    source, marks = shown.splitlines()[3:5]
    assert source.startswith(" 2 | …") and source.endswith("biass: true}}") and len(source) <= 60
    assert source[marks.index("^") : marks.rindex("^") + 1] == "biass"
