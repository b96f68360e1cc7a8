"""Checks casts to the dtype of another source, `{layer: Cast, from: mask, like: x}`, and to float32,
the dtype of the model, which the code reads from a tensor."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import mimgraph as mg
from mimgraph import layers
from tests.language.test_schema import faults

SPEC = """\
name: Model
inputs:
  x: [T, 4]
  mask: {shape: [T], dtype: bool}
nodes:
  hidden: {layer: Linear, from: x, out_features: 3}
  typed: {layer: Cast, from: mask, like: hidden}
outputs: [hidden, typed]
"""


def test_cast_like_has_the_dtype_of_the_other_at_run_time() -> None:
    graph = mg.loads(SPEC)
    assert "typed = mask.to(hidden.dtype)" in graph.source()
    assert graph.shapes["typed"] == graph.shapes["mask"]
    assert graph.outputs["typed"].dtype == "float32"
    mask = torch.tensor([[True, False]])
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        found = graph.compile().to(dtype)(x=torch.rand(1, 2, 4, dtype=dtype), mask=mask)["typed"]
        assert found.dtype == dtype and found.tolist() == [[1, 0]]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = graph.compile()(x=torch.rand(1, 2, 4), mask=mask)["typed"]
    assert found.dtype == torch.bfloat16


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", "bool", "complex64"])
def test_inference_gives_cast_like_the_dtype_of_the_other(dtype: str) -> None:
    x, other = mg.Input("x", (4,)), mg.Input("other", (2,), dtype=dtype)
    graph = mg.Graph({"y": layers.Cast(like=other)(x)})
    assert graph.outputs["y"].dtype == dtype
    found = graph.compile()(x=torch.ones(1, 4), other=torch.ones(1, 2, dtype=getattr(torch, dtype)))
    assert str(found.dtype) == f"torch.{dtype}" and found.shape == (1, 4)


@pytest.mark.parametrize(
    "call",
    [
        lambda mask, x: layers.Cast(like=x)(mask, name="typed"),
        lambda mask, x: layers.Cast()(mask, like=x, name="typed"),
        lambda mask, x: layers.Cast()(input=mask, like=x, name="typed"),
    ],
)
def test_python_gives_the_same_graph(call: Callable[[mg.Tensor, mg.Tensor], mg.Tensor]) -> None:
    x, mask = mg.Input("x", ("T", 4)), mg.Input("mask", ("T",), dtype="bool")
    hidden = layers.Linear(3)(x, name="hidden")
    graph = mg.Graph([hidden, call(mask, hidden)])
    assert graph == mg.loads(SPEC)
    assert graph.dumps() == SPEC
    assert mg.loads(SPEC).dumps() == SPEC


@pytest.mark.parametrize("sources", ["{input: mask, like: hidden}", "[mask, hidden]"])
def test_like_may_be_among_the_sources(sources: str) -> None:
    graph = mg.loads(SPEC.replace("from: mask, like: hidden", f"from: {sources}"))
    assert graph == mg.loads(SPEC)


def test_a_sequential_has_no_second_source() -> None:
    x, mask = mg.Input("x", (4,)), mg.Input("mask", (4,), dtype="bool")
    with pytest.raises(mg.SpecError, match="Cast has no option 'like'"):
        mg.Sequential(layers.Cast(like=x), layers.Linear(2))(mask)


def test_the_schema_takes_like() -> None:
    assert not faults(SPEC)
    assert faults(SPEC.replace("like: hidden", "like: 3"))


def test_pictures_and_tables_show_the_second_source() -> None:
    graph = mg.loads(SPEC)
    assert graph.to_networkx().has_edge("hidden", "typed")
    (line,) = [line for line in str(graph.summary()).splitlines() if line.startswith("typed")]
    assert line.endswith("mask, hidden")


def spec(inputs: str, nodes: str, outputs: str = "y") -> str:
    return f"inputs: {inputs}\nnodes:\n  {nodes}\noutputs: {outputs}\n"


WHOLE = "{n: {shape: [4], dtype: int64}}"
BESIDE = "{n: {shape: [4], dtype: int64}, x: [4]}"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            spec(BESIDE, "y: {layer: Cast, from: n, dtype: float32}", "[x, y]"),
            "n.to(x.dtype)",
        ),
        (
            spec(
                WHOLE,
                "c: {layer: Cast, from: n, dtype: float32}\n"
                "  y: {layer: Linear, from: c, out_features: 3}",
            ),
            "n.to(self.y.weight.dtype)",
        ),
        (
            spec(BESIDE, 'y: {merge: formula, expr: "n / 3 * x", from: {n: n, x: x}}'),
            "(n / 3).to(x.dtype) * x",
        ),
        (
            spec(
                BESIDE, 'y: {merge: formula, expr: "where(x > 0, x, 0.5)", from: {x: x}}', "[y, n]"
            ),
            "torch.where(x > 0, x, 0.5)",
        ),
        (
            spec(BESIDE, "y: {merge: multiply, from: [n, x]}"),
            "n * x",
        ),
        (
            spec(BESIDE, 'y: {merge: formula, expr: "n / 3 > 1", from: {n: n}}', "[x, y]"),
            "n / 3 > 1",
        ),
        (
            spec(WHOLE, 'y: {merge: formula, expr: "n / 3", from: {n: n}}'),
            "(n / 3).to(self.like.dtype)",
        ),
    ],
)
def test_the_code_reads_the_dtype_of_the_tensor_that_it_meets(text: str, code: str) -> None:
    lines = [line.partition("  #")[0].strip() for line in mg.loads(text).source().splitlines()]
    assert any(
        line in (f"y = {code}", f"c = {code}", f"x = {code}", f"return {code}") for line in lines
    )
