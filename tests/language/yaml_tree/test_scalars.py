"""Plain scalars: their values, and the ones that are refused."""

from __future__ import annotations

import math

from mimgraph.ir.declared.values import FAULTY
from tests.helpers.cases import each
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


MEANT = {
    "bias: off": 'write false, or, if it is a string, quote it: "off"',
    "bias: 1_000": 'write 1000, or, if it is a string, quote it: "1_000"',
    "bias: -064": 'write -64, or, if it is a string, quote it: "-064"',
    "bias: 0o17": 'write 15, or, if it is a string, quote it: "0o17"',
    "bias: +1_0.5": 'write 10.5, or, if it is a string, quote it: "+1_0.5"',
    "bias: 1:30": 'quote it: "1:30"',
    "bias: 9" + "_9" * 20: f'quote it: "{"9" + "_9" * 19}…"',
    "sizes: [3, 010]": 'write 10, or, if it is a string, quote it: "010"',
    "from: off": 'quote it: "off"',
    "from: [off]": 'quote it: "off"',
    "each: {a: off}": 'quote it: "off"',
    "doc: 064": 'quote it: "064"',
    "off: 3": 'quote it: "off"',
    "064: 3": "begin it with a letter: n064",
    "1: 3": "begin it with a letter: n1",
    "-1.5: 3": "begin it with a letter: n1_5",
    "true: 3": 'quote it: "true"',
    "each: {0: a}": 'quote it: "0"',
    "~: 3": "give it a name",
}


@each("text, help", MEANT.items())
def test_the_help_for_an_ambiguous_scalar_depends_on_its_keys(text: str, help: str) -> None:
    assert [fault.help for fault in read(text)[1]] == [help]


LEFT = {
    "width: {{ w }}": "fill in the template first, or declare params: {w: ...} and write $w",
    "params: {w: 3}\nwidth: {{ w }}": "write $w",
    "params: {w: 3}\nwidth: {{ model.w | int }}": "write $w",
    "params: {w: 3}\nnodes: {y: {out_features: ${w}}}": "write $w",
    "params: {w: 3}\nnodes: {y: {out_features: ${params.w}}}": "write $w",
    "params: {w: 3}\nnodes: {y: {out_features: %(w)d}}": "write $w",
    "params: {w: 3}\nwidth: @w@": "write $w",
    "b: {params: {w: 3}, seq: [{Linear: ${w}}]}": "write $w",
    "layer: {{ w }}": "fill in the template first, or declare params: {w: ...} and write $w",
    "{{ w }}: 3": "fill in the template first: a param cannot be used here",
    "from: {{ w }}": "fill in the template first: a param cannot be used here",
    "nodes: {y: {from: ${w}}}": "fill in the template first: a param cannot be used here",
    "outputs: [{{ w }}]": "fill in the template first: a param cannot be used here",
}


@each("text, help", LEFT.items())
def test_the_help_for_a_template_depends_on_its_keys(text: str, help: str) -> None:
    assert [fault.help for fault in read(text)[1]] == [help]


@each(
    "text",
    ["9223372036854775808", "-9223372036854775809", "0xFFFFFFFFFFFFFFFF", "9" * 5000, "1e400"],
)
def test_a_number_that_is_too_large(text: str) -> None:
    assert faults_in(f"a: {text}") == [f"too-large: {text}"]
    if "x" not in text:
        assert faults_in(f'{{"a": {text}}}') == [f"too-large: {text}"]
