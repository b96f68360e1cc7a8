"""A node with `over` does at every index of an axis what it does without `over` on that slice."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.cost.bind_sizes import filled
from tests.helpers.cases import each, texts
from tests.helpers.running import by_name, seeded

N, T, S = 3, 4, 5
BLOCKS = """\
blocks:
  small: {params: {width: 4}, seq: [{Conv2d: {out_channels: $width, kernel_size: 3, padding: 1}}, ReLU]}
  row: {inputs: [a], nodes: {l: {layer: Linear, from: a, out_features: 8, activation: Tanh}}, outputs: l}
  pair:
    inputs: [a, b]
    nodes:
      a_out: {layer: Linear, from: a, out_features: 8}
      b_out: {merge: add, from: [a_out, b]}
    outputs: {a: a_out, b: b_out}
  row_and: {inputs: [a, w], nodes: {l: {merge: add, from: [a, w], broadcast: true}}, outputs: l}
  cell: {inputs: [a, h], nodes: {s: {merge: add, from: [a, h]}}, outputs: {y: s, h: s}}
  sums: {inputs: [a, h], nodes: {s: {scan: cell, over: a, carry: {h: h}}}, outputs: s.y}
  cls:
    inputs: [a]
    nodes:
      token: {parameter: [1, 8], init: ones, batched: true}
      tokens: {merge: concat, from: [token, a]}
      noted: {layer: LSTM, from: tokens, hidden_size: 3}
    outputs: {first: noted.last, every: noted}
"""
# without the batch, by name
INPUTS = {"x": (T, S, 8), "u": (T, S, 8), "h": (T, 8), "gone": (T, S), "video": (T, 3, 6, 7)}
SPECS = {name: text for name, (text,) in texts(Path(__file__).with_name("over.md")).items()}
# the nodes, which read some of these inputs, and the outputs
CASES = {name: text for name, text in SPECS.items() if text.startswith("nodes:")}


def read_by(nodes: str) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the inputs that the nodes read."""
    return {name: shape for name, shape in INPUTS.items() if re.search(rf"\b{name}\b", nodes)}


def spec(nodes: str, inputs: Mapping[str, tuple[int, ...]], named: bool) -> str:
    """Return a spec of nodes and outputs whose sizes T and S are `named`, or numbers."""
    sizes = {T: "T", S: "S"} if named else {}
    shapes = {name: [sizes.get(size, size) for size in shape] for name, shape in inputs.items()}
    written = (
        f"{name}: {{shape: [{', '.join(map(str, shape))}], dtype: {dtype(name)}}}"
        for name, shape in shapes.items()
    )
    return f"inputs: {{{', '.join(written)}}}\n{BLOCKS}{nodes}"


def dtype(name: str) -> str:
    return "bool" if name == "gone" else "float32"


def tensors(inputs: Mapping[str, tuple[int, ...]], n: int = N) -> dict[str, Tensor]:
    found = {name: torch.randn(n, *shape) for name, shape in inputs.items()}
    return {name: tensor > 1 if dtype(name) == "bool" else tensor for name, tensor in found.items()}


def without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return shape[: axis - 1] + shape[axis:]


OVER = re.compile(r", over: (-?\d)")


@each("name", [*CASES])
def test_it_does_the_same_on_every_slice(name: str) -> None:
    nodes = CASES[name]
    inputs = read_by(nodes)
    rank = max(map(len, inputs.values())) + 1
    axis = int(OVER.findall(nodes)[0]) % rank
    plain = OVER.sub("", nodes)
    sliced = {name: without(shape, axis) for name, shape in inputs.items()}
    reference = seeded(lambda: mg.loads(spec(plain, sliced, False)).compile()).eval()
    graph = mg.loads(spec(nodes, inputs, "Flatten" not in nodes and "-1" not in nodes))
    model = graph.compile().eval()
    model.load_state_dict(reference.state_dict())
    given = tensors(inputs)
    results = by_name(model(**given))
    slices = [
        by_name(reference(**{key: one.select(axis, i) for key, one in given.items()}))
        for i in range(next(iter(given.values())).shape[axis])
    ]
    types = {key: graph.typed.body.type_of(v) for key, v in graph.typed.body.outputs.items()}
    for (key, result), type_ in zip(results.items(), types.values(), strict=True):
        place = axis if axis < result.dim() else 1
        torch.testing.assert_close(result, torch.stack([one[key] for one in slices], place))
        assert result.shape == filled(type_, {"N": N, "T": T, "S": S}).shape


# --- models as published, by hand -----------------------------------------------------------------


class VideoClassifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.frames = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.clip = nn.LSTM(4, 5, batch_first=True)
        self.score = nn.Linear(5, 2)

    def forward(self, video: Tensor) -> Tensor:
        n, t = video.shape[:2]
        frames = self.frames(video.reshape(n * t, 3, 8, 8)).reshape(n, t, 4)
        _, (hidden, _) = self.clip(frames)
        return self.score(hidden[-1])  # type: ignore[no-any-return]


