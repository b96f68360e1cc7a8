"""A model is made on the meta device and moved to another; `meta` stands for any device."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import mimgraph as mg
from tests.engines.models import MODELS, Model, each_of, every_model


def on_meta(model: Model) -> nn.Module:
    with torch.device("meta"):
        return model.graph.compile().eval()


@every_model
def test_a_model_on_meta_allocates_nothing_and_moves_whole(model: Model) -> None:
    """All tensors that the forward makes are on the device of the inputs."""
    module = on_meta(model)
    assert {tensor.device.type for tensor in module.state_dict().values()} == {"meta"}
    inputs = {name: tensor.to("meta") for name, tensor in model.inputs(3).items()}
    for moved in (module, model.compile().to("meta")):
        output = moved(**inputs)
        assert output.device.type == "meta"
        assert output.shape == model.compile()(**model.inputs(3)).shape


@pytest.mark.parametrize("assign", [False, True], ids=["copied", "assigned"])
@every_model
def test_a_model_on_meta_gets_its_weights_later(model: Model, assign: bool) -> None:
    full, module = model.compile(), on_meta(model)
    if not assign:
        module.to_empty(device="cpu")
    module.load_state_dict(full.state_dict(), assign=assign)
    assert torch.equal(module(**model.inputs(3)), full(**model.inputs(3)))


@each_of(MODELS[:4])
def test_layers_reset_their_parameters(model: Model) -> None:
    """Layers reset in the order of the source, so they draw the same numbers as when they were made."""
    full, module = model.compile(), on_meta(model).to_empty(device="cpu")
    torch.manual_seed(0)
    for layer in module.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    assert torch.equal(module(**model.inputs(3)), full(**model.inputs(3)))


FOLLOWS_ALONE = """
inputs: {n: {shape: [4], dtype: int64}}
blocks: {stem: {seq: [{Cast: float32}, {Linear: 3}, Tanh]}}
nodes: {y: {block: stem, from: n}}
outputs: y"""


def test_the_buffer_of_the_dtype_moves_with_the_weights() -> None:
    """A Cast reads the dtype of the model from a buffer that is not in the state_dict nor ever on meta."""
    graph = mg.loads(FOLLOWS_ALONE)
    full = graph.compile()
    with torch.device("meta"):
        module = graph.compile()
    module.load_state_dict(full.state_dict(), assign=True)
    n = torch.arange(8).reshape(2, 4)
    assert torch.equal(module.to("cpu")(n=n), full(n=n))
    assert module.to(torch.bfloat16)(n=n).dtype == torch.bfloat16
    with torch.device("meta"):
        emptied = graph.compile().to(torch.float64)
    assert emptied.to_empty(device="cpu")(n=n).dtype == torch.float64
