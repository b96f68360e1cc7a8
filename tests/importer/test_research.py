"""Modules as researchers write them are imported and proven, most with nothing that stays Python."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from tests.conftest import needed
from tests.importer.zoo import models
from tests.importer.zoo.model import Model

# no layer of a spec does what one function of it does
PARTLY_PYTHON = {"functional-weights": "weight"}


@pytest.mark.slow
@pytest.mark.parametrize("model", models("research"), ids=lambda model: model.name)
def test_a_research_module_is_proven(model: Model) -> None:
    torch.manual_seed(0)
    data = mg.from_module(model.make(), dict(model.inputs)).data()
    assert data["proven"]
    reasons = {one["reason"] for one in data["opaque"]}
    assert reasons == {PARTLY_PYTHON[model.name]} if model.name in PARTLY_PYTHON else not reasons
    assert not data["frozen"]
    assert not data["left_out"]


def test_a_module_that_does_something_else_in_training_is_refused() -> None:
    class Other(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * 2 if self.training else x + 1

    with pytest.raises(ValueError, match="training does something else than evaluation"):
        mg.from_module(Other(), {"x": (4,)})


# of each library one model with a whole family behind it in CI, and more before a release
LIBRARIES = {
    "torchvision": ("shufflenet_v2_x0_5", "mnasnet0_5", "resnet18", "squeezenet1_1"),
    "transformers": ("bert", "bert-no-mask", "convnext", "deit", "distilbert", "vit"),
    "timm": ("timm-tinynet_e", "timm-lcnet_050", "timm-regnety_002", "timm-resnet18"),
}


@pytest.mark.parametrize(
    ("family", "name"),
    [
        pytest.param(family, name, marks=pytest.mark.nightly if more else pytest.mark.slow)
        for family, names in LIBRARIES.items()
        for more, name in enumerate(names)
    ],
)
def test_a_model_of_a_library_is_proven(family: str, name: str) -> None:
    needed(family)
    (model,) = (one for one in models(family) if one.name == name)
    torch.manual_seed(0)
    assert mg.from_module(model.make(), dict(model.inputs)).data()["proven"]
