"""The values and spans of a text, and the faults of what is refused, with both YAML parsers."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mimgraph.diagnostics import Diagnostic
from mimgraph.ir.graph import FAULTY
from mimgraph.language.yaml_tree import yaml_events
from mimgraph.language.yaml_tree.compose import compose
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree
from mimgraph.source import SourceFile, Span

PARSERS = [
    pytest.param(yaml.BaseLoader, id="pure"),
    pytest.param(
        getattr(yaml, "CBaseLoader", None),
        id="libyaml",
        marks=pytest.mark.skipif(not yaml.__with_libyaml__, reason="libyaml is absent"),
    ),
]


@pytest.fixture(params=PARSERS, autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_events, "PARSER", request.param)


def read(text: str) -> tuple[Tree | None, list[Diagnostic]]:
    found: list[Diagnostic] = []
    return compose(SourceFile("spec.yaml", text), lambda fault, *_: found.append(fault)), found


def tree_of(text: str) -> Tree:
    """Return the tree of a text, which must have no faults."""
    tree, found = read(text)
    assert found == []
    assert tree is not None
    return tree


def value_of(tree: Tree | None) -> Any:
    """Return a tree as plain data, as `json.loads` would."""
    match tree:
        case Scalar(value):
            return value
        case Sequence(items):
            return list(map(value_of, items))
        case Mapping(entries):
            return {key.value: value_of(value) for key, value in entries}


def covered(span: Span) -> str:
    """Return the text that a span covers."""
    lines = [span.file.line(number) for number in range(span.line, span.end_line + 1)]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


def faults_in(text: str) -> list[str]:
    """Return the code of each fault with the text that it points at, in the order of the text."""
    _, found = read(text)
    in_order = sorted(found, key=lambda fault: fault.span[1:])
    return [f"{fault.code}: {covered(fault.span)}" for fault in in_order]


def parts(tree: Tree) -> list[Tree]:
    """Return a tree and all trees in it."""
    match tree:
        case Sequence(items):
            below = list(items)
        case Mapping(entries):
            below = [part for entry in entries for part in entry]
        case _:
            below = []
    return [tree, *(part for child in below for part in parts(child))]


# --- values

CASES = (str.lower, str.upper, str.capitalize)


@pytest.mark.parametrize(
    ("text", "value"),
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


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(("text", "help"), MEANT.items(), ids=MEANT)
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


@pytest.mark.parametrize(("text", "help"), LEFT.items(), ids=LEFT)
def test_the_help_for_a_template_depends_on_its_keys(text: str, help: str) -> None:
    assert [fault.help for fault in read(text)[1]] == [help]


@pytest.mark.parametrize(
    "text",
    ["9223372036854775808", "-9223372036854775809", "0xFFFFFFFFFFFFFFFF", "9" * 5000, "1e400"],
)
def test_a_number_that_is_too_large(text: str) -> None:
    assert faults_in(f"a: {text}") == [f"too-large: {text}"]
    if "x" not in text:
        assert faults_in(f'{{"a": {text}}}') == [f"too-large: {text}"]


# --- spans

PLACES = """\
name: Two  # words

inputs:
    é: [3, 'x y', "\\n"]
nodes:
- a

- {b:   , c: x, d: 1}


last:
- many
  words

