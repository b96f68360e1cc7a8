"""Every example in the docstring of a public name runs: blocks of code, and calls in backticks."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import mimgraph as mg
from mimgraph import layers, merges
from tests.conftest import needed

needed("sphinx")
from extension import api
from extension.docstrings import examples, text_of

pytestmark = pytest.mark.slow

INLINE = re.compile(r"(?<!`)`((?:mg|graph|layers|merges|@mg)\b[^`]*)`(?!`)")


def documented() -> Iterator[tuple[str, Any]]:
    """Yield every public function, class, record and member with its name."""
    for part in api.PARTS:
        for name, thing in [
            *((name, getattr(mg, name)) for name in part.names),
            *((record.__name__, record) for record in part.records),
        ]:
            yield name, thing
            if inspect.isclass(thing):
                for member in api._members(thing):
                    yield f"{name}.{member}", inspect.getattr_static(thing, member)
    for name in ("__call__", "__getitem__"):
        yield f"Graph.{name}", inspect.getattr_static(mg.Graph, name)


def cases() -> Iterator[object]:
    """Yield each example once, with the name whose docstring has it."""
    seen = set()
    for name, thing in documented():
        text = text_of(thing)
        calls = (one for one in INLINE.findall(text) if "(" in one and "..." not in one)
        for code in [*examples(text), *calls]:
            if code not in seen and not code.startswith("@"):
                seen.add(code)
                yield pytest.param(name, code, id=f"{name}: {code[:40]}")


SPEC = """
name: Both
params: {width: {search: [16, 32]}}
inputs:
  image: [3, 16, 16]
  text: {shape: [T], vocab: 100}
blocks:
  residual:
    inputs: [input]
    params: {stride: 1}
    nodes:
      conv: {layer: Conv2d, from: input, out_channels: 8, kernel_size: 3, padding: 1, stride: $stride}
    outputs: conv
nodes:
  conv1: {layer: Conv2d, from: image, out_channels: 8, kernel_size: 3, padding: 1, activation: ReLU}
  stage: {block: residual, from: conv1}
  pooled: {from: stage, seq: [{AdaptiveAvgPool2d: 1}, Flatten]}
  words: {layer: Embedding, from: text, embedding_dim: 8}
  lstm: {layer: LSTM, from: words, hidden_size: 8}
  fused: {merge: concat, from: [pooled, lstm.last]}
  drop: {layer: Dropout, from: fused, p: 0.1}
  fc1: {layer: Linear, from: drop, out_features: $width, activation: ReLU}
  fc: {layer: Linear, from: fc1, out_features: 10}
outputs: {score: fc}
"""


class Net(nn.Module):
    """A small module of an image and a text."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.words = nn.Embedding(1000, 8)
        self.fc = nn.Linear(56, 3)

    def forward(self, image: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        return self.fc(torch.cat((self.pool(image).flatten(1), self.words(text).mean(1)), 1))


class Gate(nn.Module):
    """A module to register."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.fc = nn.Linear(hidden, hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x)


class Blend(nn.Module):
    """A module to register as a merge."""

    def __init__(self, hidden: int) -> None:
        super().__init__()

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a + b


@pytest.fixture(scope="module")
def graph() -> mg.Graph:
    return mg.loads(SPEC)


@pytest.fixture
def names(graph: mg.Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what the examples take as given, in a folder with the files that they read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("webbrowser.open", lambda address: True)
    model = graph.compile()
    graph.save(model, "old.safetensors")
    graph.dump("resnet.yaml")
    Path("model.yaml").write_text(SPEC.replace("Linear", "Liner"))
    x = mg.Input("x", (64,))
    return {
        "mg": mg,
        "layers": layers,
        "merges": merges,
        "torch": torch,
        "graph": graph,
        "old": graph,
        "new": graph.with_options("fc1", out_features=64),
        "spec": mg.edit("resnet.yaml"),
        "model": model,
        "inputs": {"image": torch.zeros(2, 3, 16, 16), "text": torch.zeros(2, 5).long()},
        "net": Net(),
        "Gate": Gate,
        "x": x,
        "m": mg.Input("m", (64,)),
        "a": layers.Linear(3)(x, name="a"),
        "b": layers.Linear(3)(x, name="b"),
        "image": mg.Input("image", (8, 16, 16)),
    }


@pytest.mark.parametrize(("name", "code"), list(cases()))
def test_an_example_runs(name: str, code: str, names: dict[str, Any]) -> None:
    if name == "Graph.blocks":  # of images
        names["x"] = names["image"]
    if "blend" in code:
        mg.register(Blend, name="blend", kind="merge")
    exec(compile(code, "<docstring>", "exec"), names)  # noqa: S102 - an example of ours
