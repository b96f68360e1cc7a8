"""Sizes that are linear in a name are parsed, refused where they do not determine it, and printed."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mimgraph.ir.declared_values import LinearSize, is_computed, parse_size
from mimgraph.ir.expression import ExpressionError
from mimgraph.source import SourceFile, Span
from tests.helpers.cases import each

SPAN = Span(SourceFile("spec.yaml", ""), 1, 1, 1, 1)

PARSED = {
    "8*H": LinearSize(8, "H", 0),
    "H * 8": LinearSize(8, "H", 0),
    "2*T + 1": LinearSize(2, "T", 1),
    "1 + T": LinearSize(1, "T", 1),
    "2*T-1": LinearSize(2, "T", -1),
    "2*(T + 3) - T": LinearSize(1, "T", 6),
    "2**3*H": LinearSize(8, "H", 0),
    "-(1 - T)": LinearSize(1, "T", -1),
    "1*H": "H",
    "H + 0": "H",
    "2*3": 6,
}


def parse(text: str) -> object:
    return parse_size(text, SPAN, lambda start, end: SPAN)


@each("text", [*PARSED])
def test_arithmetic_becomes_a_factor_and_an_offset(text: str) -> None:
    assert is_computed(text) and parse(text) == PARSED[text]


PRINTED = {
    "H*8": "8*H",
    "3 + 2*T": "2*T + 3",
    "2*T - 1": "2*T - 1",
    "H*$patch": "$patch*H",
    "$(2 * k)*H + $k": "$(2 * k)*H + $k",
    "2*$k*H": "$(2 * k)*H",
    "$(a)*(H + 1)": "$a*H + $a",
    "H + $a - 2": "H + $(a - 2)",
}


@each("text", [*PRINTED])
def test_a_size_is_printed_as_a_spec_has_it(text: str) -> None:
    assert str(parse(text)) == PRINTED[text] and str(parse(PRINTED[text])) == PRINTED[text]


@each("text", ["H*W", "H*H", "H//2", "H/2", "H % 2", "H**2", "8 // H", "H > 2", "max(H, 2)", "8*"])
def test_other_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


@each("text", ["H", "seq_len", "seq-len", "batch-size", "7x7", "", "größe"])
def test_a_name_even_a_wrong_one_is_no_arithmetic(text: str) -> None:
    assert not is_computed(text)


TOKENS = ("H", "T", "$k", "2", "3", "10", "+", "-", "*", "//", "/", "%", "**", "(", ")", "$(k + 1)")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=9).map(" ".join))
@example("2 * ( H + $k ) - H")
@example("- ( 1 - T )")
def test_a_size_is_what_its_text_computes_and_nothing_else_is_one(text: str) -> None:
    try:
        size = parse(text)
    except ExpressionError:
        return
    printed = str(size) if isinstance(size, LinearSize | str | int) else text
    for k, x in ((1, 1), (3, 2), (2, 7)):
        names = {"H": x, "T": x, "k": k}
        expected, found = (eval(written.replace("$", ""), {}, names) for written in (text, printed))
        assert found == expected
    if isinstance(size, LinearSize):
        assert str(parse(printed)) == printed
