"""The public YAML test suite: the subset is read with the suite's values, the rest refused with a place.

`yaml_test_suite.json` holds its cases: `json` are the values of their documents, `error` says that the
text is no YAML 1.2. Its source and licence stand in it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mimgraph.diagnostics import Diagnostic
from mimgraph.language.yaml_tree import yaml_events
from mimgraph.language.yaml_tree.compose import compose
from mimgraph.source import SourceFile
from tests.helpers.cases import each
from tests.language.yaml_tree.reading import value_of

CASES = {
    case["id"]: case
    for case in json.loads(Path(__file__).with_name("yaml_test_suite.json").read_text())["cases"]
}

# cases that are refused, by the codes and the reason: outside of our subset, or YAML 1.2 that libyaml,
# a parser of YAML 1.1, cannot read
REFUSED: dict[str, dict[str, str]] = {
    "yaml-subset": {
        "anchors and aliases": "26DV 3GZX 3R3P 6KGN 7BMT 7BUB BU8L CN3R E76Z FTA2 JS2J SKE5 U3XV V55R"
        " Y2GN ZH7C ZWK4",
        "tags": "2AUY 2XXW 33X3 52DL 565N 57H4 6CK3 6JWB 735Y 74H7 7FWL 8MK2 CC74 EHF6 FH7J J7PZ L94M"
        " M5C3 P76L S4JQ U3C3 UKK6-02 WZ62 Z67P Z9M4",
        "tags and anchors": "C4HZ CUP7 F2C7 HMQ5 LE5A",
        "several documents": "6XDY 6ZKB 9DXL JHB9 KSS4 L383 PUW8",
        "several documents, with tags or anchors": "35KP 5TYM 6WLZ 9WXW 9KAX",
        "keys that are not strings": "4FJ6 6PBE 9MMW DFF7 KK5P LX3P M2N8-01 Q9WF SBG9 V9D5",
        "keys that are not strings, and anchors": "6BFJ PW8X RZP5 X38W XW4D",
    },
    "ambiguous-scalar yaml-subset": {
        "a date as a key that is not a string": "M5DY",
        "a time or a date, and a second document": "RZT7 U9NS",
        "a date, a tag and an anchor": "UGM3",
    },
    "yaml-subset yaml-syntax": {"a colon in an anchor": "2SXE", "an anchor of nothing": "6M2F"},
    "yaml-syntax": {
        "a tab that is not indentation": "6BCT 6CA3 A2M4 DK95-00 DK95-03 DK95-04 Y79Y-10 96NN-00 96NN-01"
        " R4YG Y79Y-01",
        "a colon that does not stand right behind its quoted key, or with no space behind it": "4MUZ-01 4MUZ-02 5MUD 9SA2 K3WX 5T43",
        "a colon at the edge of a plain text in brackets": "58MP FRK4 4ABK DBG4 HM87-00",
        "a key or an entry that is empty": "2JQS M2N8-00 NHX8 NKF9 S3PD SM9W-01 UKK6-00 CFD4",
        "brackets over lines without an indentation": "NJ66 UT92 VJP3-01",
        "a question mark without a space behind it, which libyaml would drop": "652Z HM87-01",
        "a directive of another name or version": "2LFX 6LVF BEC7 MUS6-05 MUS6-06 W4TN ZYU8-00 ZYU8-01"
        " ZYU8-02 ZYU8-03",
        "the end of a document that did not begin": "QT73 HWV9",
        "a name of an anchor with other characters than letters": "8XYN W5VH",
        "text on the line that begins a document, or that ends it": "7Z25 DK3J FP8R M7A3",
    },
}

# cases that are not legal YAML 1.2, but that libyaml reads as they were meant
LENIENT: dict[str, str] = {
    "brackets or quotes over lines without an indentation": "9C9N QB6E",
    "a comment without a space before it": "9JBA CVW2 SU5Z X4QW MUS6-00",
    "a tab in an indentation": "DK95-01 Y79Y-03",
    "a dash as a text in brackets": "G5U8 YJV2",
    "blank lines that are indented deeper than a text": "S98Z",
}

# cases on whose syntax libyaml and PyYAML's own parser disagree (they always agree on values)
ONLY_LIBYAML = (
    "6HB6 DC7X DK95-05 DK95-07 HS5T J3BT JR7V K54U MUS6-00 MUS6-03 NB6Z UV7Q X4QW Y79Y-02"
)
ONLY_LIBYAML += " Y79Y-03"  # mostly tabs
ONLY_PURE = "2LFX 4ABK 6LVF 96NN-00 96NN-01 BEC7 MUS6-05 MUS6-06 R4YG Y79Y-01 ZYU8-03"

CODES = {
    id: code for code, reasons in REFUSED.items() for ids in reasons.values() for id in ids.split()
}
READ_ALL_THE_SAME = {id for ids in LENIENT.values() for id in ids.split()}

with_libyaml = pytest.mark.skipif(not yaml.__with_libyaml__, reason="libyaml is absent")


def read(parser: Any, text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[Diagnostic]]:
    """Return the value of a text and its faults."""
    monkeypatch.setattr(yaml_events, "PARSER", parser)
    found: list[Diagnostic] = []
    tree = compose(SourceFile("case.yaml", text), lambda fault, *_: found.append(fault))
    assert tree is not None or found
    return (None if tree is None or found else value_of(tree)), found


def check_places(text: str, found: list[Diagnostic]) -> None:
    """Check that every fault is inside the text, or right behind it."""
    lines = SourceFile("", text).lines
    for fault in found:
        _, line, column, end_line, end_column = fault.span
        assert (1, 1) <= (line, column) <= (end_line, end_column) <= (len(lines), 1 + 10**6)
        assert column <= len(lines[line - 1]) + 1


@with_libyaml
@each("id", [*CASES])
def test_libyaml(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[id]
    value, found = read(getattr(yaml, "CBaseLoader", None), case["yaml"], monkeypatch)
    check_places(case["yaml"], found)
    codes = " ".join(sorted({fault.code for fault in found}))
    if "error" in case:
        assert bool(codes) != (id in READ_ALL_THE_SAME)
    else:
        assert codes == CODES.get(id, "")
    if not found and "json" in case:
        [expected] = case["json"]
        assert value == expected or (expected is None and value == {})  # an empty spec is a mapping


@with_libyaml
@each("id", [*CASES])
def test_both_parsers_agree(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = CASES[id]["yaml"]
    by_libyaml, refused = read(getattr(yaml, "CBaseLoader", None), text, monkeypatch)
    by_pure, refused_by_pure = read(yaml.BaseLoader, text, monkeypatch)
    check_places(text, refused_by_pure)
    assert (not refused and bool(refused_by_pure)) == (id in ONLY_LIBYAML.split())
    assert (bool(refused) and not refused_by_pure) == (id in ONLY_PURE.split())
    if not refused and not refused_by_pure:
        assert by_libyaml == by_pure


def test_the_tables_name_known_cases() -> None:
    named = {*CODES, *READ_ALL_THE_SAME, *ONLY_LIBYAML.split(), *ONLY_PURE.split()}
    assert named <= CASES.keys()
    assert len(CASES) == 406
