"""The table of a graph: layer, shape, cost and sources of every node; numbers as torch counts them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import mimgraph
from tests.gallery import on_meta

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

        Name     Layer               Output shape    Weights         MACs  From
        ───────  ──────────────────  ──────────────  ───────  ───────────  ─────────────────────
        image    Input               (N, 3, 32, 32)        -            -
        words    Input               (N, T) int64          -            -
        extra    Input               (N, 5)                -            -
        stem     seq                 (N, 8, 30, 30)      224        194 k  image
        ├─ 0     Conv2d              (N, 8, 30, 30)      224        194 k
        └─ 1     ReLU                (N, 8, 30, 30)        -            -
        stage    residual × 3        (N, 8, 30, 30)    1,776       1.56 M  stem
        ├─ conv  Conv2d              (N, 8, 30, 30)      576        518 k  x
        ├─ norm  BatchNorm2d + ReLU  (N, 8, 30, 30)       16            -  conv
        └─ sum   add                 (N, 8, 30, 30)        -            -  norm, x
        pooled   seq                 (N, 8)                -            -  stage
        ├─ 0     AdaptiveAvgPool2d   (N, 8, 1, 1)          -            -
        └─ 1     Flatten             (N, 8)                -            -
        emb      Embedding           (N, T, 16)         16 k            -  words
        lstm     LSTM                (N, T, 8)           832        768·T  emb
        fc       Linear              (N, 8)               48           40  extra
        local    seq                 (N, 8, T - 2)       392  384·T - 768  emb
        ├─ 0     Permute             (N, 16, T)            -            -
        └─ 1     Conv1d              (N, 8, T - 2)       392  384·T - 768
        fused    concat              (N, 24)               -            -  pooled, lstm.last, fc
        score    Linear              (N, 1)               25           24  fused

        Outputs: score (N, 1), local (N, 8, T - 2)
        × n: the row counts all n repeats; rows inside it count one, or the repeats that they number
        At run time: T >= 3
        Total: 19.3 k parameters (77.2 kB), 1,152·T + 1.75 M MACs, 128 B·T + 403 kB of activations per
          sample
    """)
    assert str(mimgraph.loads(MODEL).summary()) == table.strip()


def table(text: str) -> list[str]:
    """Return the lines of the table, without the facts below it."""
    return str(mimgraph.loads(text).summary()).split("\n\n")[1].splitlines()


def test_different_repeats_have_rows_of_their_own_and_shared_weights_count_once() -> None:
    assert (
        table(SHARING)
        == dedent("""
        Name          Layer              Output shape  Weights  MACs  From
        ────────────  ─────────────────  ────────────  ───────  ────  ───────────
        a             Input              (N, 8)              -     -
        b             Input              (N, 8)              -     -
        tower         seq                (N, 6)            434   320  a
        ├─ 0          wide × 4           (N, 4)            308   224
        │  ├─ 0 to 2  wide width=8 × 3   (N, 8)            264   192
        │  │  ├─ 0    Linear             (N, 8)             72    64
        │  │  └─ 1    BatchNorm1d        (N, 8)             16     -
        │  └─ 3       wide width=4       (N, 4)             44    32
        │     ├─ 0    Linear             (N, 4)             36    32
        │     └─ 1    BatchNorm1d        (N, 4)              8     -
        └─ 1          deep               (N, 6)            126    96
           ├─ 0       wide               (N, 6)             42    24
           │  ├─ 0    Linear             (N, 6)             30    24
           │  └─ 1    BatchNorm1d        (N, 6)             12     -
           ├─ 1       same × 2           (N, 6)             84    72
           │  └─ fc   Linear             (N, 6)             42    36  x
           └─ 2       Tanh               (N, 6)              -     -
        other         seq, shares tower  (N, 6)              -   320  b
        loop          same × 4 shared    (N, 6)             42   144  other
        └─ fc         Linear             (N, 6)             42    36  x
        none          same × 0           (N, 6)              -     -  loop
        score         dot                (N,)                -     -  tower, none
    """)
        .strip()
        .splitlines()
    )


TIMES = """
inputs: {x: [8]}
blocks: {b: {params: {width: 8}, seq: [{Linear: $width}]}}
nodes: {y: {block: b, from: x, repeat: %s}}
outputs: y
"""
UNLIKE, ALIKE, SHARED = "{with: {width: [8, 8, 16]}}", "3", "{times: 3, shared: true}"


def test_a_row_for_several_repeats_counts_all_of_them() -> None:
    assert [line.split(")")[-1].split() for line in table(TIMES % UNLIKE)[3:]] == [
        ["288", "256", "x"],
        ["144", "128"],
        ["72", "64"],
        ["144", "128"],
        ["144", "128"],
    ]


