"""Hints stand behind the text that they are about: `‹shape›` and `[option]` in these specs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mimgraph.editor.analysis import analyse
from mimgraph.editor.features.hints import hints, tooltip
from mimgraph.editor.features.uses import uses_of
from mimgraph.language.parts.part_files import first_place
from mimgraph.source import SourceFile
from tests.conftest import SPECS
from tests.helpers.cases import each
from tests.helpers.editor import hinted, hints_of, without_hints

CASES = {
    "a node on one line": """
inputs: {x: [3, 32, 32]‹(N, 3, 32, 32)›}
nodes:
  conv: {layer: Conv2d, from: x, out_channels: 8, kernel_size: 3}‹(N, 8, 30, 30)›[in_channels 3]
  flat: {layer: Flatten, from: conv}‹(N, 7200)›
  fc: {layer: Linear, from: flat, out_features: 10}‹(N, 10)›[in_features 7200]
outputs: fc
""",
    "a node on several lines": """
inputs:
  x:‹(N, 8)›
    shape: [8]
nodes:
  fc:‹(N, 4)›
    layer: Linear[in_features 8]
    from: x
    out_features: 4
outputs: fc
""",
    "symbolic sizes and dtypes": """
inputs: {text: {shape: [T], vocab: 100}‹(N, T) int64›, x: [2*T]‹(N, 2*T)›}
nodes:
  words: {layer: Embedding, from: text, embedding_dim: 8}‹(N, T, 8)›[num_embeddings 100]
  end: {layer: ArgMax, from: x, dim: 1}‹(N,) int64›
outputs: [words, end]
""",
    "an option that is given is no hint": """
inputs: {x: [8]‹(N, 8)›}
nodes:
  fc: {layer: Linear, from: x, in_features: 8, out_features: 4}‹(N, 4)›
outputs: fc
""",
    "items on lines of their own": """
inputs: {x: [3, 9, 9]‹(N, 3, 9, 9)›}
nodes:
  vec:‹(N, 72)›
    from: x
    seq:
      - Conv2d: {out_channels: 8, kernel_size: 3, stride: 3}‹(N, 8, 3, 3)›[in_channels 3]
      - ReLU‹(N, 8, 3, 3)›
      - Flatten‹(N, 72)›
outputs: vec
""",
    "of items on one line those that change the shape, but not the last": """
inputs: {x: [4]‹(N, 4)›}
nodes:
  vec: {from: x, seq: [ReLU, {Linear: 8}‹(N, 8)›, ReLU, {Linear: 2}]}‹(N, 2)›
outputs: vec
""",
    "ports of a result without a default": """
inputs: {x: [8]‹(N, 8)›}
nodes:
  equal: {layer: Chunk, from: x, chunks: 2, dim: 1}‹2 × (N, 4)›
  parts: {layer: Split, from: x, split_size_or_sections: [3, 5], dim: 1}‹0 (N, 3), 1 (N, 5)›
outputs: [{a: equal.0}, {b: parts.1}]
""",
    "an each": """
inputs: {a: {vocab: 3}‹(N,) int64›, b: {vocab: 4}‹(N,) int64›}
nodes:
  emb: {layer: Embedding, each: [a, b], embedding_dim: 8}‹2 × (N, 8)›[num_embeddings 3]
  row: {merge: concat, from: emb.*}‹(N, 16)›
outputs: row
""",
    "a block has the types of its first use, and a mark if another differs": """
inputs: {x: [8]‹(N, 8)›}
blocks:
  one: {inputs: {x: [C]‹(N, 8)›}, nodes: {y: {layer: ReLU, from: x}‹(N, 8)›}, outputs: y}
  two: {inputs: [x‹(N, 8) …›], nodes: {y: {layer: ReLU, from: x}‹(N, 8) …›}, outputs: y}
  chain: {seq: [ReLU, {Linear: 3}]}
nodes:
  a: {block: one, from: x}‹(N, 8)›
  b: {block: two, from: a}‹(N, 8)›
  c: {block: chain, from: b}‹(N, 3)›
  d: {block: two, from: c}‹(N, 3)›
