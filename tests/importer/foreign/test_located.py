"""YAML and JSON of other tools are read as data with a span for each part, and as nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mimgraph as mg
from mimgraph.importer.foreign.located import Located, read_text
from mimgraph.source import SourceFile


def read(text: str) -> Located:
    return read_text(SourceFile("model.yaml", text))


def test_values_and_spans() -> None:
    found = read("nc: 80\nrows:\n  - [-1, 1, Conv, [64, None, 0.5]]\n")
    assert found.plain() == {"nc": 80, "rows": [[-1, 1, "Conv", [64, "None", 0.5]]]}
    rows = found.get("rows")
    assert rows is not None
    assert rows.items[0].items[2].span[1:] == (3, 13, 3, 17)


SCALARS: dict[str, object] = {
    "a: 2001-01-01": {"a": "2001-01-01"},
    "a: yes": {"a": True},
    "0: person": {"0": "person"},
    "": None,
    '{"a": [1, 2.5, true, null, "\\u00e9"]}': {"a": [1, 2.5, True, None, "é"]},
}


def test_scalars() -> None:
    assert {text: read(text).plain() for text in SCALARS} == SCALARS


FAULTS = {
    "a: &x 1": ("yaml-subset", 1, 4),
    "a: *x": ("yaml-subset", 1, 4),
    "a: [1": ("yaml-syntax", 2, 1),
    "a: !!python/object/apply:os.system [x]": ("yaml-subset", 1, 4),
    "{a: 1, a: 2}": ("duplicate-key", 1, 8),
    "? [1]\n: 2": ("yaml-subset", 1, 3),
    "--- 1\n--- 2": ("yaml-subset", 2, 5),
    "a: \x00": ("yaml-syntax", 1, 1),
    "[" * 100: ("too-large", 1, 65),
    "a: " + "9" * 5_000: ("too-large", 1, 4),
    "a: 1\n" * 2: ("duplicate-key", 2, 1),
    "x" * (1 << 23): ("too-large", 1, 1),
}


def test_faults() -> None:
    found = {}
    for text in FAULTS:
        with pytest.raises(mg.SpecError) as caught:
            read(text)
        (fault,) = caught.value.diagnostics
        found[text] = fault.code, fault.span.line, fault.span.column
    wrong = {text[:20]: place for text, place in found.items() if place != FAULTS[text]}
    assert not wrong, wrong


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 60), 1 << 60)
    | st.text(st.characters(codec="ascii")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc", min_size=1), inner),
    max_leaves=20,
)


@settings(max_examples=30)
@given(PLAIN)
def test_json_is_read_as_python_reads_it(data: object) -> None:
    assert read(json.dumps(data)).plain() == data
