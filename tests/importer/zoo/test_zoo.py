"""The models of the zoo run in evaluation and in training, at several sizes."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from tests.conftest import needed
from tests.importer.zoo import FAMILIES, models
from tests.importer.zoo.model import Model, draw

# take seconds and gigabytes
HUGE = ("regnet_y_128gf", "vit_h_14")


def _runs(model: Model) -> None:
    torch.manual_seed(0)
    module = model.make()
    for training in (False, True):
        module.train(training)
        for batch, sizes in ((2, {"T": 9, "U": 6}), (3, {"T": 12, "U": 8})):
            module(**draw(model, batch, **sizes))


@pytest.mark.slow
def test_the_research_modules_run() -> None:
    for model in models("research"):
        _runs(model)


@pytest.mark.nightly
@pytest.mark.parametrize("family", ["transformers", "torchvision", "timm"])
def test_the_models_of_a_library_run(family: str) -> None:
    needed(family)
    for model in models(family):
        if model.name not in HUGE:
            _runs(model)


@pytest.mark.nightly
def test_the_zoo_has_each_name_once_and_more_than_a_hundred() -> None:
    needed("timm")
    names = Counter(model.name for family in FAMILIES for model in models(family))
    assert sum(names.values()) > 100
    assert not [name for name, times in names.items() if times > 1]
