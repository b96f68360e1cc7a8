"""The table: every node with its layer, shape, weights and sources; its numbers are torch's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import mimgraph
from mimgraph.render.summary import WIDTH

MODEL = """
name: TwoTowers
inputs: {image: [3, 32, 32], words: {shape: [T], vocab: 1000}, extra: [5]}
blocks:
  residual:
    inputs: {x: [C, H, W]}
    nodes:
      conv: {layer: Conv2d, from: x, out_channels: $C, kernel_size: 3, padding: 1, bias: false}
      norm: {layer: BatchNorm2d, from: conv, activation: ReLU}
      sum: {merge: add, from: [norm, x]}
    outputs: sum
nodes:
  stem: {from: image, seq: [{Conv2d: {out_channels: 8, kernel_size: 3}}, ReLU]}
  stage: {block: residual, from: stem, repeat: 3}
  pooled: {from: stage, seq: [{AdaptiveAvgPool2d: 1}, Flatten]}
  emb: {layer: Embedding, from: words, embedding_dim: 16}
  lstm: {layer: LSTM, from: emb, hidden_size: 8}
  fc: {layer: Linear, from: extra, out_features: 8}
  local: {from: emb, seq: [{Permute: [0, 2, 1]}, {Conv1d: {out_channels: 8, kernel_size: 3}}]}
  fused: {merge: concat, from: [pooled, lstm.last, fc]}
  score: {layer: Linear, from: fused, out_features: 1}
outputs: {score: score, local: local}
"""
SHARING = """
inputs: {a: [8], b: [8]}
blocks:
  wide: {params: {width: null}, seq: [{Linear: $width}, BatchNorm1d]}
  same: {inputs: {x: [C]}, nodes: {fc: {layer: Linear, from: x, out_features: $C}}, outputs: fc}
  deep: {params: {width: null}, seq: [{wide: $width}, {same: {repeat: 2}}, Tanh]}
nodes:
  tower: {from: a, seq: [{wide: {repeat: {with: {width: [8, 8, 8, 4]}}}}, {deep: 6}]}
  other: {share: tower, from: b}
  loop: {block: same, from: other, repeat: {times: 4, shared: true}}
  none: {block: same, from: loop, repeat: 0}
  score: {merge: dot, from: [tower, none]}
