"""The public YAML test suite: the subset is read with the suite's values, the rest refused with a place.

`yaml_test_suite.json` holds its cases, `yaml_test_suite.md` what we read in another way: `json` are the values of their documents, `error` says that the
text is no YAML 1.2. Its source and licence stand in it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mimgraph.diagnostics import Diagnostic
from mimgraph.language import yaml_reader
from mimgraph.language.yaml_reader import compose
from mimgraph.source import SourceFile
from tests.helpers.cases import each, texts
from tests.language.yaml_tree.reading import value_of

CASES = {
    case["id"]: case
    for case in json.loads(Path(__file__).with_name("yaml_test_suite.json").read_text())["cases"]
}

# what is not read as the suite says, by the reason
DIFFERENT = {
    reason: ids.split()
    for reason, (ids,) in texts(Path(__file__).with_name("yaml_test_suite.md")).items()
}
ONLY_LIBYAML = DIFFERENT.pop("only libyaml reads it")
ONLY_PURE = DIFFERENT.pop("only PyYAML's own parser reads it")
CODES = {id: reason.partition(":")[0] for reason, ids in DIFFERENT.items() for id in ids}
READ_ALL_THE_SAME = {id for id, code in CODES.items() if code == "read all the same"}


def read(parser: Any, text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[Diagnostic]]:
    """Return the value of a text and its faults."""
    monkeypatch.setattr(yaml_reader, "PARSER", parser)
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


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="libyaml is absent")
@each("id, case", CASES.items())
def test_a_case(id: str, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    text = case["yaml"]
    value, found = read(getattr(yaml, "CBaseLoader", None), text, monkeypatch)
    check_places(text, found)
    codes = " ".join(sorted({fault.code for fault in found}))
    if "error" in case:
        assert bool(codes) != (id in READ_ALL_THE_SAME)
    else:
        assert codes == CODES.get(id, "")
    if not found and "json" in case:
        [expected] = case["json"]
        assert value == expected or (expected is None and value == {})  # an empty spec is a mapping
    by_pure, refused_by_pure = read(yaml.BaseLoader, text, monkeypatch)
    check_places(text, refused_by_pure)
    assert (not found and bool(refused_by_pure)) == (id in ONLY_LIBYAML)
    assert (bool(found) and not refused_by_pure) == (id in ONLY_PURE)
    assert found or refused_by_pure or value == by_pure


def test_the_tables_name_known_cases() -> None:
    named = {*CODES, *ONLY_LIBYAML, *ONLY_PURE}
    assert named <= CASES.keys()
    assert len(CASES) == 406
