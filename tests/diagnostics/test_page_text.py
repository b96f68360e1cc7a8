"""A page on a terminal has all words of the page, no fences, and the colours of `check`."""

from __future__ import annotations

import re

from mimgraph.diagnostics.codes import CODES, DiagnosticCode
from mimgraph.diagnostics.explain import listing, page, page_text
from mimgraph.support.terminal import painter
from tests.helpers.cases import each

STYLE = re.compile(r"\x1b\[[\d;]*m")
PLAIN, COLORED = painter(False), painter(True)


@each("code", [*CODES])
def test_a_page_loses_nothing_but_its_fences(code: DiagnosticCode) -> None:
    text = page(code)
    words = re.sub(r"^# |^```\w*$", "", text, flags=re.MULTILINE).split()
    for width in (60, 200):
        shown = page_text(text, width, PLAIN)
        assert shown.split() == words
        code_lines = {line for line in shown.splitlines() if line.startswith("    ")}
        assert all(len(line) <= width for line in shown.splitlines() if line not in code_lines)
    colored = STYLE.sub("", page_text(text, 60, COLORED))
    assert colored.replace("`", "") == page_text(text, 60, PLAIN).replace("`", "")


def test_a_page_is_coloured_as_check_prints() -> None:
    shown = page_text(page("shape-mismatch"), 80, COLORED)
    for part in (
        "\x1b[1mshape-mismatch\x1b[0m\n\n",
        "\n    \x1b[36minputs\x1b[0m: {\x1b[36mimage\x1b[0m: [3, 32, 32]",
        "\n    \x1b[1;31merror[shape-mismatch]\x1b[0m: concat along dim 1",
        "\n    \x1b[1;34m   |\x1b[0m",
        "\x1b[1;31m^^^^^^^^ 4 axes, but numeric is (N, 5)\x1b[0m\n",
        " \x1b[36mbroadcast: true\x1b[0m allows it",
    ):
        assert part in shown, part


@each("width", [60, 80, 120])
def test_the_list_of_codes_fits(width: int) -> None:
    shown = listing(width, PLAIN)
    assert max(map(len, shown.splitlines())) <= width
    assert shown.split() == listing(1000, PLAIN).split()