@each("training", [True, False])
def test_it_equals_the_model_written_by_hand(training: bool) -> None:
    """tests/gallery/published/over_axes.py has attention along two axes, and lengths inside of lengths."""
    reference = seeded(VideoClassifier).train(training)
    model = mg.loads(SPECS["a video classifier"]).compile().train(training)
    model.load_state_dict(copy.deepcopy(reference.state_dict()))
    video = torch.randn(2, 5, 3, 8, 8)
    torch.testing.assert_close(model(video=video), reference(video))
    torch.testing.assert_close(model.state_dict(), reference.state_dict())


def test_the_code_is_as_one_writes_it() -> None:
    source = mg.loads(SPECS["a video classifier"]).source()
    assert "self.frames(video.flatten(0, 1)).unflatten(0, video.shape[:2])  # (N, T, 4)" in source


# --- sizes, dtypes, missing sources, tools --------------------------------------------------------


@each("n, t", [(0, 4), (2, 0), (0, 0), (1, 1)])
def test_an_axis_or_batch_may_be_empty(n: int, t: int) -> None:
    nodes = """\
nodes:
  a: {layer: Linear, from: x, out_features: 2, over: 1}
  b: {layer: Linear, from: x, out_features: 2, over: 2}
outputs: [a, b]
"""
    model = mg.loads(spec(nodes, read_by("x"), True)).compile()
    result = model(x=torch.randn(n, t, 3, 8))
    assert result["a"].shape == result["b"].shape == (n, t, 3, 2)


OPTIONAL = """\
inputs: {x: [T, S, 8], z: {shape: [T, S, 8], optional: true}, gone: {shape: [T, S], dtype: bool, optional: true}}
blocks:
  two:
    inputs: [a, b]
    nodes:
      both: {merge: add, from: [a, b], missing: skip}
      rest: {layer: Linear, from: b, out_features: 3}
      filled: {layer: Fill, from: rest, value: zeros}
    outputs: {both: both, rest: filled}
nodes:
  masked: {layer: MultiheadAttention, from: {query: x, key_padding_mask: gone}, num_heads: 2, over: AXIS}
  two: {block: two, from: {a: x, b: z}, over: AXIS}
  sum: {merge: add, from: [x, z], missing: skip, over: AXIS}
outputs: {masked: masked, both: two.both, rest: two.rest, sum: sum}
"""


@each("axis, given", [*product([1, 2], [(), ("z",), ("gone",), ("z", "gone")])])
def test_sources_may_be_missing(axis: int, given: tuple[str, ...]) -> None:
    plain = re.sub(r", over: AXIS", "", OPTIONAL).replace("[T, S, 8]", "[T, 8]")
    reference = seeded(mg.loads(plain.replace("[T, S]", "[T]")).compile).eval()
    model = mg.loads(OPTIONAL.replace("AXIS", str(axis))).compile().eval()
    model.load_state_dict(reference.state_dict())
    every = {"z": torch.randn(N, T, S, 8), "gone": torch.randn(N, T, S) > 1}
    inputs = {"x": torch.randn(N, T, S, 8)} | {key: every[key] for key in given}
    results = model(**inputs)
    for i in range((T, S)[axis - 1]):
        wanted = reference(**{key: one.select(axis, i) for key, one in inputs.items()})
        for key, result in results.items():
            torch.testing.assert_close(result.select(axis, i), wanted[key])


def test_it_follows_the_dtype_of_the_model() -> None:
    model = mg.loads(SPECS["axial attention"]).compile()
    assert model.double()(x=torch.randn(2, 8, 3, 4).double()).dtype == torch.float64
    assert model.bfloat16()(x=torch.randn(2, 8, 3, 4).bfloat16()).dtype == torch.bfloat16


@pytest.mark.slow
def test_it_is_exported_with_open_sizes_and_pickled() -> None:
    graph = mg.loads(SPECS["axial attention"])
    model, inputs = graph.compile().eval(), {"x": torch.randn(2, 8, 3, 4)}
    program = torch.export.export(model, (), inputs, dynamic_shapes=graph.dynamic_shapes(inputs))
    copied = pickle.loads(pickle.dumps(model))
    for sizes in ((2, 8, 3, 4), (5, 8, 7, 2)):
        given = torch.randn(*sizes)
        torch.testing.assert_close(program.module()(x=given), model(x=given))
        torch.testing.assert_close(copied(x=given), model(x=given))


def test_stages_compute_what_the_model_does() -> None:
    nodes = """\
nodes:
  a: {block: row, from: x, repeat: 3, over: 2}
  y: {layer: ReLU, from: a}
outputs: y
"""
    graph = mg.loads(spec(nodes, read_by("x"), True))
    model = seeded(graph.compile)
    stages = [stage.compile() for stage in graph.split(["a.2", "y"])]
    given = torch.randn(N, T, S, 8)
    result: Any = (given,)
    for stage in stages:
        stage.load_state_dict(model.state_dict(), strict=False)
        result = stage(*result)
        result = result if isinstance(result, tuple) else (result,)
    torch.testing.assert_close(result[0], model(x=given))
