"""Expressions: how they are parsed, printed and computed, and where their errors point."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimgraph.ir.dim import symbol
from mimgraph.ir.expression import (
    Arithmetic,
    Expression,
    ExpressionError,
    FunctionCall,
    Negative,
    Number,
    Variable,
    WrittenFloat,
    WrittenInt,
    WrittenText,
    evaluate,
    parse,
    to_text,
    variables,
    written,
)
from tests.helpers.cases import each

VALUES = {"a": 7, "b": 2, "half": 0.5, "T": symbol("T"), "flag": True, "text": "x"}


def value_of(text: str) -> Any:
    return evaluate(parse(text), lambda variable: VALUES[variable.name])


# the text before the arrow is parsed, and printed as the text after it
WRITTEN = {
    "1+2*3": "1 + 2 * 3",
    "(1 + 2)*3": "(1 + 2) * 3",
    "((a))": "a",
    "a-(b-c)": "a - (b - c)",
    "(a-b)-c": "a - b - c",
    "a//b%c": "a // b % c",
    "2**3**2": "2 ** 3 ** 2",
    "(2**3)**2": "(2 ** 3) ** 2",
    "-2**2": "-2 ** 2",
    "(-2)**2": "(-2) ** 2",
    "2**-1": "2 ** -1",
    "-(a*b)": "-(a * b)",
    "-a*b": "-a * b",
    "+a": "a",
    "1e-3": "0.001",
    ".5": "0.5",
    "a <b": "a < b",
    "(a<b)==c": "(a < b) == c",
    "where(a >= 0, -a, $k)": "where(a >= 0, -a, $k)",
    "f()": "f()",
}


@each("text, again", WRITTEN.items())
def test_printing_keeps_only_needed_parentheses(text: str, again: str) -> None:
    assert to_text(parse(text)) == again
    assert parse(again) == parse(text)


# the error points at the characters in brackets
UNREADABLE = [
    ("[1 +]", "an operand is missing"),
    ("[]", "an operand is missing"),
    ("a [b]", "unexpected 'b'"),
    ("a[.]b", "unexpected '.'"),
    ("[']x'", 'unexpected "\'"'),
    ("[(1]", "')' is missing"),
    ("f(a [b])", "unexpected 'b'"),
    ("a + [$](b)", "unexpected '$'"),
    ("1 < 2 [<] 3", "comparisons do not chain"),
    ("[9223372036854775808]", "a number of more than 64 bits"),
    ("1 + [1e999]", "a number of more than 64 bits"),
    (f"[{'(' * 40}1{')' * 40}]", "more than 32 levels of parentheses"),
    (f"[{' + '.join('1' * 200)}]", "an expression of more than 256 tokens"),
]


@each("marked, message", UNREADABLE)
def test_errors_point_at_the_characters_at_fault(marked: str, message: str) -> None:
    start, end = marked.index("["), marked.index("]") - 1
    text = marked.replace("[", "").replace("]", "")
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert (caught.value.message, caught.value.start, caught.value.end) == (message, start, end)


def test_positions_in_a_part_count_from_the_start_of_the_text() -> None:
    text = "$(2 * width)"
    expression = parse(text, 2, len(text) - 1)
    assert to_text(expression) == "2 * width"
    assert [text[v.start : v.end] for v in variables(expression)] == ["width"]


COMPUTED = {
    "2 * a + 1": 15,
    "a / b": 3.5,
    "a // b": 3,
    "-a // b": -4,
    "a % b": 1,
    "-b ** 2": -4,
    "(-b) ** 2": 4,
    "b ** -1": 0.5,
    "a * half": 3.5,
    "2 * T // 2": symbol("T"),
    "T + a": symbol("T") + 7,
}


@each("text, value", COMPUTED.items())
def test_an_expression_is_computed_as_python_does(text: str, value: Any) -> None:
    found = value_of(text)
    assert (found, type(found)) == (value, type(value))


NOT_COMPUTED = {
    "a / 0": "division by zero",
    "T // (T - T)": "division by zero",
    "2 ** 64": "a result of more than 64 bits",
    "10.0 ** 400": "a result of more than 64 bits",
    "(-1) ** half": "a negative number has no fractional power",
    "T ** 99": "a result of more than 64 bits",
    "T / 2": "'/' does not work on a size known only at run time",
    "flag + 1": "True is not a number",
    "text * 2": "'x' is not a number",
    "a < b": "an expression cannot compare",
    "min(a, b)": "an expression cannot call a function: 'min'",
}


@each("text, message", NOT_COMPUTED.items())
def test_errors_of_computing(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        value_of(text)
    assert caught.value.message == message


# --- numbers that remember their expression ----------------------------------------------------------


def test_arithmetic_keeps_the_expression_of_a_number() -> None:
    width = WrittenInt(6, Variable("width"))
    assert (width, width * 2) == (6, 12)
    assert to_text((2 * width + 1).written) == "2 * width + 1"
    assert to_text((width // width).written) == "width // width"
    assert to_text(math.prod((width, 2)).written) == "width * 2"
    assert type(width / 2) is float  # true division and floats forget it
    assert width * symbol("T") == 6 * symbol("T")


@each(
    "value",
    [
        WrittenInt(3, Variable("k")),
        WrittenFloat(0.5, Variable("p")),
        WrittenText("2 * x", "$k * x", {"k": 2}),
    ],
)
def test_pickling_keeps_the_plain_value_only(value: Any) -> None:
    again = pickle.loads(pickle.dumps(value))
    assert (again, type(again)) == (value, type(value).__base__)


def test_only_numbers_remember_their_expression() -> None:
    name = Variable("k")
    assert [type(written(v, name)) for v in (3, 0.5)] == [WrittenInt, WrittenFloat]
    assert [type(written(v, name)) for v in (True, "x", None)] == [bool, str, type(None)]


def test_equality_ignores_positions() -> None:
    assert parse("f(a) + b") == parse("  f( a )  +  b")
    assert hash(parse("f(a) + b")) == hash(parse("  f( a )  +  b"))
    assert parse("f(a)") != parse("f(b)")


# --- properties ---------------------------------------------------------------------------------

NUMBERS = st.builds(Number, st.integers(0, 9))
ARITHMETIC = ("+", "-", "*", "/", "//", "%", "**")


def larger(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return (
        st.builds(Negative, inner)
        | st.builds(Arithmetic, st.sampled_from((*ARITHMETIC, "<", "==")), inner, inner)
        | st.builds(FunctionCall, st.just("f"), st.lists(inner, max_size=3).map(tuple))
    )


@given(st.recursive(NUMBERS | st.builds(Variable, st.sampled_from("abc")), larger, max_leaves=12))
def test_printed_expressions_parse_back(expression: Expression) -> None:
    assert parse(to_text(expression)) == expression


@given(
    st.recursive(
        NUMBERS,
        lambda inner: (
            st.builds(Negative, inner)
            | st.builds(Arithmetic, st.sampled_from(("+", "-", "*", "//", "%")), inner, inner)
        ),
        max_leaves=12,
    )
)
def test_arithmetic_equals_that_of_python(expression: Expression) -> None:
    try:
        expected = eval(to_text(expression))
    except ZeroDivisionError:
        expected = "division by zero"
    try:
        found = evaluate(expression, lambda variable: None)
    except ExpressionError as error:
        found = error.message
    assert found == expected
