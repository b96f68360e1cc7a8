"""The table: every node with its layer, shape, weights and sources; its numbers are torch's."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import mimgraph
from mimgraph.render.summary import WIDTH, Summary, summary


def summed(text: str) -> Summary:
    return summary(mimgraph.loads(text).typed)


def names(rows: list[dict[str, Any]]) -> list[str]:
    """Every dotted name, those inside after what holds them."""
    return [n for row in rows for n in (row["name"], *names(row.get("children", [])))]


def test_the_table_of_a_small_graph() -> None:
    text = str(
        summed("""
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
        """)
    )
    assert text == dedent("""\
        TwoTowers

        Name      Layer               Output shape     Dtype    Params  From
        --------  ------------------  ---------------  -------  ------  ---------------------
        image     Input               (N, 3, 32, 32)   float32       0
        words     Input               (N, T)           int64         0
        extra     Input               (N, 5)           float32       0
        stem      seq                 (N, 8, 30, 30)   float32     224  image
          0       Conv2d              (N, 8, 30, 30)   float32     224
          1       ReLU                (N, 8, 30, 30)   float32       0
        stage     residual × 3        (N, 8, 30, 30)   float32   1,776  stem
          conv    Conv2d              (N, 8, 30, 30)   float32     576  x
          norm    BatchNorm2d + ReLU  (N, 8, 30, 30)   float32      16  conv
          sum     add                 (N, 8, 30, 30)   float32       0  norm, x
        pooled    seq                 (N, 8)           float32       0  stage
        """)
