"""Diagnostics fit into a terminal of 60 columns and more, and lose no word of their texts there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mimgraph.diagnostics.codes import CODES, DiagnosticCode
from mimgraph.diagnostics.explain import page
from mimgraph.diagnostics.render import render_text
from tests.helpers.marked import faults, warnings
from tests.helpers.plugin_packages import declare_broken, use

LONG = "inputs: {x: [4]}\nnodes: {y: {layer: Linear, from: x, out_features: 3, bias: true, weight_norm: false, biass: true}}\noutputs: y\n"


def _words(text: str) -> list[str]:
    """Return the words of a diagnostic without its margins and marks."""
    return re.sub(r"^ *(\d+ )?[|=]|[-^]{2,}", " ", text, flags=re.MULTILINE).split()


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("code", CODES)
def test_lines_fit(
    code: DiagnosticCode, width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if code in ("broken-plugin", "cannot-run"):
        declare_broken(tmp_path)
        use(tmp_path, monkeypatch)
    wrong = re.findall(r"```yaml\n(.*?)```", page(code), re.DOTALL)[0]
    found = faults(wrong) or warnings(wrong)
    shown = render_text(found, width=width)
    assert max(map(len, shown.splitlines())) <= width
    for one in found:
        for text in (one.message, one.note, one.help, *(label.text for label in one.labels)):
            assert " ".join(text.split()) in " ".join(_words(shown))


def test_a_wide_terminal_shows_all() -> None:
    for code in CODES:
        wrong = re.findall(r"```yaml\n(.*?)```", page(code), re.DOTALL)[0]
        found = faults(wrong) or warnings(wrong)
        assert render_text(found, width=200) == render_text(found)


def test_a_long_line_is_cut_around_its_mark() -> None:
    shown = render_text(faults(LONG), width=60)
    source, marks = shown.splitlines()[3:5]
    assert source.startswith(" 2 | …") and source.endswith("biass: true}}") and len(source) <= 60
    assert source[marks.index("^") : marks.rindex("^") + 1] == "biass"