outputs: score
"""


def test_the_table_of_a_graph() -> None:
    table = dedent("""
        TwoTowers

        Name    Layer               Output shape    Dtype    Params  From
        ------  ------------------  --------------  -------  ------  ---------------------
        image   Input               (N, 3, 32, 32)  float32       0
        words   Input               (N, T)          int64         0
        extra   Input               (N, 5)          float32       0
        stem    seq                 (N, 8, 30, 30)  float32     224  image
          0     Conv2d              (N, 8, 30, 30)  float32     224
          1     ReLU                (N, 8, 30, 30)  float32       0
        stage   residual × 3        (N, 8, 30, 30)  float32   1,776  stem
          conv  Conv2d              (N, 8, 30, 30)  float32     576  x
          norm  BatchNorm2d + ReLU  (N, 8, 30, 30)  float32      16  conv
          sum   add                 (N, 8, 30, 30)  float32       0  norm, x
        pooled  seq                 (N, 8)          float32       0  stage
          0     AdaptiveAvgPool2d   (N, 8, 1, 1)    float32       0
          1     Flatten             (N, 8)          float32       0
        emb     Embedding           (N, T, 16)      float32  16,000  words
        lstm    LSTM                (N, T, 8)       float32     832  emb
        fc      Linear              (N, 8)          float32      48  extra
        local   seq                 (N, 8, T - 2)   float32     392  emb
          0     Permute             (N, 16, T)      float32       0
          1     Conv1d              (N, 8, T - 2)   float32     392
        fused   concat              (N, 24)         float32       0  pooled, lstm.last, fc
        score   Linear              (N, 1)          float32      25  fused

        Parameters: 19,297, buffers: 51
        Inputs: image (N, 3, 32, 32) float32, words (N, T) int64, extra (N, 5) float32
        Outputs: score (N, 1), local (N, 8, T - 2)
        At run time: T >= 3
    """)
    assert str(mimgraph.loads(MODEL).summary()) == table.strip()


def table(text: str) -> list[str]:
    """The lines of the table, footer left out."""
    return str(mimgraph.loads(text).summary()).split("\n\n")[1].splitlines()


def test_unlike_repeats_are_told_apart_and_shared_weights_counted_once() -> None:
    assert (
        table(SHARING)
        == dedent("""
        Name        Layer              Output shape  Params  From
        ----------  -----------------  ------------  ------  -----------
        a           Input              (N, 8)             0
        b           Input              (N, 8)             0
        tower       seq                (N, 6)           434  a
          0         wide × 4           (N, 4)           308
            0 to 2  wide width=8 × 3   (N, 8)            88
              0     Linear             (N, 8)            72
              1     BatchNorm1d        (N, 8)            16
            3       wide width=4       (N, 4)            44
              0     Linear             (N, 4)            36
              1     BatchNorm1d        (N, 4)             8
          1         deep               (N, 6)           126
            0       wide               (N, 6)            42
              0     Linear             (N, 6)            30
              1     BatchNorm1d        (N, 6)            12
            1       same × 2           (N, 6)            84
              fc    Linear             (N, 6)            42  x
            2       Tanh               (N, 6)             0
        other       seq, shares tower  (N, 6)             0  b
        loop        same × 4 shared    (N, 6)            42  other
          fc        Linear             (N, 6)            42  x
        none        same × 0           (N, 6)             0  loop
        score       dot                (N,)               0  tower, none
    """)
        .strip()
        .splitlines()
    )


def test_several_results_without_a_default_are_all_told() -> None:
    text = """
        inputs: {x: [4]}
        blocks: {two: {inputs: [x], nodes: {a: {layer: Linear, from: x, out_features: 2},
                 b: {layer: Linear, from: x, out_features: 3}}, outputs: {a: a, b: b}}}
        nodes: {y: {block: two, from: x}, z: {merge: concat, from: [y.a, y.b]}}
        outputs: z
    """
    row = mimgraph.loads(text).summary().data()[1]
    assert (row["shape"], row["dtype"], row["params"]) == ("a (N, 2), b (N, 3)", "float32", 25)


def test_many_sources_are_cut_at_the_width() -> None:
    nodes = [f"  branch_{i}: {{layer: Linear, from: x, out_features: 2}}" for i in range(20)]
    sources = ", ".join(f"branch_{i}" for i in range(20))
    nodes.append(f"  all: {{merge: concat, from: [{sources}]}}")
    lines = table("\n".join(["inputs: {x: [4]}", "nodes:", *nodes, "outputs: all"]))
    assert len(lines[-1]) == WIDTH
    assert lines[-1].endswith("...")


def test_data_has_the_rows_of_inputs_and_nodes_and_what_is_inside() -> None:
    data = mimgraph.loads(MODEL).summary().data()
    assert json.loads(json.dumps(data)) == data
    assert data[1] == {
        "name": "words",
        "layer": "Input",
        "shape": "(N, T)",
        "dtype": "int64",
        "params": 0,
    }
    stage = next(row for row in data if row["name"] == "stage")
    assert [child["name"] for child in stage["children"]] == ["stage.0", "stage.1", "stage.2"]
    assert stage["children"][2]["children"][0] == {
        "name": "stage.2.conv",
        "layer": "Conv2d",
        "shape": "(N, 8, 30, 30)",
        "dtype": "float32",
        "params": 576,
    }


def leaves(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows that hold no others."""
    for row in rows:
        if row.get("children"):
            yield from leaves(row["children"])
        else:
            yield row


@pytest.mark.parametrize("text", [MODEL, SHARING], ids=["model", "sharing"])
def test_names_and_numbers_are_those_of_the_module(text: str) -> None:
    check_against_torch(mimgraph.loads(text))


def test_names_and_numbers_of_the_gallery(spec: Path) -> None:
    check_against_torch(mimgraph.load(spec))


def check_against_torch(graph: mimgraph.Graph) -> None:
    model, summary = graph.compile(), graph.summary()
    assert summary.params == sum(p.numel() for p in model.parameters())
    assert summary.buffers == sum(b.numel() for b in model.buffers())
    rows = {row["name"]: row["params"] for row in leaves(summary.data())}
    counted = dict.fromkeys(rows, 0)
    for key, parameter in model.named_parameters():
        name = key
        while name not in rows:  # some modules hold modules of their own
            name = name.rpartition(".")[0]
        counted[name] += parameter.numel()
    assert counted == rows
