"""Each word of a spec has the type of its meaning."""

from __future__ import annotations

import itertools
from pathlib import Path

from mimgraph.editor.analysis import analyse
from mimgraph.editor.features.tokens import TYPES, tokens
from mimgraph.editor.server.handlers.outline import TOKEN_TYPES
from mimgraph.source import SourceFile
from tests.helpers.editor import analysed

SPEC = """\
params: {hidden: 64}
inputs: {x: [T, 8]}
blocks: {tower: {params: {width: 4}, seq: [{Linear: $width}, ReLU]}}
nodes:
  a: {layer: LSTM, from: x, hidden_size: $hidden, take: last}
  b: {from: a, seq: [{Linear: {out_features: $(2 * hidden)}}, tower]}
  c: {merge: add, from: [b, b], activation: {GELU: {approximate: tanh}}}
  d: {layer: Chunk, from: c, chunks: 2}
outputs: d.0
"""


EXPECTED = {
    "parameter": ["hidden", "width"],
    "variable": ["x", "a", "b", "c", "d"],
    "typeParameter": ["T"],
    "type": ["tower"],
    "class": ["Linear", "ReLU", "LSTM", "GELU", "Chunk"],
    "function": ["add"],
    "property": ["hidden_size", "out_features", "approximate", "chunks"],
}


def test_tokens() -> None:
    lines = SPEC.splitlines()
    found = {
        lines[one.line - 1][one.column - 1 : one.column - 1 + one.length].lstrip("$"): one.type
        for one in tokens(analysed(SPEC))
    }
    expected = {word: type_ for type_, words in EXPECTED.items() for word in words}
    assert {word: found.get(word) for word in expected} == expected


def test_the_server_announces_the_types() -> None:
    assert TOKEN_TYPES == TYPES


def test_tokens_do_not_overlap(spec: Path) -> None:
    found = tokens(analyse(SourceFile(spec.name, spec.read_text())))
    assert found
    for one, other in itertools.pairwise(found):
        assert (one.line, one.column + one.length) <= (other.line, other.column)
