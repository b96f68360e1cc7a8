"""Specs compile to the same model as a class written by hand: the same weights for a seed, and the
same outputs and gradients. Results have the inferred shapes, and the source is clean.

Each class names its modules like the nodes of its spec, and makes them in the same order.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.ir.dims.dim import substitute
from mimgraph.runtime.runner import seeded_inputs
from tests.emit.test_golden import RUFF
from tests.helpers.running import by_name, seeded

BATCH = 3


class Case(NamedTuple):
    text: str
    reference: type[nn.Module]


CASES: dict[str, Case] = {}


def handwritten(text: str) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Register the decorated class as the handwritten model of a spec."""

    def register(reference: type[nn.Module]) -> type[nn.Module]:
        CASES[reference.__name__] = Case(text, reference)
        return reference

    return register


def run(module: nn.Module, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the outputs by name, a lone one under ""; dropout draws from the same seed."""
    torch.manual_seed(1)
    return by_name(module(**inputs))


def gradients(module: nn.Module, outputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the gradient of each parameter that contributes to the outputs."""
    floats = [o for o in outputs.values() if o.requires_grad]
    if floats:
        sum(o.square().sum() for o in floats).backward()  # type: ignore[union-attr]
    return {key: p.grad for key, p in module.named_parameters() if p.grad is not None}


def assert_same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert list(ours) == list(theirs)
    for key, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[key], rtol=1e-5, atol=1e-6, msg=key)


def two_sizes(graph: mg.Graph) -> Iterator[dict[str, int]]:
    """Yield the smallest legal value of every named size, then twice that."""
    sizes = choose_sizes(graph.typed, {})
    yield sizes
    if sizes:
        yield {name: 2 * size for name, size in sizes.items()}


# inputs and merges


@handwritten("""
inputs: {image: [3, 16, 16], table: [7], text: {vocab: 50, shape: [T]}}
nodes:
  image_vec:
    from: image
    seq: [{Conv2d: {out_channels: 4, kernel_size: 3}}, BatchNorm2d, ReLU, {MaxPool2d: 2}, Flatten]
  table_vec: {layer: Linear, from: table, out_features: 8, activation: Tanh}
  tokens: {layer: Embedding, from: text, embedding_dim: 6}
  text_vec: {layer: GRU, from: tokens, hidden_size: 5, bidirectional: true, take: last}
  joined: {merge: concat, from: [image_vec, table_vec, text_vec]}
  drop: {layer: Dropout, from: joined, p: 0.3}
  score: {layer: Linear, from: drop, out_features: 2}
outputs: score
""")
class ThreeModalities(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.image_vec = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
        )
        self.table_vec = nn.Linear(7, 8)
        self.tokens = nn.Embedding(50, 6)
        self.text_vec = nn.GRU(6, 5, bidirectional=True, batch_first=True)
        self.drop = nn.Dropout(0.3)
        self.score = nn.Linear(4 * 7 * 7 + 8 + 10, 2)

    def forward(self, image: Tensor, table: Tensor, text: Tensor) -> Tensor:
        _, hidden = self.text_vec(self.tokens(text))
        parts = (self.image_vec(image), torch.tanh(self.table_vec(table)), hidden[0], hidden[1])
        return self.score(self.drop(torch.cat(parts, 1)))


@handwritten("""
inputs: {a: [6], b: [6], c: [6]}
nodes:
  s: {merge: add, from: [a, b, c]}
  d: {merge: subtract, from: [s, a]}
  m: {merge: multiply, from: [d, b, c]}
  v: {merge: average, from: [m, a, b]}
  x: {merge: maximum, from: [v, c]}
  t: {merge: stack, from: [x, a, b]}
  k: {merge: dot, from: [x, a]}
outputs: {stacked: t, likeness: k, biggest: x}
""")
class EveryElementwiseMerge(nn.Module):
    def forward(self, a: Tensor, b: Tensor, c: Tensor) -> dict[str, Tensor]:
        x = torch.maximum(((a + b + c - a) * b * c + a + b) / 3, c)
        stacked = torch.stack((x, a, b), 1)
        return {"stacked": stacked, "likeness": (x * a).sum(1), "biggest": x}