outputs: d
""",
    "a repeated block": """
inputs: {x: [8]‹(N, 8)›}
blocks:
  layer: {inputs: {x: [D]‹(N, 8)›}, nodes: {y: {layer: Linear, from: x, out_features: $D}‹(N, 8)›[in_features 8]}, outputs: y}
nodes:
  deep: {block: layer, from: x, repeat: 3}‹(N, 8)›
outputs: deep
""",
    "a block that nothing uses has none": """
inputs: {x: [8]‹(N, 8)›}
blocks: {spare: {inputs: [x], nodes: {y: {layer: ReLU, from: x}}, outputs: y}}
nodes: {y: {layer: ReLU, from: x}‹(N, 8)›}
outputs: y
""",
    "the known part of a wrong spec": """
inputs: {x: [8]‹(N, 8)›}
blocks:
  b: {inputs: {x: [C]‹(N, 4)›}, nodes: {a: {layer: ReLU, from: x}‹(N, 4)›, c: {layer: Conv2d, from: a}}, outputs: c}
nodes:
  a: {layer: Linear, from: x, out_features: 4}‹(N, 4)›[in_features 8]
  bad: {layer: Lin, from: a}
  after: {layer: ReLU, from: bad}
  chain: {from: a, seq: [{Linear: 5}‹(N, 5)›, {Conv2d: 3}, ReLU]}
  use: {block: b, from: a}
outputs: [after, chain, use]
""",
    "characters beyond the first plane": """
inputs: {x: {doc: "🙂🙂", shape: [8]}‹(N, 8)›}
nodes: {y: {layer: ReLU, from: x}‹(N, 8)›}
outputs: y
""",
    "a node around which a comment stands": """
inputs: {x: [8]‹(N, 8)›}  # numbers
nodes:
  y: {layer: ReLU, from: x}‹(N, 8)›  # positive
outputs: y
""",
}


@each("text", CASES)
def test_hints(text: str) -> None:
    assert hinted(without_hints(text)) == text


def test_a_tooltip_lists_the_uses_that_disagree() -> None:
    text = without_hints(
        CASES["a block has the types of its first use, and a mark if another differs"]
    )
    listed = [tooltip(hint) for hint in hints_of(text) if hint.uses]
    assert listed == ["- `b`: `(N, 8)`\n- `d`: `(N, 3)`", "- `b.y`: `(N, 8)`\n- `d.y`: `(N, 3)`"]


def test_every_node_of_the_gallery_has_a_shape(spec: Path) -> None:
    """All but the items of a chain on one line, and the nodes of blocks that nothing uses."""
    analysis = analyse(SourceFile(str(spec), spec.read_text()), first_place(str(spec)))
    uses = uses_of(analysis)
    assert uses is not None and analysis.declared is not None
    lines = {hint.line for hint in hints(analysis, uses) if hint.kind == "shape"}
    assert lines >= {
        node.span.line
        for node in analysis.declared.nodes
        if node.whole and "\n" not in node.whole.excerpt().text
    }


def test_hints_behind_which_the_text_goes_on_say_so() -> None:
    found = hints_of(
        "inputs: {x: [8], y: [8]}\nnodes: {a: {merge: add, from: [x, y]}}\noutputs: a\n"
    )
    assert [hint.behind for hint in found] == [True, True, True]
    assert not any(hint.behind for hint in hints_of("inputs:\n  x: [8]\nnodes:\noutputs: x\n"))


@pytest.mark.parametrize("path", SPECS[::6], ids=lambda path: path.stem)
def test_the_hints_of_some_lines_are_those_of_all(path: Path) -> None:
    analysis = analyse(SourceFile(str(path), path.read_text()), first_place(str(path)))
    uses = uses_of(analysis)
    every = hints(analysis, uses)
    for line in range(1, len(analysis.file.lines) + 1):
        found = [hint for hint in hints(analysis, uses, range(line, line + 1)) if hint.line == line]
        assert found == [hint for hint in every if hint.line == line]
