"""`torch.compile` takes a model whole, checked inputs and optional ones included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import nn

import mimgraph as mg
from tests.engines.models import (
    MODELS,
    Model,
    assert_close,
    each_of,
    every_model,
    loss_gradients,
    nightly,
)
from tests.helpers.compiled_pairs import PAIRS, Pair, graphs
from tests.ops.layers.oracle import TORCH


@contextmanager
def whole() -> Iterator[None]:
    """Allow no graph break, also not at an LSTM, where torch makes one by default."""
    torch._dynamo.reset()
    with torch._dynamo.config.patch(allow_rnn=True):
        yield


def assert_compiles(model: Model, backend: str, check: bool = False) -> None:
    """Check that outputs and gradients of the compiled model equal the results of the plain one."""
    with whole():
        inputs, plain, module = model.inputs(4), model.compile(), model.compile(check=check)
        output = plain(**inputs)
        compiled = torch.compile(module, fullgraph=True, backend=backend)(**inputs)
        assert_close(compiled, output)
        assert_close(loss_gradients(module, compiled), loss_gradients(plain, output), atol=1e-3)


@every_model
def test_a_model_compiles_in_one_graph(model: Model) -> None:
    assert_compiles(model, "aot_eager")


# a minute for each model
@pytest.mark.parametrize("model", [MODELS[0], *(nightly(MODELS[n]) for n in (2, 7, 8))], ids=str)
def test_a_model_compiles_to_machine_code(model: Model) -> None:
    assert_compiles(model, "inductor")


@each_of([MODELS[0], *MODELS[-3:]])
def test_a_model_with_checked_inputs_compiles(model: Model) -> None:
    """The check runs before the graph at each call, and checks values too."""
    assert_compiles(model, "aot_eager", check=True)
    with whole():
        inputs, module = model.inputs(4), model.compile(check=True)
        compiled = torch.compile(module, fullgraph=True, backend="eager")
        compiled(**inputs)
        name, right = next(iter(inputs.items()))
        with pytest.raises(ValueError, match=f"^{name} has shape "):
            compiled(**inputs | {name: right[..., None]})


@pytest.mark.skipif(TORCH < (2, 13), reason="traces nn.LSTM.forward in place of an override of it")
def test_values_are_checked_before_compiled_code() -> None:
    model = MODELS[1]
    with whole():
        inputs, module = model.inputs(4), model.compile(check=True)
        compiled = torch.compile(module, fullgraph=True, backend="eager")
        compiled(**inputs)
        with pytest.raises(ValueError, match="text_input has values outside 0 to 999"):
            compiled(**inputs | {"text_input": inputs["text_input"] + 1000})


def test_any_number_of_models_compile_in_one_process() -> None:
    with whole():
        for width in range(1, torch._dynamo.config.recompile_limit + 3):
            spec = f"inputs: {{x: [3]}}\nnodes: {{y: {{layer: Linear, from: x, out_features: {width}}}}}"
            model = mg.loads(f"{spec}\noutputs: y\n").compile()
            compiled = torch.compile(model, fullgraph=True, backend="eager")
            assert compiled(x=torch.ones(2, 3)).shape == (2, width)


def test_a_part_of_a_larger_module_compiles_with_it() -> None:
    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.part = mg.loads(
                "inputs: {x: [3]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n"
            ).compile()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.part(x=x - 1) + 1
            return result

    with whole():
        compiled = torch.compile(Whole(), fullgraph=True, backend="eager")
        assert compiled(torch.zeros(2, 3)).tolist() == [[1.0] * 3] * 2


def test_missing_inputs_compile_another_graph() -> None:
    """One module is called with an optional input and without."""
    given, left_out = MODELS[-2:]
    module = given.compile()
    with whole():
        compiled = torch.compile(module, fullgraph=True, backend="eager")
        for model in (given, left_out, given):
            assert_close(compiled(**model.inputs(4)), module(**model.inputs(4)))


def test_other_sizes_compile_no_other_graph() -> None:
    model, graphs = MODELS[7], []

    def count(graph: torch.fx.GraphModule, _: list[torch.Tensor]) -> nn.Module:
        graphs.append(graph)
        return graph

    module = model.compile()
    with whole():
        compiled = torch.compile(module, fullgraph=True, backend=count, dynamic=True)
        for batch, length in ((2, 8), (3, 9), (5, 17)):
            inputs = model.inputs(batch, T=length)
            assert_close(compiled(**inputs), module(**inputs))
    assert len(graphs) == 1


@pytest.mark.parametrize(
    "pair",
    [nightly(pair, unless=pair.name == "image_numerical") for pair in PAIRS],
    ids=str,
)
def test_no_more_graphs_than_the_class_by_hand(pair: Pair) -> None:
    """Neither for one batch, where the code may be broken into several, nor for ten other sizes."""
    ours = graphs(pair.graph().compile(), pair, by_name=True)
    assert ours == graphs(pair.by_hand(), pair, by_name=False)


@pytest.mark.parametrize("reads", ["x", "{input: x, lengths: steps}"])
def test_recurrent_layers_break_the_graph(reads: str) -> None:
    """torch puts no recurrent layer into a graph, unless it is allowed to, and none with lengths."""
    graph = mg.loads(f"""
        inputs: {{x: [T, 5], steps: {{shape: [], dtype: int64}}}}
        nodes:
          read: {{layer: LSTM, from: {reads}, hidden_size: 6}}
          more: {{layer: Cast, from: steps, dtype: float32}}
        outputs: [read, more]
    """)
    module = graph.compile()
    torch._dynamo.reset()
    compiled = torch.compile(module, backend="aot_eager")
    for batch, length in ((3, 5), (4, 7)):
        inputs = {"x": torch.randn(batch, length, 5), "steps": torch.full((batch,), length - 1)}
        assert_close(compiled(**inputs), module(**inputs))
    torch._dynamo.reset()
    with pytest.raises(torch._dynamo.exc.Unsupported):
        torch.compile(module, fullgraph=True, backend="eager")(**inputs)
