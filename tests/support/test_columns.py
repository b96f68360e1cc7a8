"""Cells in columns: where their lines break, and which widths the columns get."""

from __future__ import annotations

from functools import partial

from mimgraph.support.columns import COMMAS, NAMES, SIZES, WORDS, fitting, shrunk, wrapped
from mimgraph.support.terminal import padded
from tests.helpers.work import calls

BROKEN: list[tuple[str, int, list[str]]] = [
    ("", 5, [""]),
    ("conv, norm", 10, ["conv, norm"]),
    ("conv, norm", 9, ["conv,", "norm"]),
    ("a (N, 3, 32), b (N, 8)", 14, ["a (N, 3, 32),", "b (N, 8)"]),
    ("7.3 MB and 12 k or 1 B", 12, ["7.3 MB and", "12 k or 1 B"]),
    ("at 77.2 kB", 8, ["at", "77.2 kB"]),
    ("3 Modules", 8, ["3", "Modules"]),
    ("(N, 3, (H + 1)//2)", 14, ["(N, 3,", "(H + 1)//2)"]),
    ("(N, 3, (H + 1)//2)", 8, ["(N, 3,", "(H +", "1)//2)"]),
    ("MultiheadAttention of x", 10, ["Multihead", "Attention", "of x"]),
    ("left.from_image", 10, ["left.from_", "image"]),
    ("unbreakable", 6, ["unbre…"]),
]


def test_where_lines_break() -> None:
    assert [wrapped(text, width) for text, width, _ in BROKEN] == [lines for *_, lines in BROKEN]


def test_the_work_for_a_long_text_grows_linearly() -> None:
    for make in (
        lambda n: "(" + "a, " * n,
        lambda n: "a b " * n,
        lambda n: "(" * n + "a b " * n,
    ):
        assert max(map(len, wrapped(make(20_000), 80))) <= 80
        one, more = (calls(partial(wrapped, make(n), 80)) for n in (1_000, 4_000))
        assert more < 4 * 1.5 * one, make(3)


def test_words_are_cut_at_any_width() -> None:
    for width in (0, 1, 2):
        assert {*map(len, wrapped("MACs of layers", width))} == {max(width, 1)}


def test_a_wide_character_takes_two_columns() -> None:
    assert wrapped("한글, 이름", 5) == ["한글,", "이름"]
    assert wrapped("한글이름", 5) == ["한글…"]
    assert shrunk({0: ["한글"], 1: ["abcd"]}, 10) == {0: 4, 1: 4}
    assert padded("한글", 6) == "한글  "


def test_after_commas_lines_break_first() -> None:
    assert wrapped("width 4 → 8, bias true → false", 24, level=COMMAS) == [
        "width 4 → 8,",
        "bias true → false",
    ]


def test_further_lines_are_indented() -> None:
    assert wrapped("Total: 3 parameters, 4 MACs", 16, "  ") == [
        "Total: 3",
        "  parameters, 4",
        "  MACs",
    ]


COLUMNS = {0: ["name", "long_name"], 1: ["(N, 3)", "a (N, 3), b (N, 4)"], 2: ["MultiheadAttention"]}


def test_the_widest_columns_are_wrapped() -> None:
    expected = {
        (60, WORDS): [9, 18, 18],
        (45, WORDS): [9, 14, 18],
        (38, WORDS): [9, 7, 18],
        (37, WORDS): None,
        (37, NAMES): [9, 12, 12],
        (29, NAMES): [8, 8, 9],
        (20, NAMES): None,
        (20, SIZES): None,
    }
    found = {(width, level): fitting(COLUMNS, width, level=level) for width, level in expected}
    assert {at: widths and [*widths.values()] for at, widths in found.items()} == expected


def test_a_column_that_stays_whole_keeps_its_width() -> None:
    found = fitting(COLUMNS, 40, whole=[2])
    assert found is not None and found[2] == 18


def test_columns_are_shrunk_to_any_width() -> None:
    for width in (30, 20, 9):
        assert sum(shrunk(COLUMNS, width).values()) == width - 4
