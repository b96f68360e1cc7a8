"""A model is made without memory and moved to where its weights shall be; `meta` stands for any device."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.engines.models import MODELS, Model, each_of, every_model


def on_meta(model: Model) -> nn.Module:
    with torch.device("meta"):
        return model.graph.compile().eval()


@every_model
def test_nothing_is_allocated_nor_stays_behind(model: Model) -> None:
    """Whatever the forward makes is where the inputs are."""
    module = on_meta(model)
    assert {tensor.device.type for tensor in module.state_dict().values()} == {"meta"}
    inputs = {name: tensor.to("meta") for name, tensor in model.inputs(3).items()}
    for moved in (module, model.compile().to("meta")):
        output = moved(**inputs)
        assert output.device.type == "meta"
        assert output.shape == model.compile()(**model.inputs(3)).shape


@pytest.mark.parametrize("assign", [False, True], ids=["copied", "assigned"])
@every_model
def test_it_gets_its_weights_later(model: Model, assign: bool) -> None:
    full, module = model.compile(), on_meta(model)
    if not assign:
        module.to_empty(device="cpu")
    module.load_state_dict(full.state_dict(), assign=assign)
    assert torch.equal(module(**model.inputs(3)), full(**model.inputs(3)))


@each_of(MODELS[:4])
def test_its_layers_reset_themselves(model: Model) -> None:
    """In the order of the text, so that they draw what they would have drawn at once."""
    full, module = model.compile(), on_meta(model).to_empty(device="cpu")
    torch.manual_seed(0)
    for layer in module.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    assert torch.equal(module(**model.inputs(3)), full(**model.inputs(3)))
