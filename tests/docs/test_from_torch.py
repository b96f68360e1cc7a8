"""The rows of "From torch, from Keras" are right: YAML and Python make one graph, which computes what torch does."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import mimgraph as mg
from mimgraph import layers, merges
from tests.conftest import ROOT, needed

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "language" / "from-torch-and-keras.md").read_text()
ROW = re.compile(r"^\| `(.*?)` \| `(\{.*?\})`<br>`(.*?)` \|$", re.MULTILINE)
TORCH, KERAS = (ROW.findall(half) for half in PAGE.split("## What a class does in torch"))
INPUTS = {
    "a": "[8]",
    "b": "[8]",
    "x": "[8]",
    "steps": "[T, 8]",
    "image": "[3, 8, 8]",
    "video": "[T, 3, 8, 8]",
    "words": "{shape: [T], vocab: 100}",
    "mask": "{shape: [8], dtype: bool}",
}


def tensors() -> dict[str, torch.Tensor]:
    """Return a tensor for each input."""
    torch.manual_seed(0)
    sizes = {"steps": (5, 8), "image": (3, 8, 8), "video": (5, 3, 8, 8)}
    found = {name: torch.randn(2, *sizes.get(name, (8,))) for name in INPUTS}
    return found | {"words": torch.randint(100, (2, 5)), "mask": torch.rand(2, 8) > 0.5}


def from_yaml(node: str) -> mg.Graph:
    """Return the graph of a node that reads some of the inputs."""
    read = [name for name in INPUTS if re.search(rf"\b{name}\b", node.partition(", ")[2] + node)]
    declared = ", ".join(f"{name}: {INPUTS[name]}" for name in read)
    return mg.loads(f"inputs: {{{declared}}}\nnodes:\n  y: {node}\noutputs: y\n")


def from_python(code: str) -> mg.Graph:
    """Return the graph of an expression of handles, which are called as the inputs."""
    handles = {
        "steps": mg.Input("steps", ("T", 8)),
        "image": mg.Input("image", (3, 8, 8)),
        "video": mg.Input("video", ("T", 3, 8, 8)),
        "words": mg.Input("words", ("T",), vocab=100),
        "mask": mg.Input("mask", (8,), dtype="bool"),
        **{name: mg.Input(name, (8,)) for name in "abx"},
    }
    names: dict[str, Any] = {"mg": mg, "layers": layers, "merges": merges, **handles}
    return mg.Graph({"y": eval(code, names)})


def run(graph: mg.Graph) -> torch.Tensor:
    """Return the output for the tensors, with weights and noise of a fixed seed."""
    given = tensors()
    torch.manual_seed(1)
    found = graph.compile()(**{name: given[name] for name in graph.inputs})
    assert isinstance(found, torch.Tensor)
    return found


@pytest.mark.parametrize(("theirs", "yaml", "python"), TORCH)
def test_a_row_of_torch_is_the_same_in_all_columns(theirs: str, yaml: str, python: str) -> None:
    given = tensors()
    torch.manual_seed(1)
    expected = eval(theirs, {"torch": torch, "nn": nn, "F": F, **given})
    for graph in (from_yaml(yaml), from_python(python)):
        torch.testing.assert_close(run(graph), expected)


@pytest.mark.parametrize(("theirs", "yaml", "python"), KERAS)
def test_a_row_of_keras_is_the_same_in_yaml_and_python(theirs: str, yaml: str, python: str) -> None:
    torch.testing.assert_close(run(from_yaml(yaml)), run(from_python(python)))


def test_all_rows_are_found() -> None:
    rows = [line for line in PAGE.splitlines() if "`<br>`" in line]
    assert len(rows) == len(TORCH) + len(KERAS) > 60


@pytest.mark.parametrize(("theirs", "yaml", "python"), KERAS)
def test_a_row_of_keras_gives_tensors_of_the_same_shape(
    theirs: str, yaml: str, python: str
) -> None:
    keras = needed("keras")
    shapes = {"steps": (5, 8), "image": (8, 8, 3), "video": (5, 8, 8, 3), "words": (5,)}
    handles = {name: keras.Input(shapes.get(name, (8,))) for name in INPUTS}
    found = list(eval(theirs, {**vars(keras.layers), **handles}).shape)[1:]
    ours = list(run(from_yaml(yaml)).shape)[1:]
    if len(found) > 2:
        found = [*found[:-3], found[-1], *found[-3:-1]]  # channels last
    assert found == ours
