"""Plain scalars: their values, and the ones that are refused."""

from __future__ import annotations

import math
from pathlib import Path

from mimgraph.ir.declared_values import FAULTY
from tests.helpers.cases import check_texts, each
from tests.language.yaml_tree.reading import covered, faults_in, read, tree_of, value_of

CASES = (str.lower, str.upper, str.capitalize)


@each(
    "text, value",
    [
        *((text, None) for text in ("", "~", "null", "Null", "NULL")),
        *((text, True) for text in ("true", "True", "TRUE")),
        *((text, False) for text in ("false", "False", "FALSE")),
        *((text, int(text)) for text in ("0", "7", "-1", "+5", "9223372036854775807", "-0")),
        ("-9223372036854775808", -(2**63)),
        ("0x1F", 31),
        *((text, float(text)) for text in ("1e-3", "1e3", "1E+5", "1.0", "1.", ".5", "-1.5e3")),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        *((text, text) for text in ("y", "Y", "n", "N", "nO", "tRUE", "nil", "none")),
        *((text, text) for text in ("Linear", "T", "2*T", "$(2 * hidden + 1)", "emb.*", "a:b")),
        *((text, text) for text in ("1.2.3", "3x3", "0:30", "1:60", "1e", "-", "0o8", "_1", "<<")),
        ('"no"', "no"),
        ("'010'", "010"),
        ("'it''s'", "it's"),
        (r'"\u00e9\n"', "é\n"),
        ("'a\u2028b'", "a\u2028b"),
        ("a\x85b", "a\x85b"),
    ],
)
def test_value(text: str, value: object) -> None:
    read_as = value_of(tree_of(f"- {text}" if text != "-" else "- '-'"))[0]
    assert (read_as, type(read_as)) == (value, type(value))


def test_not_a_number() -> None:
    assert math.isnan(value_of(tree_of("[.nan]"))[0])


@each(
    "text",
    [
        *(spell(word) for word in ("yes", "no", "on", "off") for spell in CASES),
        *("=", "010", "-010", "08", "00", "0_1", "0o10", "0b1", "-0b1", "0x_1F", "-0x1F"),
        *("1_000", "1_000.5", "1._5", ".1_5"),
        *("1:30", "-1:30", "1:30:59", "1:30.5", "190:20:30.15"),
        *("2001-12-14", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43"),
    ],
)
def test_ambiguous(text: str) -> None:
    tree, [fault] = read(f"a: {text}")
    assert value_of(tree) == {"a": FAULTY}
    assert (fault.code, covered(fault.span)) == ("ambiguous-scalar", text)
    assert f'quote it: "{text}"' in fault.help
    assert value_of(tree_of(f"a: '{text}'")) == {"a": text}


def test_the_help_for_a_scalar_or_template_depends_on_its_keys(rewrite: bool) -> None:
    def helps(text: str) -> str:
        return "".join(f"{fault.help}\n" for fault in read(text)[1])

    check_texts(Path(__file__).with_name("helps.md"), helps, rewrite)


@each(
    "text",
    ["9223372036854775808", "-9223372036854775809", "0xFFFFFFFFFFFFFFFF", "9" * 5000, "1e400"],
)
def test_a_number_that_is_too_large(text: str) -> None:
    assert faults_in(f"a: {text}") == [f"too-large: {text}"]
    if "x" not in text:
        assert faults_in(f'{{"a": {text}}}') == [f"too-large: {text}"]
