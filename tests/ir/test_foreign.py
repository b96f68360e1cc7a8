"""Notation that expressions do not have: the message, where it points, and the help."""

from __future__ import annotations

import pytest

from mimgraph.diagnostics.text import unmarked
from mimgraph.ir.expression import PLAIN, ExpressionError, explained, parse
from tests.helpers.cases import each
from tests.helpers.marked import faults

ARITHMETIC = "an expression has only numbers, names and + - * / // % **"

# An expression with its fault in brackets, the message, and the help.
FOREIGN = [
    ("a ⟦and⟧ b", "there is no 'and' in an expression", ARITHMETIC),
    ("a ⟦||⟧ b", "there is no '||' in an expression", ARITHMETIC),
    ("⟦not⟧ a", "there is no 'not' in an expression", ARITHMETIC),
    ("a ⟦if⟧ b else 1", "there is no 'if' in an expression", ARITHMETIC),
    ("a⟦.⟧b", "there is no '.' in an expression", ARITHMETIC),
    ("a⟦[⟧0]", "there is no '[' in an expression", ARITHMETIC),
    ("a⟦,⟧ b", "there is no ',' in an expression", ARITHMETIC),
    ("a ⟦=⟧ b", "there is no '=' in an expression", ARITHMETIC),
    ("⟦'⟧a'", "text has no place in an expression", "write names and numbers as they are"),
    ("2 * ⟦$⟧(a)", "there is no '$' within $(...)", "write the name alone"),
    ("2 * ⟦{⟧a}", "there is no '{' in an expression", "write the name alone"),
    ("a ⟦^⟧ 2", "there is no '^'", "a power is **"),
    ("1⟦_000⟧", "a number has no _", "write 1000"),
    ("0⟦b101⟧", "numbers are decimal", "write 5"),
    ("0⟦b2⟧", "numbers are decimal", ""),
    ("1.2⟦.3⟧", "a number has one point", ""),
    ("2⟦a⟧", "an operator is missing before 'a'", "write 2 * a, if they are multiplied"),
    ("a ⟦b⟧", "an operator is missing before 'b'", "write a * b, if they are multiplied"),
    ("(a)⟦(⟧b)", "an operator is missing before '('", "write * between them, if they are multiplied"),
    ("a ⟦×⟧ b", "'×' is not an operator", "write *"),
    ("a ⟦–⟧ b", "'–' is not a minus sign", "write -"),
    ("a⟦\u00a0⟧+ b", "a blank of another kind", "write a space"),
    ("⟦*⟧ a", "a number or name is missing before '*'", ""),
    ("(a + ⟦)⟧", "a number or name is missing before ')'", ""),
    ("a⟦)⟧", "this ')' closes nothing", ""),
    ("a ⟦;⟧ b", "there is no ';'", "write one expression"),
    ("a ⟦é⟧", "unexpected 'é'", ""),
    ("⟦a +⟧", "an operand is missing", ""),
]  # fmt: skip


@each("marked, message, help", FOREIGN)
def test_foreign_notation_has_a_message_and_help(marked: str, message: str, help: str) -> None:
    start, end = marked.index("⟦"), marked.index("⟧") - 1
    text = marked.replace("⟦", "").replace("⟧", "")
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    found = explained(caught.value, text, PLAIN)
    assert (unmarked(found.message), unmarked(found.help)) == (message, help)
    assert (found.start, found.end) == (start, end)


# A text in place of a size, and the help.
WRITTEN = {
    "$a * 2": "write $(a * 2)",
    "$a + $b": "write $(a + b)",
    "$(a * 2": "write $(a * 2)",
    "${a}": "write $a",
    "${a + 1}": "write $(a + 1)",
    "$ a": "write $a",
    "$2": "",
    "$a$b": "",
    "$(a)px": "",
    "2 * $a": "write $(2 * a)",
    "-$a": "write $(-a)",
    "a * 2": "write $(a * 2)",
    "{{ a }}": "write $a",
    "{{ a * 2 }}": "",
    "$(a / 2)": "write $(a // 2)",
    "$(b / 2 + a)": "write $(b // 2 + a)",
    "$(half / 2)": "",
    "$(b / a)": "",
    "%(a)d": "write $a",
    "@a@": "write $a",
    "8": "write 8",
    "-8": "",
    "half": "",
    "c": "",
    "$(half * 3)": "",
    "$(int(a / 2))": "for a whole number write a // b",
    "$(min(a, b))": "compute it by + - * / // % **, or make it a param",
    "$(2 * $a)": "write the name without $ inside $(...)",
    "a": "write $a",
}


@each("text, help", WRITTEN.items())
def test_help_for_arithmetic_of_a_size(text: str, help: str) -> None:
    spec = f"""
params: {{a: 4, b: 3, half: 0.5}}
inputs: {{x: [8]}}
nodes:
  y: {{layer: Linear, from: x, out_features: "{text}"}}
outputs: y
"""
    assert [fault.help for fault in faults(spec)] == [help]


@each("text", ["a" * 100_000 + "!", "a" + " " * 100_000 + "b", "$(" * 300])
def test_a_long_text_is_explained_fast(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert explained(caught.value, text, PLAIN).message