@pytest.mark.parametrize(
    ("repeat", "depth", "said"),
    [(UNLIKE, None, True), (UNLIKE, 1, False), (ALIKE, None, True), (ALIKE, 0, False)],
)
def test_the_facts_explain_times_n_if_rows_inside_count_less(
    repeat: str, depth: int | None, said: bool
) -> None:
    shown = mimgraph.loads(TIMES % repeat).summary(depth=depth)
    for text in (shown.text(), shown.markdown(), shown._repr_html_()):
        assert ("the row counts all n repeats" in text) == said


def test_data_has_each_repeat_or_the_number_that_share_weights() -> None:
    row = mimgraph.loads(TIMES % UNLIKE).summary().data()[1]
    assert [child["params"] for child in row["children"]] == [72, 72, 144]
    assert row["params"] == sum(child["params"] for child in row["children"])
    row = mimgraph.loads(TIMES % SHARED).summary().data()[1]
    assert (row["loops"], row["macs"], row["children"][0]["macs"]) == (3, 192, 64)


def test_all_results_of_a_node_without_a_default_are_shown() -> None:
    text = """
        inputs: {x: [4]}
        blocks: {two: {inputs: [x], nodes: {a: {layer: Linear, from: x, out_features: 2},
                 b: {layer: Linear, from: x, out_features: 3}}, outputs: {a: a, b: b}}}
        nodes: {y: {block: two, from: x}, z: {merge: concat, from: [y.a, y.b]}}
        outputs: z
    """
    row = mimgraph.loads(text).summary().data()[1]
    assert (row["shape"], row["dtype"], row["params"]) == ("a (N, 2), b (N, 3)", "float32", 25)


def test_sizes_replace_names_and_depth_closes_rows() -> None:
    table = dedent("""
        TwoTowers

        Name    Layer         Output shape    Weights    MACs  From
        ──────  ────────────  ──────────────  ───────  ──────  ─────────────────────
        image   Input         (8, 3, 32, 32)        -       -
        words   Input         (8, 50) int64         -       -
        extra   Input         (8, 5)                -       -
        stem    seq           (8, 8, 30, 30)      224  1.56 M  image
        stage   residual × 3  (8, 8, 30, 30)    1,776  12.4 M  stem
        pooled  seq           (8, 8)                -       -  stage
        emb     Embedding     (8, 50, 16)        16 k       -  words
        lstm    LSTM          (8, 50, 8)          832   307 k  emb
        fc      Linear        (8, 8)               48     320  extra
        local   seq           (8, 8, 48)          392   147 k  emb
        fused   concat        (8, 24)               -       -  pooled, lstm.last, fc
        score   Linear        (8, 1)               25     192  fused

        Outputs: score (8, 1), local (8, 8, 48)
        Total: 19.3 k parameters (77.2 kB), 14.5 M MACs, 3.28 MB of activations at batch 8
    """)
    assert str(mimgraph.loads(MODEL).summary(8, {"T": 50}, depth=0)) == table.strip()


@pytest.mark.parametrize("depth", [-1, "x", 1.5, True])
def test_a_wrong_depth_is_refused(depth: Any) -> None:
    with pytest.raises(ValueError, match="depth is an integer of at least 0, or 'all', not"):
        mimgraph.loads(MODEL).summary(depth=depth)


FROZEN = """
inputs: {x: [T, 4], hint: {shape: [4], optional: true}}
nodes:
  still: {layer: Linear, from: x, out_features: 4, freeze: true}
  mean: {layer: Mean, from: still, dim: 1}
  filled: {layer: Fill, from: hint, value: zeros}
  sum: {merge: add, from: [mean, filled]}
  aux: {layer: Linear, from: mean, out_features: 2}
outputs: {sum: sum, aux: {from: aux, only: training}}
"""


def test_the_facts_say_what_is_frozen_and_what_training_adds() -> None:
    facts = str(mimgraph.loads(FROZEN).summary()).split("\n\n")[2]
    assert (
        facts
        == dedent("""
        Outputs: sum (N, 4), aux (N, 2) (in training)
        In training also: 8 MACs, 8 B of activations
        Total: 30 parameters (20 frozen, 120 B), 16·T MACs, 16 B·T + 32 B of activations per sample
    """).strip()
    )


def test_data_has_inputs_nodes_and_their_children() -> None:
    data = mimgraph.loads(MODEL).summary().data()
    assert json.loads(json.dumps(data)) == data
    assert data[1] == {
        "name": "words",
        "layer": "Input",
        "shape": "(N, T)",
        "dtype": "int64",
        "from": [],
        "params": 0,
        "macs": 0,
        "activations": 0,
    }
    stage = next(row for row in data if row["name"] == "stage")
    assert [child["name"] for child in stage["children"]] == ["stage.0", "stage.1", "stage.2"]
    assert stage["children"][2]["children"][0] == {
        "name": "stage.2.conv",
        "layer": "Conv2d",
        "shape": "(N, 8, 30, 30)",
        "dtype": "float32",
        "from": ["x"],
        "params": 576,
        "macs": 518400,
        "activations": 28800,
    }
    norm = stage["children"][2]["children"][1]
    assert norm["buffers"] == 17
    lstm = next(row for row in data if row["name"] == "lstm")
    assert (lstm["macs"], lstm["activations"]) == ("768*T", "32*T + 64")


