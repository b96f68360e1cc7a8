"""The outline has all that a spec declares, also while it is half written; what has several lines folds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mimgraph.editor.features.outline import Fold, Symbol, folds, symbols
from mimgraph.editor.features.uses import uses_of
from tests.helpers.cases import each
from tests.helpers.editor import analysed

SPEC = """\
# Two comments
# in a row.
name: Small
params: {hidden: 64}
inputs:
  x: [8]
blocks:
  tower:
    params: {width: 4}
    seq: [{Linear: $width}, ReLU]
nodes:
  vec:
    from: x
    seq:
      - Linear: {out_features: $hidden}
      - ReLU
  high: {block: tower, from: vec}
outputs: {y: high}
"""
OUTLINE = """\
section params
  param hidden 64
section inputs
  input x (N, 8)
section blocks
  block tower
    section params
      param width 4
    section seq
      item Linear (N, 4)
      item ReLU (N, 4)
section nodes
  node vec (N, 64)
    item Linear (N, 64)
    item ReLU (N, 64)
  node high tower (N, 4)
section outputs
  output y
"""


def lines(found: Iterable[Symbol], indent: str = "") -> Iterator[str]:
    for one in found:
        yield f"{indent}{one.kind} {one.name} {one.detail}".rstrip()
        yield from lines(one.inside, f"{indent}  ")


def shown(text: str) -> str:
    analysis = analysed(text)
    return "".join(f"{line}\n" for line in lines(symbols(analysis, uses_of(analysis))))


def test_symbols() -> None:
    assert shown(SPEC) == OUTLINE


@each(
    "text, expected",
    [
        ("", ""),
        ("- 1\n", ""),
        ("nodes:\n  a:\n  b: {layer: Linear, fro", "section nodes\n  node a\n  node b Linear\n"),
        ("outputs: [a, {b: c}]\n", "section outputs\n  output a\n  output b\n"),
    ],
)
def test_symbols_of_half_written_specs(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_each_span_is_inside_the_whole() -> None:
    analysis = analysed(SPEC)
    waiting = [*symbols(analysis, None)]
    while waiting:
        one = waiting.pop()
        assert one.whole[1:3] <= one.span[1:3] and one.span[3:5] <= one.whole[3:5], one
        waiting += one.inside


def test_folds() -> None:
    assert folds(analysed(SPEC)) == [
        Fold(1, 2, is_comment=True),
        Fold(5, 6),
        Fold(7, 10),
        Fold(8, 10),
        Fold(11, 17),
        Fold(12, 16),
        Fold(14, 16),
    ]
