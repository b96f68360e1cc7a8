"""Specs in JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.cases import each
from tests.language.yaml_tree.reading import covered, parts, tree_of, value_of

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


@pytest.mark.parametrize("parser", [None], ids=["no parser of YAML"], indirect=True)
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


@each(
    "text, value",
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
