"""`torch.export` keeps the batch and the named sizes open, within the graph's constraints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim

import mimgraph as mg
from mimgraph.codegen.runner import seeded_inputs
from tests.engines.models import MODELS, Model, assert_close, every_model

pytestmark = pytest.mark.filterwarnings("ignore:The tensor attributes")


def exported(graph: mg.Graph, model: nn.Module, inputs: dict[str, Tensor]) -> nn.Module:
    program = torch.export.export(model, (), inputs, dynamic_shapes=graph.dynamic_shapes(inputs))
    return program.module()


@every_model
def test_it_runs_at_other_sizes(model: Model) -> None:
    module, inputs = model.compile(), model.inputs(3)
    program = exported(model.graph, module, inputs)
    for batch, longer in ((1, 0), (2, 1), (5, 7)):
        sizes = {"T": 8 + longer} if "T" in str(model.graph.inputs) else {}
        inputs = model.inputs(batch, **sizes)
        assert_close(program(**inputs), module(**inputs))


@pytest.mark.parametrize("strict", [True, False])
def test_a_checked_model_is_exported_as_the_plain_one(strict: bool) -> None:
    model = MODELS[0]
    inputs = model.inputs(3)
    shapes = model.graph.dynamic_shapes()
    programs = [
        torch.export.export(m, (), inputs, dynamic_shapes=shapes, strict=strict)
        for m in (model.compile(), model.compile(check=True))
    ]
    plain, checked = ([node.target for node in p.graph.nodes] for p in programs)
    assert plain == checked


def test_it_is_saved_and_loaded(tmp_path: Any) -> None:
    model = MODELS[7]
    module, inputs = model.compile(), model.inputs(3)
    shapes = model.graph.dynamic_shapes(inputs)
    program = torch.export.export(module, (), inputs, dynamic_shapes=shapes)
    torch.export.save(program, tmp_path / "model.pt2")
    loaded = torch.export.load(tmp_path / "model.pt2").module()
    longer = model.inputs(4, T=31)
    assert_close(loaded(**longer), module(**longer))


# --- the Dims -----------------------------------------------------------------------------------

GROUPS = '{Rearrange: {pattern: "n (t k) -> n t k", sizes: {k: 4}}}'
OF_GROUPS = '{Rearrange: {pattern: "n (t a) k -> n t (a k)", sizes: {a: 3}}}'
PLACES = """
  steps: {arange: x, dim: 1}
  places: {layer: Embedding, from: steps, num_embeddings: 64, embedding_dim: 6}
  y: {merge: add, from: [x, places], broadcast: true}
"""


class Case(NamedTuple):
    """An input of a length T, what is done with it, its Dim, and lengths to run at; exported at the first."""

    x: str
    nodes: str
    dim: str
    lengths: tuple[int, ...]


def chain(*items: str) -> str:
    return f"\n  y: {{from: x, seq: [{', '.join(items)}]}}"


CASES = {
    "a name": Case("[T, 6]", chain("{Linear: 2}"), "Dim('T', min=1)", (8, 1, 99)),
    "a longest": Case("[T, 6]", PLACES, "Dim('T', min=1, max=64)", (8, 1, 64)),
    "a multiple": Case("[T]", chain(GROUPS), "4*_T", (8, 20)),
    "a multiple, shifted": Case(
        "[T]", chain("{Slice: {dim: 1, start: 3}}", GROUPS), "4*_T + 3", (23, 11)
    ),
    "of several divisors": Case("[T]", chain(GROUPS, OF_GROUPS), "12*_T", (24, 60)),
    "a window": Case(
        "[3, T]", chain("{Conv1d: {out_channels: 2, kernel_size: 5}}"), "DYNAMIC, min=5", (9, 6, 30)
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_dim_of_a_size(case: Case) -> None:
    graph = mg.loads(f"inputs: {{x: {case.x}}}\nnodes: {case.nodes}\noutputs: y")
    shapes = graph.dynamic_shapes()["x"]
    assert shapes is not None
    batch, size = shapes.values()
    assert str(batch) == "Dim('N', min=1)"
    assert case.dim in str(size)
    module = graph.compile().eval()
    program = exported(graph, module, seeded_inputs(graph.typed, 3, 0, {"T": case.lengths[0]}))
    for length in case.lengths:
        inputs = seeded_inputs(graph.typed, 2, 0, {"T": length})
        assert_close(program(**inputs), module(**inputs))


def test_one_name_is_one_dim() -> None:
    shapes = MODELS[7].graph.dynamic_shapes()
    tokens, padding = shapes["tokens"], shapes["padding"]
    assert tokens is not None and padding is not None
    assert tokens[0] is padding[0] and tokens[1] is padding[1]
    assert tokens.keys() == padding.keys() == {0, 1}


def test_inputs_left_out_are_none_or_not_told() -> None:
    graph = MODELS[-1].graph
    assert list(graph.dynamic_shapes(["numeric", "city", "job"])) == ["numeric", "city", "job"]
    assert list(graph.dynamic_shapes("city")) == ["city"]
    inputs: Mapping[str, Any] = MODELS[-1].inputs(3) | {"image": None}
    assert graph.dynamic_shapes(inputs)["image"] is None
    with pytest.raises(ValueError, match="there is no input 'photo'; the inputs: numeric, "):
        graph.dynamic_shapes(["photo"])


def test_what_torch_itself_cannot_keep_open() -> None:
    """An LSTM is unrolled, over its length too: by our module as by torch's own."""
    graph = mg.loads(
        "inputs: {x: [T, 3]}\nnodes: {y: {layer: LSTM, from: x, hidden_size: 4}}\noutputs: y"
    )
    inputs = seeded_inputs(graph.typed, 3, 0, {"T": 8})
    with pytest.raises(torch._dynamo.exc.UserError, match="T = 8"):
        exported(graph, graph.compile(), inputs)
    shapes = {"input": {0: Dim("N"), 1: Dim("T")}}
    with pytest.raises(torch._dynamo.exc.UserError, match="T = 8"):
        torch.export.export(nn.LSTM(3, 4, batch_first=True), (inputs["x"],), dynamic_shapes=shapes)
