"""The table of a summary at each width of a terminal: no line is wider, and shapes and sources are whole."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import mimgraph as mg
from mimgraph.summary.numbers import number
from mimgraph.summary.rows import Row
from mimgraph.summary.table import FROM, LAYER, SHAPE, TITLES, lines
from tests.conftest import ROOT
from tests.summary.test_summary import SPECS

(DEEP,) = SPECS["The cells of a narrow table are wrapped between words"]


def shown(text: str) -> dict[str, str]:
    """Return what each column of a table has, its lines joined, by the first word of its title."""
    every = text.split("\n\n")[1].splitlines()
    (rule,) = (line for line in every if set(line) == {"─", " "})
    spans = [found.span() for found in re.finditer("─+", rule)]
    columns = ["".join(line[start:end] for line in every) for start, end in spans]
    joined = [re.sub("[ ─]", "", column) for column in columns]
    titles = {title.replace(" ", "") for title in TITLES}
    return {
        title: column.removeprefix(title)
        for column in joined
        for title in titles
        if column.startswith(title)
    }


def expected(rows: Iterable[Row], column: int) -> str:
    cells = (row.cells[column] for row in lines(rows, None, number))
    return "".join(cells).replace(" ", "")


def test_the_lines_of_the_tree_go_on_below_a_name() -> None:
    text = str(mg.load(ROOT / "specs" / "mult.yaml").summary().text(80))
    assert (
        "\ntokens              tokens, each of 3                   16.4 k  text, audio,\n│   "
        in text
    )
    assert re.search(r"^│  ├─ context_norm .*\n│  │ +norm$", text, re.MULTILINE)


WIDTHS = (40, 60, 80, 120, 200)
COMPLETE = 80  # characters from which shapes and sources are whole


def test_no_line_is_wider_than_the_terminal_and_shapes_and_sources_are_whole(spec: Path) -> None:
    summary = mg.load(spec).summary()
    for width in WIDTHS:
        text = summary.text(width)
        assert max(map(len, text.splitlines())) <= width
        if width >= COMPLETE:
            columns = shown(text)
            for column in (LAYER, SHAPE, FROM):
                title = TITLES[column].replace(" ", "")
                assert columns[title] == expected(summary.rows, column)


def test_a_narrow_table_leaves_out_macs_and_then_params() -> None:
    summary = mg.loads(DEEP).summary()
    texts = {width: summary.text(width) for width in (81, 74, 60)}
    titles = {width: text.splitlines()[2] for width, text in texts.items()}
    assert [re.split("  +", title) for title in titles.values()] == [
        ["Name", "Layer", "Output shape", "Weights", "MACs", "From"],
        ["Name", "Layer", "Output shape", "Weights", "From"],
        ["Name", "Layer", "Output shape", "From"],
    ]
    assert "Left out" not in texts[81]
    assert "\nLeft out: MACs, as the terminal is too narrow\n" in texts[74]
    assert "\nLeft out: Weights and MACs, as the terminal is too narrow\n" in texts[60]


def test_formulas_of_macs_give_way_to_sources() -> None:
    summary = mg.load(ROOT / "specs" / "bert_base.yaml").summary()
    assert "84.9 M·T" in summary.text(120).split("\n\n")[1]
    narrow = summary.text(80).split("\n\n")[1]
    assert "MACs" not in narrow
    assert re.search(r"^embedded .* words, places, texts$", narrow, re.MULTILINE)


def test_a_name_that_is_wider_than_the_table_is_cut() -> None:
    name = "n" * 90
    text = mg.loads(f"inputs: {{{name}: [4]}}\nnodes: {{}}\noutputs: {name}").summary().text(60)
    assert "nn…" in text
    assert max(map(len, text.splitlines())) <= 60


def test_colors_change_no_character_of_the_table() -> None:
    summary = mg.loads(DEEP).summary()
    colored = summary.text(80, color=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == summary.text(80)
    assert "\x1b[2m├─\x1b[0m seen" in colored
    assert "\x1b[1mTotal:\x1b[0m" in colored
