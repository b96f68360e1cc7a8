"""The page of coverage counts proven models, and shows reasons and errors in its tables."""

from __future__ import annotations

from typing import Any

import pytest

from tests.importer.zoo.table import page, row

pytestmark = pytest.mark.slow

PROVEN: dict[str, Any] = {
    "name": "net",
    "family": "research",
    "seconds": 1.2,
    "proven": True,
    "opaque": [],
    "frozen": [],
    "left_out": [],
    "renamed": 0,
    "lines": 20,
    "tidy": 12,
    "gallery": 10,
}


def test_a_row_has_counts_keys_and_lines() -> None:
    assert row(PROVEN) == "| net | yes | 0 | 0 | 0 | same | 20 | 12 (10) | 1 |\n"


def test_reasons_are_counted_with_the_most_frequent_first() -> None:
    opaque = [{"reason": "loop"}, {"reason": "function"}, {"reason": "function"}]
    result = {**PROVEN, "opaque": opaque, "renamed": 3, "gallery": None}
    cells = "| 3: function x 2, loop | 0 | 0 | 3 renamed | 20 | 12 | 1 |\n"
    assert row(result) == f"| net | yes {cells}"


def test_an_error_is_one_line_that_cannot_break_the_table() -> None:
    result = {"name": "net", "family": "timm", "seconds": 2.0, "error": "a | b\nand more"}
    assert row(result) == "| net | no | a \\| b | | | | | | 2 |\n"


def test_the_totals_count_each_family() -> None:
    opaque = {**PROVEN, "opaque": [{"reason": "function"}], "renamed": 1}
    error = {"name": "bert", "family": "transformers", "seconds": 2.0, "error": "no"}
    text = page([PROVEN, opaque, error])
    assert "2 of 3 are proven" in text
    assert "1 of 3 are proven with nothing opaque" in text
    assert "| research | 2 | 2 | 1 | 1 |\n" in text
    assert "| transformers | 1 | 0 | 0 | 0 |\n" in text
    assert text.index("## research") < text.index("## transformers")