class Terminal(io.StringIO):
    """Standard output with so many characters in a line, and an encoding."""

    encoding = "ascii"

    def isatty(self) -> bool:
        return True


def test_it_prints_in_the_width_and_encoding_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    summary = mimgraph.loads(SHARING).summary()
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "50")
    lines = str(summary).splitlines()
    assert str(summary).isascii()
    assert max(map(len, lines)) <= 50
    assert "|  |  |- 0" in str(summary)
    assert "|  |  `- 1" in str(summary)


UGLY = """
name: Ugly
inputs: {_x_: [4]}
blocks: {odd: {params: {width: null}, seq: [{Linear: $width}, ReLU]}}
nodes: {y: {block: odd, from: _x_, repeat: {with: {width: [4, 6]}}}}
outputs: y
"""


def test_markdown_and_html_escape_and_keep_the_tree() -> None:
    summary = mimgraph.loads(UGLY).summary()
    rows = summary.markdown().splitlines()
    space = "\N{NO-BREAK SPACE}"
    assert rows[4] == "| \\_x\\_ | Input | (N, 4) | - | - |  |"
    assert rows[7] == f"| │{space}{space}├─{space}0 | Linear | (N, 4) | 20 | 16 |  |"
    assert summary._repr_markdown_() == summary.markdown()
    shown = summary._repr_html_()
    assert shown.count("<tr>") == 1 + len(rows[4:-6])
    assert "│  ├─ 0</td>" in shown
    large = mimgraph.loads(MODEL).summary(batch=8)._repr_html_()
    assert re.search(r"<td [^>]* title='1,555,200'>1.56 M</td>", large)
    odd = replace(summary, name="<b>|*`")
    assert odd.markdown().startswith(r"**\<b\>\|\*\`**")
    assert odd._repr_html_().startswith("<b>&lt;b&gt;|*`</b>")


def test_csv_has_a_row_for_each_name() -> None:
    summary = mimgraph.loads(MODEL).summary(batch=2)
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(summary.csv()))}
    assert rows["stage.2.conv"] == {
        "name": "stage.2.conv",
        "layer": "Conv2d",
        "shape": "(2, 8, 30, 30)",
        "dtype": "float32",
        "params": "576",
        "frozen": "0",
        "buffers": "0",
        "macs": "1036800",
        "activations": "57600",
        "loops": "1",
        "only": "",
        "from": "x",
        "shares": "",
    }
    assert rows["fused"]["from"] == "pooled, lstm.last, fc"
    assert rows["lstm"]["macs"] == "1536*T"


def test_csv_ends_with_a_nameless_row_of_totals() -> None:
    summary = mimgraph.loads(FROZEN).summary(sizes={"T": 5})
    *_, total = csv.DictReader(io.StringIO(summary.csv()))
    assert {key: value for key, value in total.items() if value} == {
        "layer": "Total",
        "params": "30",
        "frozen": "20",
        "buffers": "0",
        "macs": "80",
        "activations": "112",
        "loops": "1",
    }


def test_the_totals_are_plain_data() -> None:
    totals = mimgraph.loads(FROZEN).summary().totals()
    assert json.loads(json.dumps(totals)) == totals
    assert totals == {
        "params": 30,
        "frozen": 20,
        "buffers": 0,
        "macs": "16*T",
        "activations": "16*T + 32",
        "training": {"macs": 8, "activations": 8},
    }


def test_data_has_the_node_whose_module_is_shared() -> None:
    rows = {row["name"]: row for row in mimgraph.loads(SHARING).summary().data()}
    assert (rows["other"]["shares"], "shares" in rows["tower"]) == ("tower", False)
    assert (rows["other"]["from"], rows["score"]["from"]) == (["b"], ["tower", "none"])


def leaves(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Return the rows without children."""
    for row in rows:
        if row.get("children"):
            yield from leaves(row["children"])
        else:
            yield row


@pytest.mark.parametrize("text", [MODEL, SHARING], ids=["model", "sharing"])
def test_names_and_params_are_those_of_the_compiled_module(text: str) -> None:
    check_against_torch(mimgraph.loads(text))


def test_names_and_params_of_the_gallery(spec: Path) -> None:
    check_against_torch(mimgraph.load(spec))


def check_against_torch(graph: mimgraph.Graph) -> None:
    model, summary = on_meta(graph), graph.summary()
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