# the end
"""


def test_every_span_covers_its_text() -> None:
    covers = [covered(part.span) for part in parts(tree_of(PLACES))]
    assert covers[1:] == [
        *("name", "Two", "inputs", "é: [3, 'x y', \"\\n\"]", "é"),
        *("[3, 'x y', \"\\n\"]", "3", "'x y'", '"\\n"'),
        *(
            "nodes",
            "- a\n\n- {b:   , c: x, d: 1}",
            "a",
            "{b:   , c: x, d: 1}",
            "b",
            "",
            "c",
            "x",
            "d",
            "1",
        ),
        *("last", "- many\n  words", "many\n  words"),
    ]
    assert covers[0].startswith("name: Two  # words\n\ninputs:") and covers[0].endswith("  words")


@pytest.mark.parametrize("style", ["|", ">", "|-", "|+"])
def test_the_span_of_a_block_text_ends_with_its_last_line(style: str) -> None:
    tree = tree_of(f"a:\n  b: {style}\n    one\n\n    two\n\n\n  c: 1\n")
    assert [covered(part.span) for part in parts(tree)[4:5]] == [f"{style}\n    one\n\n    two"]


@pytest.mark.parametrize(
    ("text", "column"),
    [("a:\n\nb: 1", 3), ("{a: }", 4), ("{a}", 3), ("a:   # none", 3), ("? a", 4)],
)
def test_the_span_of_an_empty_value_is_behind_its_key(text: str, column: int) -> None:
    value = parts(tree_of(text))[2]
    assert (value_of(value), *value.span[1:]) == (None, 1, column, 1, column)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("$hidden", "hid"),
        ("'$hidden'", "hid"),
        ('"$hidden"', "hid"),
        ("é$hidden", "$hi"),
        (r'"\x24hidden"', r'"\x24hidden"'),
        ("'a''bc'", "'a''bc'"),
        ("ab\n  cd", "ab\n  cd"),
    ],
)
def test_part_of_a_scalar(text: str, part: str) -> None:
    scalar = parts(tree_of(f"- {text}"))[1]
    assert isinstance(scalar, Scalar)
    assert covered(scalar.part(1, 4)) == part


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    text = end.join(["# \u2028é", "a: 1", "", "b: no", "c: [", "'"])
    _, found = read(text)
    assert [fault.span[1:3] for fault in found] == [(4, 4), (6, 2)]


def test_line_breaks_of_yaml_1_1_are_part_of_a_line() -> None:
    tree = tree_of("# a \u2028 b: 1\nc: 'x\x85y\u2029z'")
    assert value_of(tree) == {"c": "x\x85y\u2029z"}
    assert parts(tree)[2].span[1:] == (2, 4, 2, 11)


@pytest.mark.parametrize("text", ["a: no", '{"a": 1, "a": 2}', "a: \x00"])
def test_a_byte_order_mark_is_not_counted_as_a_column(text: str) -> None:
    assert faults_in("\ufeff" + text) == faults_in(text)
    assert [fault.span[1:] for fault in read("\ufeff" + text)[1]] == [
        fault.span[1:] for fault in read(text)[1]
    ]


# --- the subset


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("1: x\nnull: x\ntrue: x\n~: x", ["1", "null", "true", "~"]),
        ("? \n: x", [""]),
        ("[a]: x\n{b: 1}: y", ["[a]", "{b: 1}"]),
        ("a: !!int 3\nb: !own {c: 1}\nd: ! e", ["!!int", "!own", "!"]),
        ("a: !<tag:yaml.org,2002:str> x", ["!<tag:yaml.org,2002:str>"]),
        ("a: &x\n  b: 1\nc: *x\nd: [*x]", ["&x"]),
        ("a: &x {b: 1}\nc:\n  <<: *x\n  d: 1", ["&x"]),
        ("a: &x {b: 1}\nc: {<<: [*x, *x]}", ["&x"]),
        ("a: &x !t b", ["&x", "!t"]),
        ("&x a: b", ["&x"]),
        ("<<: {a: 1}", ["<<"]),
        ("<<: []", ["<<"]),
        ("a: *unknown", ["*unknown"]),
        ("a: 1\n---\nb: 2", ["---"]),
        ("---\n---\nb: 2", ["---"]),
    ],
)
def test_outside_of_the_subset(text: str, faults: list[str]) -> None:
    assert faults_in(text) == [f"yaml-subset: {fault}" for fault in faults]


def test_the_help_for_anchors_and_merge_keys() -> None:
    assert "use params" in read("a: &x 1")[1][0].help
    assert "blocks for" in read("<<: {a: 1}")[1][0].help


def test_an_anchored_value_is_still_read() -> None:
    assert value_of(read("a: &x 1\nb: *x\nc: !t 1")[0]) == {"a": 1, "b": FAULTY, "c": FAULTY}


@pytest.mark.parametrize("key", ["1", "on", "[a]", "<<", "*x", "0x_1"])
def test_a_faulty_key_leaves_its_mapping_incomplete(key: str) -> None:
    tree, found = read(f"{key} : {{c: 1}}\nb: 2")
    assert isinstance(tree, Mapping) and tree.lost
    assert value_of(tree) == {"b": 2}
    assert len(found) == 1


def test_legal_keys() -> None:
    text = "y: 1\nn: 2\n'1': 3\n'': 4\n'<<': 5\n? long\n: 6"
    assert list(value_of(tree_of(text))) == ["y", "n", "1", "", "<<", "long"]


@pytest.mark.parametrize("text", ["a: 1\nb: 2\n'a': 3\na: 4", '{"a": 1, "b": 2,\n"a": 3, "a": 4}'])
def test_duplicate_key(text: str) -> None:
    tree, found = read(text)
    assert value_of(tree) == {"a": FAULTY, "b": 2}  # nobody knows which is meant
    assert [fault.code for fault in found] == ["duplicate-key"] * 2
    for fault in found:
        [(first, words)] = fault.labels
        assert covered(fault.span).strip("'\"") == "a"
        assert (first.line, words) == (1, "first given here")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", " \n\n", "\ufeff"])
def test_empty_document(text: str) -> None:
    assert value_of(tree_of(text)) == {}


def test_get() -> None:
    tree = tree_of("a: 1\nb: 2")
    assert isinstance(tree, Mapping)
    assert value_of(tree.get("b")) == 2
    assert tree.get("c") is None


# --- syntax


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("é: é: b", 1, 5),
        ("é: [1,\nb", 2, 2),
        ("a: [1\n\n\n", 1, 6),
        ("😀: {😀: b, @", 1, 11),
        ("'é", 1, 3),
        ("a: {}}", 1, 6),
        ("a:\n\t- b", 2, 1),
        ("- a\nb: c", 2, 1),
        ("a: 'x' y", 1, 8),
        ("é: \x00", 1, 4),
        ("a: b\r\nc: \x1b", 2, 4),
        ("a: b\ufeffc", 1, 5),
        ("a: \ud800", 1, 4),
        (r'{"a": 1, "b": "\ud800"}' + "\n", 1, 15),
        ('{"a": "\ud800"}', 1, 8),
    ],
)
def test_syntax(text: str, line: int, column: int) -> None:
    _, [fault] = read(text)
    assert (fault.code, *fault.span[1:3]) == ("yaml-syntax", line, column)
    assert fault.message[0].islower() or fault.message[0] in "'\""


@pytest.mark.parametrize("text", [r'"\ud83d"', r'"\U00110000"', r'"\UFFFFFFFF"', "!<%ED%A0%80> x"])
def test_an_escape_that_is_not_a_character(text: str) -> None:
    assert [fault.code for fault in read(f"a: {text}")[1]] == ["yaml-syntax"]


def test_a_label_shows_an_open_collection() -> None:
    [fault] = read("a: 1\nb: [1\n")[1]
    assert [label.span[1:3] for label in fault.labels] == [(2, 4)]


def test_faults_before_a_syntax_error_are_reported() -> None:
    tree, found = read("a: no\nb: {1: x, c: 1, c: 2, d: [")
    assert tree is None
    assert [fault.code for fault in found] == [
        *("ambiguous-scalar", "yaml-subset", "duplicate-key", "yaml-syntax")
    ]


# --- limits


@pytest.mark.parametrize("opening", ["[", "- ", "? ", "{a: ", '{"a":'])
@pytest.mark.parametrize("times", [65, 100_000])
def test_depth(opening: str, times: int) -> None:
    tree, found = read(opening * times)
    assert tree is None
    assert [fault.code for fault in found] == ["too-large"]


def test_the_greatest_depth_allowed() -> None:
    assert len(parts(tree_of("[" * 64 + "]" * 64))) == 64


def test_depth_of_json() -> None:
    assert value_of(tree_of('{"a": ' * 64 + "1" + "}" * 64))
    assert faults_in('{"a": ' * 65 + "1" + "}" * 65) == ["too-large: {"]


def test_size_is_counted_in_bytes() -> None:
    assert value_of(tree_of("é" * (1 << 19))) == "é" * (1 << 19)
    assert [fault.code for fault in read("é" * (1 << 19) + "x")[1]] == ["too-large"]


@pytest.mark.parametrize(
    "text",
    ["&a " * 300_000, "{a: b, " * 100_000, "a: 1" + "0_" * 500_000, "a: |" + "\n" * 10**6],
    ids=["anchors", "open mappings", "digits", "blank lines"],
)
def test_hostile_texts_get_a_short_message(text: str) -> None:
    _, found = read(text)
    assert all(len(fault.message) < 120 for fault in found)


# --- JSON

texts = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda children: st.lists(children) | st.dictionaries(texts, children),
    max_leaves=10,
)


@given(
    st.dictionaries(texts, json_values),
    st.booleans(),
    st.sampled_from([None, 0, 2, "\t"]),
)
def test_json_is_read_exactly(data: Any, ascii_only: bool, indent: int | str | None) -> None:
    tree = tree_of(json.dumps(data, ensure_ascii=ascii_only, indent=indent))
    assert value_of(tree) == data
    for part in parts(tree):
        assert json.loads(covered(part.span)) == value_of(part)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'{"a": "\ud83d\ude00\/"}', "😀/"),
        ('{\n\t"a":\t1e3\r\n}', 1000.0),
        ('{"a": -0}', 0),
        ('{"a": "\x7f\x85\u2028"}', "\x7f\x85\u2028"),
        ('{"a": "no"}', "no"),
        ('{"a": NaN}', "NaN"),
        ("{a: 1} # not JSON", 1),
        ('{"a": 1,}', 1),
    ],
)
def test_json(text: str, value: object) -> None:
    assert value_of(tree_of(text)) == {"a": value}


def test_spans_in_json() -> None:
    tree = tree_of('{"a": [1,\r\n\t"\\n", {}],\r"b": true}')
    assert [(covered(part.span), *part.span[1:3]) for part in parts(tree)[1:]] == [
        ('"a"', 1, 2),
        ('[1,\n\t"\\n", {}]', 1, 7),
        ("1", 1, 8),
        ('"\\n"', 2, 2),
        ("{}", 2, 8),
        ('"b"', 3, 1),
        ("true", 3, 6),
    ]


# --- any text at all

yaml_text = st.lists(
    st.sampled_from(
        [
            *"ab1:-?,[]{}&*!|>'\"%@#é\n\r",
            "\x85",
            "\u2028",
            " ",
            "  ",
            "\n  ",
            ": ",
            "- ",
            "---\n",
            "...\n",
        ]
    ),
    max_size=25,
).map("".join)


@given(yaml_text | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    file = SourceFile("spec.yaml", text)
    found: list[Diagnostic] = []
    tree = compose(file, lambda fault, *_: found.append(fault))
    assert tree is not None or found
    spans = [fault.span for fault in found] + ([part.span for part in parts(tree)] if tree else [])
    for span in spans:
        assert 1 <= span.line <= span.end_line <= len(file.lines)
        assert 1 <= span.column <= len(file.line(span.line)) + 1
        assert 1 <= span.end_column <= len(file.line(span.end_line)) + 1
        assert span[1:3] <= span[3:5]


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="libyaml is absent")
@given(yaml_text)
def test_the_parsers_agree(text: str) -> None:
    trees = []
    for loader in (yaml.BaseLoader, yaml.CBaseLoader):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(yaml_events, "PARSER", loader)
            trees.append(read(text)[0])
    # libyaml puts an empty value behind the comment that follows
    pure, quick = (
        tree and [(value_of(part), covered(part.span) and part.span[1:3]) for part in parts(tree)]
        for tree in trees
    )
    assert pure is None or quick is None or pure == quick