@handwritten("""
inputs: {query: [T, 8], memory: [S, 8], allowed: {shape: [S], dtype: bool}}
nodes:
  q: {layer: Linear, from: query, out_features: 8, bias: false}
  attended: {merge: attention, from: {query: q, key: memory, value: memory, mask: allowed}}
  products: {merge: matmul, from: [attended, turned]}
  turned: {layer: Permute, from: memory, dims: [0, 2, 1]}
outputs: [products, attended]
""")
class AttentionOfTwoLengths(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q = nn.Linear(8, 8, bias=False)

    def forward(self, query: Tensor, memory: Tensor, allowed: Tensor) -> dict[str, Tensor]:
        mask = allowed[:, None, :]
        found = F.scaled_dot_product_attention(self.q(query), memory, memory, attn_mask=mask)
        return {"products": found @ memory.transpose(1, 2), "attended": found}


@handwritten("""
params: {sharpness: 3}
inputs: {gate_in: [4], image: [5], text: [5]}
nodes:
  gate: {layer: Linear, from: gate_in, out_features: 5, activation: Sigmoid}
  mixed:
    merge: formula
    expr: "g * a + (1 - g) * b ** 2 - exp(-abs(a)) / $sharpness"
    from: {g: gate, a: image, b: text}
  picked: {merge: formula, expr: "where(a > b, a, -b) + maximum(a, b)", from: {a: mixed, b: text}}
outputs: picked
""")
class Formulas(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(4, 5)

    def forward(self, gate_in: Tensor, image: Tensor, text: Tensor) -> Tensor:
        g = torch.sigmoid(self.gate(gate_in))
        a = g * image + (1 - g) * text**2 - torch.exp(-image.abs()) / 3
        return torch.where(a > text, a, -text) + torch.maximum(a, text)


@handwritten("""
inputs: {x: [T, 6], y: [S, 6]}
nodes:
  both: {merge: concat, from: [x, y], dim: 1}
  wide: {from: both, seq: [{Linear: 8}, {LayerNorm: {}}, {Reshape: {shape: [-1, 2, 4]}}]}
  turned: {layer: Rearrange, from: wide, pattern: "n l h c -> n h l c"}
  pooled: {layer: Mean, from: turned, dim: [1, 2]}
outputs: {pooled: pooled, turned: turned}
""")
class SumOfTwoLengths(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8))

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        wide = self.wide(torch.cat((x, y), 1))
        turned = wide.reshape(wide.shape[0], -1, 2, 4).permute(0, 2, 1, 3)
        return {"pooled": turned.mean((1, 2)), "turned": turned}


@handwritten("""
inputs: {signal: [2, T]}
nodes:
  down: {layer: Conv1d, from: signal, out_channels: 4, kernel_size: 3, stride: 2, activation: {LeakyReLU: 0.2}}
  pool: {layer: AvgPool1d, from: down, kernel_size: 2}
  steps: {layer: Permute, from: pool, dims: [0, 2, 1]}
  rnn: {layer: LSTM, from: steps, hidden_size: 3, num_layers: 2}
outputs: {last: rnn.last, cell: rnn.cell, all: rnn, hidden: rnn.hidden}
""")
class EveryPortOfAnLSTM(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv1d(2, 4, 3, stride=2)
        self.rnn = nn.LSTM(4, 3, num_layers=2, batch_first=True)

    def forward(self, signal: Tensor) -> dict[str, Tensor]:
        x = F.avg_pool1d(F.leaky_relu(self.down(signal), 0.2), 2)
        out, (h, c) = self.rnn(x.permute(0, 2, 1))
        return {"last": h[-1], "cell": c.transpose(0, 1), "all": out, "hidden": h.transpose(0, 1)}


@handwritten("""
inputs: {tokens: {vocab: 30, shape: [T]}, lengths: {shape: [], dtype: int64}}
nodes:
  words: {layer: Embedding, from: tokens, embedding_dim: 4, padding_idx: 0}
  enc: {layer: LSTM, from: {input: words, lengths: lengths}, hidden_size: 6}
  dec: {layer: LSTM, from: {input: words, state: enc.state}, hidden_size: 6, activation: ReLU, take: last}
outputs: {dec: dec, enc: enc.output}
""")
class EncoderDecoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(30, 4, padding_idx=0)
        self.enc = nn.LSTM(4, 6, batch_first=True)
        self.dec = nn.LSTM(4, 6, batch_first=True)

    def forward(self, tokens: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        words = self.words(tokens)
        packed = nn.utils.rnn.pack_padded_sequence(
            words, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        out, state = self.enc(packed)
        enc, _ = nn.utils.rnn.pad_packed_sequence(
            out, batch_first=True, total_length=words.shape[1]
        )
        _, (hidden, _) = self.dec(words, state)
        return {"dec": torch.relu(hidden[-1]), "enc": enc}


@handwritten("""
inputs: {text: [T, 8], image: [S, 6], pad: {shape: [S], dtype: bool}}
nodes:
  alone: {layer: MultiheadAttention, from: text, num_heads: 2}
  cross:
    layer: MultiheadAttention
    from: {query: alone, key: image, key_padding_mask: pad}
    num_heads: 4
  res: {merge: add, from: [cross, alone]}
  norm: {layer: LayerNorm, from: res}
outputs: {y: norm, w: cross.weights}
""")
class CrossAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.alone = nn.MultiheadAttention(8, 2, batch_first=True)
        self.cross = nn.MultiheadAttention(8, 4, kdim=6, vdim=6, batch_first=True)
        self.norm = nn.LayerNorm(8)

    def forward(self, text: Tensor, image: Tensor, pad: Tensor) -> dict[str, Tensor]:
        alone = self.alone(text, text, text, need_weights=False)[0]
        cross, weights = self.cross(alone, image, image, key_padding_mask=pad)
        return {"y": self.norm(cross + alone), "w": weights}


@handwritten("""
inputs: {left: [5], right: [7], volume: [1, 6, 6, 6]}
nodes:
  pair: {layer: Bilinear, from: [left, right], out_features: 4}
  cube:
    from: volume
    seq:
      - Conv3d: {out_channels: 4, kernel_size: [3, 3, 1], groups: 1, bias: false}
      - GroupNorm: {num_groups: 2}
      - PReLU
      - AdaptiveAvgPool3d: 1
      - Flatten
  both: {merge: multiply, from: [pair, cube], activation: {GELU: {approximate: tanh}}}
  row: {layer: Unsqueeze, from: both, dim: 1}
  back: {layer: Squeeze, from: row, dim: 1}
  one: {layer: Select, from: back, dim: 1, index: -1}
outputs: [back, one]
""")
class BilinearAndVolume(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pair = nn.Bilinear(5, 7, 4)
        self.cube = nn.Sequential(
            nn.Conv3d(1, 4, (3, 3, 1), bias=False),
            nn.GroupNorm(2, 4),
            nn.PReLU(),
            nn.AdaptiveAvgPool3d(1),
            nn.Flatten(),
        )

    def forward(self, left: Tensor, right: Tensor, volume: Tensor) -> dict[str, Tensor]:
        x = F.gelu(self.pair(left, right) * self.cube(volume), approximate="tanh")
        return {"back": x, "one": x[:, -1]}


# blocks


@handwritten("""
blocks:
  residual:
    params: {stride: 1}
    inputs: {x: [C, H, W]}
    nodes:
      conv: {layer: Conv2d, from: x, out_channels: $C, kernel_size: 3, padding: 1, stride: $stride}
      sum: {merge: add, from: [conv, x], activation: ReLU}
    outputs: sum
  stage:
    params: {width: null, depth: 2}
    seq: [{Conv2d: {out_channels: $width, kernel_size: 1}}, residual: {repeat: $depth}, {MaxPool2d: 2}]
inputs: {image: [3, 16, 16]}
nodes:
  stem: {layer: Conv2d, from: image, out_channels: 4, kernel_size: 3, padding: 1}
  stages: {from: stem, seq: [{stage: 6}, {stage: {width: 8, depth: 1}}, {stage: {width: 8, depth: 0}}]}
  head: {from: stages, seq: [Flatten, {Linear: 3}]}
outputs: head
""")
class BlocksInBlocksInChains(nn.Module):
    class Residual(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            self.conv = nn.Conv2d(channels, channels, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(self.conv(x) + x)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.stages = nn.Sequential()
        for channels, width, depth in ((4, 6, 2), (6, 8, 1), (8, 8, 0)):
            conv = nn.Conv2d(channels, width, 1)
            inner = nn.Sequential(*[self.Residual(width) for _ in range(depth)])
            self.stages.append(nn.Sequential(conv, inner, nn.MaxPool2d(2)))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(8 * 2 * 2, 3))

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(image)))


@handwritten("""
blocks:
  cell:
    inputs: {state: [D], signal: [E]}
    nodes:
      mix: {merge: concat, from: [state, signal]}
      new: {layer: Linear, from: mix, out_features: $D, activation: Tanh}
    outputs: {state: new}
inputs: {start: [4], signal: [3]}
nodes:
  run: {block: cell, from: {signal: signal, state: start}, repeat: 3}
  again: {block: cell, from: [start, signal], repeat: {times: 3, shared: true}}
  none: {block: cell, from: [run, signal], repeat: 0}
  once: {block: cell, from: [none, signal], repeat: 1}
outputs: [run, again, once]
""")
class SeveralInputsRepeated(nn.Module):
    class Cell(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.new = nn.Linear(7, 4)

        def forward(self, state: Tensor, signal: Tensor) -> Tensor:
            return torch.tanh(self.new(torch.cat((state, signal), 1)))

    def __init__(self) -> None:
        super().__init__()
        self.run = nn.ModuleList([self.Cell() for _ in range(3)])
        self.again = self.Cell()
        self.once = nn.ModuleList([self.Cell()])

    def forward(self, start: Tensor, signal: Tensor) -> dict[str, Tensor]:
        run = again = start
        for cell in self.run:
            run = cell(run, signal)
        for _ in range(3):
            again = self.again(again, signal)
        return {"run": run, "again": again, "once": self.once[0](run, signal)}


@handwritten("""
blocks:
  two_way:
    params: {width: null}
    inputs: {a: [A], b: [B]}
    nodes:
      to_a: {layer: Linear, from: b, out_features: $A}
      to_b: {layer: Linear, from: a, out_features: $width}
      new_a: {merge: add, from: [a, to_a]}
    outputs: {b: to_b, a: new_a}
inputs: {left: [4], right: [5]}
nodes:
  deep: {block: two_way, from: {a: left, b: right}, repeat: {with: {width: [6, 7, 8]}}}
  flat: {block: two_way, from: [deep.a, deep.b], width: 2}
  kept: {block: two_way, from: [left, right], width: 5, repeat: {times: 2, shared: true}}
outputs: {a: flat.a, b: flat.b, deep_b: deep.b, kept: kept.a}
""")
class SeveralOutputsRepeated(nn.Module):
    class TwoWay(nn.Module):
        def __init__(self, a: int, b: int, width: int) -> None:
            super().__init__()
            self.to_a = nn.Linear(b, a)
            self.to_b = nn.Linear(a, width)

        def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
            return a + self.to_a(b), self.to_b(a)

    def __init__(self) -> None:
        super().__init__()
        widths = ((5, 6), (6, 7), (7, 8))
        self.deep = nn.ModuleList([self.TwoWay(4, b, width) for b, width in widths])
        self.flat = self.TwoWay(4, 8, 2)
        self.kept = self.TwoWay(4, 5, 5)

    def forward(self, left: Tensor, right: Tensor) -> dict[str, Tensor]:
        a, b = left, right
        for block in self.deep:
            a, b = block(a, b)
        flat_a, flat_b = self.flat(a, b)
        kept, other = self.kept(left, right)
        kept, _ = self.kept(kept, other)
        return {"a": flat_a, "b": flat_b, "deep_b": b, "kept": kept}


@handwritten("""
blocks:
  layer:
    params: {growth: 4, dim: 1}
    inputs: {x: [C, H, W]}
    nodes:
      input: {layer: Conv2d, from: x, out_channels: $(growth * 2), kernel_size: 1}
      out: {layer: Conv2d, from: input, out_channels: $growth, kernel_size: 3, padding: 1}
      sum: {merge: concat, from: [x, out], dim: $dim}
    outputs: sum
inputs: {x: [2, 4, 4]}
nodes:
  layer: {block: layer, from: x, repeat: 3}
  out: {block: layer, from: layer, repeat: {times: 2, with: {growth: [1, 3]}}}
  sum: {block: layer, from: out, growth: 4, dim: 1}
outputs: sum
""")
class NamesThatClash(nn.Module):
    class Layer(nn.Module):
        def __init__(self, channels: int, growth: int) -> None:
            super().__init__()
            self.input = nn.Conv2d(channels, 2 * growth, 1)
            self.out = nn.Conv2d(2 * growth, growth, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat((x, self.out(self.input(x))), 1)

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Sequential(self.Layer(2, 4), self.Layer(6, 4), self.Layer(10, 4))
        self.out = nn.Sequential(self.Layer(14, 1), self.Layer(15, 3))
        self.sum = self.Layer(18, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.sum(self.out(self.layer(x)))


@handwritten("""
blocks:
  join:
    params: {axis: 1, shape: 1}
    inputs: [a, b]
    nodes:
      both: {merge: concat, from: [a, b], dim: $axis}
      shape: {layer: Linear, from: both, out_features: $(shape + 2)}
      axis: {merge: formula, expr: "y * $axis + $shape", from: {y: shape}}
    outputs: axis
inputs: {x: [4, 6], y: [4, 6]}
nodes:
  rows: {block: join, from: [x, y], axis: 1}
  columns: {block: join, from: [x, y], axis: 2, shape: 4}
outputs: [rows, columns]
""")
class ParamsInForward(nn.Module):
    class Join(nn.Module):
        def __init__(self, features: int, axis: int, width: int) -> None:
            super().__init__()
            self.shape = nn.Linear(features, width + 2)
            self.numbers = axis, width

        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            axis, width = self.numbers
            return self.shape(torch.cat((a, b), axis)) * axis + width

    def __init__(self) -> None:
        super().__init__()
        self.rows = self.Join(6, 1, 1)
        self.columns = self.Join(12, 2, 4)

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        return {"rows": self.rows(x, y), "columns": self.columns(x, y)}


@handwritten("""
blocks:
  last_lstm: {params: {size: 4}, seq: [{LSTM: {hidden_size: $size, take: last}}, {Linear: 2}]}
  LastLSTM: {seq: [{LSTM: {hidden_size: 3, take: last, num_layers: 2}}]}
  tensor: {seq: [{Linear: {out_features: 3, activation: ReLU}}, {Select: {dim: 1, index: 0}}]}
  model: {seq: [{Select: {dim: 1, index: 1}}, {Linear: {out_features: 3, activation: ReLU}}]}
inputs: {x: [5, 6]}
nodes:
  a: {from: x, seq: [{Linear: {out_features: 3, activation: Tanh}}, last_lstm, {last_lstm: {size: 5, repeat: 0}}]}
  b: {block: LastLSTM, from: x}
  c: {block: tensor, from: x}
  d: {block: model, from: x}
outputs: {a: a, b: b, c: c, d: d}
""")
class FamiliesThatClash(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        first = nn.Linear(6, 3)
        self.a = nn.Sequential(
            first, nn.Sequential(nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2))
        )
        self.b = nn.Sequential(nn.LSTM(6, 3, num_layers=2, batch_first=True))
        self.c = nn.Sequential(nn.Linear(6, 3))
        self.d = nn.Sequential(nn.Identity(), nn.Linear(6, 3))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        _, (hidden, _) = self.a[1][0](torch.tanh(self.a[0](x)))
        _, (last, _) = self.b[0](x)
        first = torch.relu(self.c[0](x))[:, 0]
        second = torch.relu(self.d[1](x[:, 1]))
        return {"a": self.a[1][1](hidden[-1]), "b": last[-1], "c": first, "d": second}


@handwritten("""
blocks:
  squeeze:
    inputs: {x: [C, H, W]}
    nodes:
      gate:
        from: x
        seq:
          - AdaptiveAvgPool2d: 1
          - Conv2d: {out_channels: $(C // 2), kernel_size: 1}
          - SiLU
          - Conv2d: {out_channels: $C, kernel_size: 1}
          - Sigmoid
      scaled: {merge: multiply, from: [x, gate], broadcast: true}
    outputs: scaled
  unit:
    params: {width: null, stride: 1, norm: true}
    inputs: {x: [C, H, W]}
    nodes:
      body:
        from: x
        seq:
          - Conv2d: {out_channels: $width, kernel_size: 3, stride: $stride, padding: 1, groups: 2}
          - BatchNorm2d: {affine: $norm}
          - ReLU
          - squeeze
    outputs: body
inputs: {image: [4, 12, 12]}
nodes:
  a: {block: unit, from: image, width: 4}
  b: {block: unit, from: a, width: 8, stride: 2}
  c: {block: unit, from: b, width: 8, norm: false}
  d: {from: c, seq: [{unit: 12}, squeeze, Flatten, {Linear: 2}]}
outputs: d
""")
class ConstantsThatVary(nn.Module):
    class Squeeze(nn.Module):
        def __init__(self, c: int) -> None:
            super().__init__()
            self.gate = nn.Sequential(
                nn.AdaptiveAvgPool2d(1),
                nn.Conv2d(c, c // 2, 1),
                nn.SiLU(),
                nn.Conv2d(c // 2, c, 1),
                nn.Sigmoid(),
            )

        def forward(self, x: Tensor) -> Tensor:
            return x * self.gate(x)

    class Unit(nn.Module):
        def __init__(self, c: int, width: int, stride: int = 1, norm: bool = True) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(c, width, 3, stride, padding=1, groups=2),
                nn.BatchNorm2d(width, affine=norm),
                nn.ReLU(),
                ConstantsThatVary.Squeeze(width),
            )

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x)

    def __init__(self) -> None:
        super().__init__()
        self.a = self.Unit(4, 4)
        self.b = self.Unit(4, 8, stride=2)
        self.c = self.Unit(8, 8, norm=False)
        self.d = nn.Sequential(self.Unit(8, 12), self.Squeeze(12), nn.Flatten(), nn.Linear(432, 2))

    def forward(self, image: Tensor) -> Tensor:
        return self.d(self.c(self.b(self.a(image))))


@handwritten("""
blocks:
  unit:
    params: {depth: 1, act: ReLU}
    inputs: [x]
    nodes:
      inner: {block: step, from: x, repeat: $depth}
      end: {layer: Linear, from: inner, out_features: 4}
    outputs: end
  step: {seq: [{Linear: 6}, ReLU]}
inputs: {x: [4], y: [T, 4]}
nodes:
  none: {block: unit, from: x, depth: 0}
  one: {block: unit, from: x}
  two: {block: unit, from: x, depth: 2}
  three: {block: unit, from: x, depth: 3}
  long: {block: unit, from: y, depth: 2}
outputs: [none, one, two, three, long]
""")
class UsesOfSeveralStructures(nn.Module):
    class Unit(nn.Module):
        def __init__(self, depth: int) -> None:
            super().__init__()
            widths = [4, *[6] * depth]
            steps = [nn.Sequential(nn.Linear(i, 6), nn.ReLU()) for i in widths[:-1]]
            self.inner = nn.Sequential(*steps)
            self.end = nn.Linear(widths[-1], 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.end(self.inner(x))

    def __init__(self) -> None:
        super().__init__()
        self.none, self.one, self.two = self.Unit(0), self.Unit(1), self.Unit(2)
        self.three, self.long = self.Unit(3), self.Unit(2)

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        found = {name: getattr(self, name)(x) for name in ("none", "one", "two", "three")}
        return found | {"long": self.long(y)}


# shares and order


@handwritten("""
inputs: {left: [1, 10, 10], right: [1, 10, 10], third: [1, 10, 10]}
nodes:
  right_vec: {share: left_vec, from: right}
  score: {layer: Linear, from: joined, out_features: 1}
  joined: {merge: concat, from: [left_vec, right_vec, third_vec]}
  third_vec: {share: right_vec, from: third}
  left_vec: {from: left, seq: [{Conv2d: {out_channels: 2, kernel_size: 3}}, Flatten, {Linear: 4}]}
outputs: {score: score, right: right_vec}
""")
class ShareBeforeItsTarget(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Linear(12, 1)
        self.left_vec = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(128, 4))

    def forward(self, left: Tensor, right: Tensor, third: Tensor) -> dict[str, Tensor]:
        vectors = [self.left_vec(image) for image in (left, right, third)]
        return {"score": self.score(torch.cat(vectors, 1)), "right": vectors[1]}


@handwritten("""
blocks:
  step: {seq: [{Linear: 3}]}
  tower:
    params: {width: 5}
    inputs: [image, scale]
    nodes:
      flat: {from: image, seq: [Flatten, {Linear: $width}]}
      out: {merge: multiply, from: [flat, scale]}
      b: {share: flat, from: image}
    outputs: {out: out, raw: b}
inputs: {a: [2, 3], b: [2, 3], s: [5]}
nodes:
  tower_b: {share: tower_a, from: {image: b, scale: s}}
  tower_a: {block: tower, from: [a, s]}
  drop: {layer: Linear, from: tower_a.raw, out_features: 5, activation: ReLU}
  drop_again: {share: drop, from: drop}
  steps: {block: step, from: a, repeat: 2}
  step_again: {share: steps, from: b}
outputs: {a: tower_a.out, b: tower_b.out, c: drop_again, d: step_again, raw: tower_b.raw}
""")
class SharesOfBlocks(nn.Module):
    class Tower(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.flat = nn.Sequential(nn.Flatten(), nn.Linear(6, 5))

        def forward(self, image: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
            return self.flat(image) * scale, self.flat(image)

    def __init__(self) -> None:
        super().__init__()
        self.tower_a = self.Tower()
        self.drop = nn.Linear(5, 5)
        self.steps = nn.Sequential(nn.Sequential(nn.Linear(3, 3)), nn.Sequential(nn.Linear(3, 3)))

    def forward(self, a: Tensor, b: Tensor, s: Tensor) -> dict[str, Tensor]:
        (out_a, raw_a), (out_b, raw_b) = self.tower_a(a, s), self.tower_a(b, s)
        c = self.drop(self.drop(raw_a).relu()).relu()
        return {"a": out_a, "b": out_b, "c": c, "d": self.steps(b), "raw": raw_b}


@handwritten("""
blocks:
  twice: {params: {width: 4}, seq: [{Linear: $width}, Tanh, {Linear: 4}]}
inputs: {x: [T, 4]}
nodes:
  a: {from: x, seq: [{twice: {repeat: {times: 3, shared: true}}}, {Linear: 4}, {twice: {width: 2, repeat: {times: 2, shared: true}}}]}
  b: {from: x, seq: [{twice: {repeat: {times: 2, shared: true}, width: 2}}]}
  last: {from: b, seq: [{GRU: {hidden_size: 3, take: last, activation: ReLU}}]}
  out: {from: b, seq: [{GRU: 3}, {GRU: {hidden_size: 3, bidirectional: true, take: output}}]}
outputs: [a, last, out]
""")
class SharedRepeatsInChains(nn.Module):
    def __init__(self) -> None:
        super().__init__()

        def twice(width: int) -> nn.Module:
            return nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 4))

        self.a = nn.Sequential(twice(4), nn.Linear(4, 4), twice(2))
        self.b = nn.Sequential(twice(2))
        self.last = nn.Sequential(nn.GRU(4, 3, batch_first=True))
        self.out = nn.Sequential(
            nn.GRU(4, 3, batch_first=True), nn.GRU(3, 3, batch_first=True, bidirectional=True)
        )

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        one, linear, two = self.a
        a = two(two(linear(one(one(one(x))))))
        b = self.b[0](self.b[0](x))
        _, hidden = self.last[0](b)
        out = self.out[1](self.out[0](b)[0])[0]
        return {"a": a, "last": hidden[-1].relu(), "out": out}


@handwritten("""
blocks:
  pair:
    inputs: {x: [D]}
    nodes:
      o: {layer: Linear, from: x, out_features: $D}
      n: {layer: Linear, from: o, out_features: $D}
    outputs: {x: o, n: n}
  chain: {seq: [{pair: {take: n, repeat: 2}}, ReLU]}
inputs: {x: [4]}
nodes:
  n: {from: x, seq: [{pair: {take: n, repeat: 2}}, ReLU]}
  x_: {from: x, seq: [{pair: {take: x, repeat: 1}}]}
  same: {from: x, seq: [{pair: {take: n, repeat: {times: 2, shared: true}}}]}
  same_x: {from: x, seq: [{pair: {take: x, repeat: {times: 2, shared: true}}}]}
  chained: {block: chain, from: x, repeat: 2}
outputs: [n, x_, same, same_x, chained]
""")
class RepeatsOfSeveralOutputsInChains(nn.Module):
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.o = nn.Linear(4, 4)
            self.n = nn.Linear(4, 4)

    def __init__(self) -> None:
        super().__init__()

        def pairs(times: int) -> nn.Module:
            return nn.Sequential(*(self.Pair() for _ in range(times)))

        self.n = nn.Sequential(pairs(2))
        self.x_ = nn.Sequential(pairs(1))
        self.same = nn.Sequential(self.Pair())
        self.same_x = nn.Sequential(self.Pair())
        self.chained = nn.Sequential(nn.Sequential(pairs(2)), nn.Sequential(pairs(2)))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        def last(x: Tensor, *pairs: Any) -> Tensor:
            for pair in pairs:
                x = pair.o(x)
            return pairs[-1].n(x)

        chained = x
        for (pairs,) in self.chained:
            chained = last(chained, *pairs).relu()
        return {
            "n": last(x, *self.n[0]).relu(),
            "x_": self.x_[0][0].o(x),
            "same": last(x, self.same[0], self.same[0]),
            "same_x": self.same_x[0].o(self.same_x[0].o(x)),
            "chained": chained,
        }


# names


@handwritten("""
name: dict
inputs: {int: [4], self_: [4], x: [4], input: [4], tuple: [4]}
nodes:
  print: {layer: Linear, from: int, out_features: 4}
  len: {merge: add, from: [print, self_]}
  match: {merge: add, from: [len, x, input]}
  case: {layer: Linear, from: match, out_features: 4, activation: ReLU}
  sum: {merge: multiply, from: [case, tuple]}
  str: {merge: add, from: [sum, print]}
outputs: {return: str, x: match}
""")
class WordsOfPython(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.print = nn.Linear(4, 4)
        self.case = nn.Linear(4, 4)

    def forward(
        self, *, int: Tensor, self_: Tensor, x: Tensor, input: Tensor, tuple: Tensor
    ) -> dict[str, Tensor]:
        first = self.print(int)
        match = first + self_ + x + input
        return {"return": self.case(match).relu() * tuple + first, "x": match}


@handwritten("""
inputs: {x: [4], y: [4]}
nodes:
  h: {layer: Linear, from: x, out_features: 4, activation: {Softmax: {dim: 1}}}
  x_2: {merge: add, from: [h, x]}
  h_last: {layer: Linear, from: x_2, out_features: 4}
  a: {merge: add, from: [h_last, h]}
  b: {merge: multiply, from: [h_last, y]}
  c: {merge: add, from: [a, b, h]}
  _: {layer: Identity, from: c}
outputs: {only: _}
""")
class OneOutputByName(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.h = nn.Linear(4, 4)
        self.h_last = nn.Linear(4, 4)
        self._ = nn.Identity()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = self.h(x).softmax(1)
        last = self.h_last(h + x)
        return last + h + last * y + h


@handwritten("""
blocks:
  loop:
    inputs: {x: [D], layer: [D]}
    nodes:
      block: {layer: Linear, from: x, out_features: $D}
      module: {merge: add, from: [block, layer]}
    outputs: module
inputs: {layer: [4], block: [4]}
nodes:
  module: {block: loop, from: [layer, block], repeat: 2}
  layer_2: {block: loop, from: [module, layer], repeat: {times: 2, shared: true}}
  _: {block: loop, from: [layer_2, module], repeat: 2}
outputs: _
""")
class LoopVariables(nn.Module):
    class Loop(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = nn.Linear(4, 4)

        def forward(self, x: Tensor, layer: Tensor) -> Tensor:
            return self.block(x) + layer

    def __init__(self) -> None:
        super().__init__()
        self.module = nn.ModuleList([self.Loop(), self.Loop()])
        self.layer_2 = self.Loop()
        self._ = nn.ModuleList([self.Loop(), self.Loop()])

    def forward(self, layer: Tensor, block: Tensor) -> Tensor:
        a = self.module[1](self.module[0](layer, block), block)
        b = self.layer_2(self.layer_2(a, layer), layer)
        return self._[1](self._[0](b, a), a)


@handwritten("""
inputs: {x: [4], unseen: [2]}
nodes:
  a: {layer: Linear, from: x, out_features: 3}
outputs: {same: x, a: a, also: a, unseen: unseen}
""")
class InputsAsOutputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(4, 3)

    def forward(self, x: Tensor, unseen: Tensor) -> dict[str, Tensor]:
        a = self.a(x)
        return {"same": x, "a": a, "also": a, "unseen": unseen}


@handwritten("""
params: {width: 4, twofold: $(width * 2), list: [2, 3], act: true, rate: 1e-1}
blocks:
  mlp:
    params: {width: $twofold, bias: $act, p: $rate, sizes: $list}
    inputs: [x]
    nodes:
      fc: {layer: Linear, from: x, out_features: $width, bias: $bias}
      drop: {layer: Dropout, from: fc, p: $p}
      end: {layer: Linear, from: drop, out_features: $(-(-width // 2) + 3 % 2 ** 2)}
    outputs: end
inputs: {x: [$width, T]}
nodes:
  turned: {layer: Transpose, from: x, dim0: 1, dim1: 2}
  a: {block: mlp, from: turned}
  b: {block: mlp, from: a, width: 3, bias: false}
  c: {block: mlp, from: b, repeat: {with: {width: $list}}}
  d: {block: mlp, from: b, repeat: {with: {p: [0.5, 0.25, 0.125]}}}
outputs: [c, d]
""")
class ParamsOfParams(nn.Module):
    class Mlp(nn.Module):
        def __init__(self, features: int, width: int = 8, bias: bool = True, p: float = 0.1):
            super().__init__()
            self.fc = nn.Linear(features, width, bias=bias)
            self.drop = nn.Dropout(p)
            self.end = nn.Linear(width, -(-width // 2) + 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.end(self.drop(self.fc(x)))

    def __init__(self) -> None:
        super().__init__()
        self.a = self.Mlp(4)
        self.b = self.Mlp(7, 3, bias=False)
        self.c = nn.Sequential(self.Mlp(5, 2), self.Mlp(4, 3))
        self.d = nn.Sequential(self.Mlp(5, p=0.5), self.Mlp(7, p=0.25), self.Mlp(7, p=0.125))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        b = self.b(self.a(x.transpose(1, 2)))
        return {"c": self.c(b), "d": self.d(b)}


@handwritten("""
blocks:
  pool2:
    inputs: {x: [T, D]}
    nodes:
      fc: {layer: Linear, from: x, out_features: $(D + 1)}
      mean: {layer: Mean, from: fc, dim: 1}
    outputs: {fc: fc, mean: mean}
  pool:
    params: {axis: 1}
    inputs: {x: [T, D]}
    nodes:
      fc: {layer: Linear, from: x, out_features: $D}
      mean: {layer: Mean, from: fc, dim: $axis, keepdim: true}
      rest: {merge: subtract, from: [fc, mean], broadcast: true}
      flat: {layer: Reshape, from: rest, shape: [-1]}
    outputs: {flat: flat, mean: mean}
inputs: {a: [5, 4], b: [6, 3], c: [T, 4]}
nodes:
  pa: {block: pool, from: a}
  pb: {block: pool, from: b, axis: 2}
  head: {layer: Linear, from: pa.flat, out_features: 2}
  m: {from: c, seq: [{pool2: {take: mean}}, {Linear: 2}]}
outputs: {head: head, b: pb.mean, flat: pb.flat, m: m}
""")
class PortsOfBlocks(nn.Module):
    class Pool(nn.Module):
        def __init__(self, width: int, axis: int = 1) -> None:
            super().__init__()
            self.fc = nn.Linear(width, width)
            self.axis = axis

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            fc = self.fc(x)
            mean = fc.mean(self.axis, keepdim=True)
            return (fc - mean).flatten(1), mean

    class Pool2(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 5)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(x).mean(1)

    def __init__(self) -> None:
        super().__init__()
        self.pa = self.Pool(4)
        self.pb = self.Pool(3, axis=2)
        self.head = nn.Linear(20, 2)
        self.m = nn.Sequential(self.Pool2(), nn.Linear(5, 2))

    def forward(self, a: Tensor, b: Tensor, c: Tensor) -> dict[str, Tensor]:
        flat, mean = self.pb(b)
        return {"head": self.head(self.pa(a)[0]), "b": mean, "flat": flat, "m": self.m(c)}


# constants that vary in several ways at once


@handwritten("""
blocks:
  dense_layer:
    params: {growth: 4}
    inputs: {x: [C, H, W]}
    nodes:
      new:
        from: x
        seq: [BatchNorm2d, {Conv2d: {out_channels: $(2 * growth), kernel_size: 1}}, {Conv2d: {out_channels: $growth, kernel_size: 3, padding: 1}}]
      out: {merge: concat, from: [x, new]}
    outputs: out
  transition: {inputs: {x: [C, H, W]}, seq: [{Conv2d: {out_channels: $(C // 2), kernel_size: 1}}, {AvgPool2d: 2}]}
  dense_block: {params: {depth: 2, growth: 4}, seq: [{dense_layer: {growth: $growth, repeat: $depth}}]}
inputs: {image: [6, 8, 8]}
nodes:
  features: {from: image, seq: [{dense_block: 3}, transition, {dense_block: {depth: 4, growth: 2}}, transition, dense_block]}
outputs: features
""")
class Dense(nn.Module):
    class Layer(nn.Module):
        def __init__(self, c: int, growth: int) -> None:
            super().__init__()
            self.new = nn.Sequential(
                nn.BatchNorm2d(c),
                nn.Conv2d(c, 2 * growth, 1),
                nn.Conv2d(2 * growth, growth, 3, padding=1),
            )

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat((x, self.new(x)), 1)

    def dense(self, c: int, depth: int, growth: int) -> nn.Module:
        layers = [self.Layer(c + i * growth, growth) for i in range(depth)]
        return nn.Sequential(nn.Sequential(*layers))

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            self.dense(6, 3, 4),
            nn.Sequential(nn.Conv2d(18, 9, 1), nn.AvgPool2d(2)),
            self.dense(9, 4, 2),
            nn.Sequential(nn.Conv2d(17, 8, 1), nn.AvgPool2d(2)),
            self.dense(8, 2, 4),
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.features(image)


@handwritten("""
blocks:
  heads:
    params: {heads: 2, in_features: 8}
    inputs: {x: [L, D]}
    nodes:
      qkv: {layer: Linear, from: x, out_features: $in_features}
      split: {layer: Reshape, from: qkv, shape: [$L, $heads, $(in_features // heads)]}
      turned: {layer: Rearrange, from: split, pattern: "n l h c -> n h l c"}
      mixed: {merge: attention, from: [turned, turned, turned]}
      joined: {layer: Rearrange, from: mixed, pattern: "n h l c -> n l (h c)"}
      flat: {layer: Reshape, from: joined, shape: [-1, $in_features]}
      end: {layer: Linear, from: flat, out_features: $D}
      sum: {merge: add, from: [end, x]}
    outputs: sum
inputs: {a: [T, 6], b: [5, 4], c: [S, 6]}
nodes:
  ha: {block: heads, from: a}
  hb: {block: heads, from: b, heads: 4}
  hc: {block: heads, from: c, in_features: 6, repeat: 2}
  joined: {merge: concat, from: [ha, hc]}
outputs: {a: joined, b: hb}
""")
class HeadsOfSeveralLengths(nn.Module):
    class Heads(nn.Module):
        def __init__(self, d: int, heads: int = 2, width: int = 8) -> None:
            super().__init__()
            self.qkv = nn.Linear(d, width)
            self.end = nn.Linear(width, d)
            self.heads = heads

        def forward(self, x: Tensor) -> Tensor:
            q = self.qkv(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
            mixed = F.scaled_dot_product_attention(q, q, q)
            return self.end(mixed.transpose(1, 2).flatten(2)) + x

    def __init__(self) -> None:
        super().__init__()
        self.ha = self.Heads(6)
        self.hb = self.Heads(4, heads=4)
        self.hc = nn.Sequential(self.Heads(6, width=6), self.Heads(6, width=6))

    def forward(self, a: Tensor, b: Tensor, c: Tensor) -> dict[str, Tensor]:
        return {"a": torch.cat((self.ha(a), self.hc(c)), 1), "b": self.hb(b)}


@handwritten("""
blocks:
  same: {inputs: [x, y], nodes: {z: {merge: add, from: [x, y]}}, outputs: {y: x, x: z}}
  gate:
    params: {axis: 1, keep: 0.5, act: 0.1}
    inputs: {x: [C, L], y: [C, L]}
    nodes:
      conv: {layer: Conv1d, from: x, out_channels: $C, kernel_size: 3, padding: same, activation: {LeakyReLU: $act}}
      gate: {layer: Softmax, from: conv, dim: $axis}
      mixed: {merge: formula, expr: "$keep * g * x + (1 - $keep) * y", from: {g: gate, x: x, y: y}}
      shared: {share: conv, from: mixed}
    outputs: {x: shared, y: mixed}
inputs: {a: [3, T], b: [3, T], c: [4, 6]}
nodes:
  run: {block: gate, from: [a, b], repeat: {with: {axis: [1, 2, 1], keep: [0.5, 1, 0.25]}}}
  other: {block: gate, from: [c, c], act: 0.3}
  swap: {block: same, from: [run.x, run.y], repeat: 3}
outputs: {x: swap.x, y: swap.y, c: other.y}
""")
class GatesInALoop(nn.Module):
    class Gate(nn.Module):
        def __init__(self, c: int, axis: int = 1, keep: float = 0.5, act: float = 0.1) -> None:
            super().__init__()
            self.conv = nn.Conv1d(c, c, 3, padding="same")
            self.numbers = axis, keep, act

        def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            axis, keep, act = self.numbers
            conv = F.leaky_relu(self.conv(x), act)
            mixed = keep * conv.softmax(axis) * x + (1 - keep) * y
            return F.leaky_relu(self.conv(mixed), act), mixed

    def __init__(self) -> None:
        super().__init__()
        self.run = nn.ModuleList([self.Gate(3, 1), self.Gate(3, 2, 1), self.Gate(3, 1, 0.25)])
        self.other = self.Gate(4, act=0.3)

    def forward(self, a: Tensor, b: Tensor, c: Tensor) -> dict[str, Tensor]:
        x, y = a, b
        for gate in self.run:
            x, y = gate(x, y)
        for _ in range(3):
            x, y = x + y, x
        return {"x": x, "y": y, "c": self.other(c, c)[1]}


@handwritten("""
blocks:
  embed: {params: {width: 4}, inputs: [ids], nodes: {table: {layer: Embedding, from: ids, embedding_dim: $width}}, outputs: table}
  tower:
    params: {widths: [8, 4]}
    seq: [{mlp: {repeat: {with: {width: $widths}}}}]
  mlp: {params: {width: 3}, seq: [{Linear: {out_features: $width, activation: ReLU}}, {Dropout: 0.2}]}
inputs: {user: {vocab: 10}, item: {vocab: 20, shape: [4]}, age: [1]}
nodes:
  user_vec: {block: embed, from: user}
  item_vec: {block: embed, from: item, width: 3}
  items: {from: item_vec, seq: [{Flatten: }, {Linear: 4}]}
  joined: {merge: concat, from: [user_vec, items, age], dim: -1}
  deep: {block: tower, from: joined}
  wide: {block: tower, from: age, widths: [2, 3, 4]}
  score: {merge: dot, from: [deep, wide], activation: Sigmoid}
outputs: score
""")
class TwoTowersOfCategories(nn.Module):
    class Embed(nn.Module):
        def __init__(self, count: int, width: int) -> None:
            super().__init__()
            self.table = nn.Embedding(count, width)

    def tower(self, *widths: int) -> nn.Module:
        pairs = pairwise(widths)
        return nn.Sequential(
            nn.Sequential(*[nn.Sequential(nn.Linear(a, b), nn.Dropout(0.2)) for a, b in pairs])
        )

    def __init__(self) -> None:
        super().__init__()
        self.user_vec = self.Embed(10, 4)
        self.item_vec = self.Embed(20, 3)
        self.items = nn.Sequential(nn.Flatten(), nn.Linear(12, 4))
        self.deep = self.tower(9, 8, 4)
        self.wide = self.tower(1, 2, 3, 4)

    def forward(self, user: Tensor, item: Tensor, age: Tensor) -> Tensor:
        items = self.items(self.item_vec.table(item))
        deep, wide = torch.cat((self.user_vec.table(user), items, age), 1), age
        for linear, drop in self.deep[0]:
            deep = drop(linear(deep).relu())
        for linear, drop in self.wide[0]:
            wide = drop(linear(wide).relu())
        return torch.sigmoid((deep * wide).sum(1))


@handwritten("""
params: {c: 4}
blocks:
  both_half: {inputs: [x], nodes: {b: {block: both, from: [x, x], take: mean}, a: {layer: ReLU, from: b}}, outputs: {relu: a, mean: b}}
  up: {params: {c: $(c * 2)}, inputs: {x: [C, L]}, seq: [{Conv1d: {out_channels: $(c + C), kernel_size: 1}}]}
  both:
    inputs: {x: [C, L], y: [C, M]}
    nodes:
      joined: {merge: concat, from: [x, y], dim: -1}
      rows: {layer: Permute, from: joined, dims: [0, 2, 1]}
      run: {layer: LSTM, from: rows, hidden_size: $(C + 1), bidirectional: true, take: hidden, activation: Tanh}
      first: {layer: Select, from: run, dim: 1, index: 0}
      mean: {layer: Mean, from: run.output, dim: 1}
    outputs: {first: first, mean: mean, whole: run.output}
inputs: {a: [2, T], b: [2, S], d: [6, 3]}
nodes:
  end: {layer: Linear, from: firsts, out_features: 1}
  firsts: {merge: concat, from: [ab.first, ab.mean]}
  ab: {block: both, from: {y: b, x: a}}
  up: {from: d, seq: [up, {up: 1}, {both_half: {take: mean}}]}
outputs: {end: end, whole: ab.whole, up: up}
""")
class PortsInBlocksInChains(nn.Module):
    class Both(nn.Module):
        def __init__(self, c: int) -> None:
            super().__init__()
            self.run = nn.LSTM(c, c + 1, bidirectional=True, batch_first=True)

        def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            out, (hidden, _) = self.run(torch.cat((x, y), 2).transpose(1, 2))
            return torch.tanh(hidden[0]), out.mean(1), out

    class Half(nn.Module):
        def __init__(self, c: int) -> None:
            super().__init__()
            self.b = PortsInBlocksInChains.Both(c)
            self.a = nn.ReLU()

    def __init__(self) -> None:
        super().__init__()
        self.end = nn.Linear(9, 1)
        self.ab = self.Both(2)
        one, two = nn.Conv1d(6, 14, 1), nn.Conv1d(14, 15, 1)
        self.up = nn.Sequential(nn.Sequential(one), nn.Sequential(two), self.Half(15))

    def forward(self, a: Tensor, b: Tensor, d: Tensor) -> dict[str, Tensor]:
        first, mean, whole = self.ab(a, b)
        up = self.up[1](self.up[0](d))
        end = self.end(torch.cat((first, mean), 1))
        return {"end": end, "whole": whole, "up": self.up[2].b(up, up)[1]}


# the tests


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_spec_is_the_model_by_hand(case: Case) -> None:
    graph = mg.loads(case.text)
    assert_same_weights(graph, case.reference)
    for sizes in two_sizes(graph):
        assert_same_results(graph, case.reference, sizes)
    assert_no_local_outlives_its_last_use(graph)


def assert_same_weights(graph: mg.Graph, reference: type[nn.Module]) -> None:
    ours, theirs = seeded(graph.compile).state_dict(), seeded(reference).state_dict()
    assert list(ours) == list(theirs)
    assert [key for key in ours if not torch.equal(ours[key], theirs[key])] == []


def assert_same_results(graph: mg.Graph, reference: type[nn.Module], sizes: dict[str, int]) -> None:
    """Check that outputs and gradients are the same, and shapes and dtypes as inferred."""
    compiled, by_hand = seeded(graph.compile), seeded(reference)
    inputs = seeded_inputs(graph.typed, BATCH, 0, sizes)
    ours, theirs = run(compiled, inputs), run(by_hand, inputs)
    assert_same(ours, theirs)
    assert_same(gradients(compiled, ours), gradients(by_hand, theirs))
    for tensor, type_ in zip(ours.values(), graph.outputs.values(), strict=True):
        expected = [substitute(dim, sizes | {"N": BATCH}) for dim in type_.shape]
        assert [*tensor.shape] == expected
        assert str(tensor.dtype) == f"torch.{type_.dtype}"


def test_the_source_is_formatted_and_independent_of_mimgraph(tmp_path: Path) -> None:
    """ruff finds nothing to report or reformat, and mimgraph is not mentioned."""
    for name, case in CASES.items():
        source = mg.loads(case.text).source()
        assert "mimgraph" not in source, name
        (tmp_path / f"{name}.py").write_text(source)
    options = ["--isolated", "--no-cache", "--line-length", "100", str(tmp_path)]
    for command in (["check"], ["format", "--diff"]):
        done = subprocess.run(
            [RUFF, *command, *options], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_no_local_of_the_gallery_outlives_its_last_use(spec: Path) -> None:
    assert_no_local_outlives_its_last_use(mg.load(spec))


def assert_no_local_outlives_its_last_use(graph: mg.Graph) -> None:
    for function in ast.walk(ast.parse(graph.source())):
        if isinstance(function, ast.FunctionDef) and function.name == "forward":
            assert list(dead_locals(function)) == []


def dead_locals(function: ast.FunctionDef) -> Iterator[str]:
    """Yield each local that is still alive after a statement although nothing reads it later."""
    inputs = {a.arg for a in (*function.args.args, *function.args.kwonlyargs)}
    lists = dict(appended(function))  # what a list holds takes no memory of its own
    alive: set[str] = set()
    for index, statement in enumerate(function.body):
        later = function.body[index + 1 :]
        if isinstance(statement, ast.If) and isinstance(statement.body[-1], ast.Return):
            continue  # locals of a branch that returns do not reach the rest
        names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
        alive |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
        for inner in ast.walk(statement):  # variables of a comprehension are local to it
            if isinstance(inner, ast.comprehension):
                alive -= {node.id for node in ast.walk(inner.target) if isinstance(node, ast.Name)}
        if isinstance(statement, ast.For):  # loop variables are modules and numbers, not tensors
            alive -= {node.id for node in ast.walk(statement.target) if isinstance(node, ast.Name)}
        alive -= {node.id for node in names if isinstance(node.ctx, ast.Del)}
        if later and isinstance(later[0], ast.Delete) or isinstance(statement, ast.Return):
            continue
        if later and is_alias(statement) and is_alias(later[0]):
            continue  # second names take no memory, and one `del` comes after all of them
        for name in alive - inputs:
            if not read_first(name, later) and lists.get(name) not in alive:
                yield f"{name} after {ast.unparse(statement)}"


def appended(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Yield each local that is appended to a list, with the list."""
    for node in ast.walk(function):
        match node:
            case ast.Call(ast.Attribute(ast.Name(steps), "append"), [ast.Name(name)]):
                yield name, steps


def is_alias(statement: ast.stmt) -> bool:
    """Return whether a statement only gives a second name to a value."""
    return isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Name)


def read_first(name: str, statements: list[ast.stmt]) -> bool:
    """Return whether the statements read the name before they bind it again."""
    for statement in statements:
        names = [n for n in ast.walk(statement) if isinstance(n, ast.Name) and n.id == name]
        if any(isinstance(node.ctx, ast.Load) for node in names):
            return True
        if names:
            return False
    return False
