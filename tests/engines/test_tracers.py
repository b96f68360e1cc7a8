"""`torch.fx` traces a model; TorchScript scripts or traces it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.checkpoint import checkpoint

import mimgraph as mg
from tests.engines.models import MODELS, Model, assert_close, each_of, every_model, loss_gradients

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit", "ignore:Converting a tensor")


@each_of([m for m in MODELS if m.name != "gpt2"])
def test_fx_traces_a_model(model: Model) -> None:
    """`concrete_args` say which inputs are left out, as a trace has one path."""
    module = model.compile()
    traced = torch.fx.symbolic_trace(module, concrete_args=dict.fromkeys(model.left_out))
    traced.graph.lint()
    for batch in (3, 5):
        assert_close(traced(**model.inputs(batch)), module(**model.inputs(batch)))


def test_export_makes_fx_graphs_of_models_that_use_sizes() -> None:
    """A call such as `torch.arange(x.shape[1])` takes no proxy, but `torch.export` makes an fx graph, too."""
    model = MODELS[5]
    module, inputs = model.compile(), model.inputs(3)
    with pytest.raises(TypeError):
        torch.fx.symbolic_trace(module)
    shapes = model.graph.dynamic_shapes()
    traced = torch.export.export(module, (), inputs, dynamic_shapes=shapes).module()
    assert isinstance(traced, torch.fx.GraphModule)
    other = model.inputs(5, T=11)
    assert_close(traced(**other), module(**other))


@each_of(MODELS[:8])
def test_torchscript_scripts_a_model(model: Model, tmp_path: Path) -> None:
    module = model.compile()
    torch.jit.script(module).save(tmp_path / "model.pt")
    loaded = torch.jit.load(tmp_path / "model.pt")
    for batch in (3, 5):
        assert_close(loaded(**model.inputs(batch)), module(**model.inputs(batch)))


@every_model
def test_torchscript_traces_a_model_by_position(model: Model) -> None:
    """Optional inputs too, though TorchScript cannot script their code."""
    module, inputs = model.compile(), model.inputs(3)
    adapter = mg.positional(module, inputs)
    with torch.no_grad():  # else the trace is compared with attention's fast path, which runs when nothing requires gradients
        traced = torch.jit.trace(adapter, tuple(inputs.values()))
    other = model.inputs(5)
    assert_close(traced(*other.values()), module(**other))


def test_torchscript_traces_several_outputs_if_not_strict() -> None:
    graph = mg.loads("""
        inputs: {x: [3]}
        nodes:
          one: {layer: Linear, from: x, out_features: 4}
          two: {layer: Linear, from: one, out_features: 2}
        outputs: [one, two]
    """)
    module = graph.compile()
    adapter = mg.positional(module)
    with pytest.raises(RuntimeError, match="dict at the output of the tracer"):
        torch.jit.trace(adapter, torch.randn(2, 3))
    traced, x = torch.jit.trace(adapter, torch.randn(2, 3), strict=False), torch.randn(5, 3)
    assert_close(traced(x), module(x=x))


@each_of([*MODELS[:3], *MODELS[-2:]])
def test_reentrant_checkpoints_by_position(model: Model) -> None:
    """It has gradients only if an input has."""
    module, inputs = model.compile(), model.inputs(3)
    plain = loss_gradients(module, module(**inputs))
    adapter = mg.positional(module, inputs)
    learning = [t.requires_grad_() if t.is_floating_point() else t for t in inputs.values()]
    again = checkpoint(adapter, *learning, use_reentrant=True)
    assert_close(loss_gradients(module, again), plain)


@every_model
def test_checkpoints_by_name(model: Model) -> None:
    module, inputs = model.compile(), model.inputs(3)
    plain = loss_gradients(module, module(**inputs))
    again = checkpoint(module, use_reentrant=False, **inputs)
    assert_close(loss_gradients(module, again), plain)


# --- by position --------------------------------------------------------------------------------


def test_inputs_by_position_are_in_the_order_of_the_spec() -> None:
    model = MODELS[0]
    module, inputs = model.compile(), model.inputs(3)
    adapter = mg.positional(module)
    assert torch.equal(adapter(inputs["input1"], inputs["input2"]), module(**inputs))
    other = mg.positional(module, ["input2", "input1"])
    assert torch.equal(other(inputs["input2"], inputs["input1"]), module(**inputs))
    lone = MODELS[3].compile()
    image = MODELS[3].inputs(1)["image"]
    assert torch.equal(mg.positional(lone, "image")(image), lone(image=image))
    assert not adapter.training and mg.positional(module.train()).training
    assert {id(p) for p in adapter.parameters()} == {id(p) for p in module.parameters()}


def test_a_lone_input_goes_through_a_chain() -> None:
    model = MODELS[3]
    module, inputs = model.compile(), model.inputs(3)
    chain = nn.Sequential(mg.positional(module), nn.Softmax(1))
    assert_close(chain(inputs["image"]), module(**inputs).softmax(1))


def test_wrong_inputs_by_position() -> None:
    module, x = MODELS[0].compile(), torch.zeros(1, 5)
    with pytest.raises(ValueError, match="there is no input 'x'; the inputs: input1, input2"):
        mg.positional(module, ["x"])
    with pytest.raises(TypeError, match="3 inputs were given, but the model takes input1, input2"):
        mg.positional(module)(x, x, x)
    wrapped = AveragedModel(module)
    with pytest.raises(
        TypeError,
        match="the forward of AveragedModel names no inputs: wrap the model in `positional`",
    ):
        mg.positional(wrapped)
    with pytest.raises(TypeError, match=r"takes a module such as graph.compile\(\), not <Graph "):
        mg.positional(MODELS[0].graph)  # type: ignore[arg-type]
