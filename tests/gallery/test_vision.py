"""Models of images, each against torchvision's: its number of weights and, given them, its output."""

from __future__ import annotations

import pytest
import torch

from tests.gallery import assert_same_model, gallery

torchvision = pytest.importorskip("torchvision")

NAMES = {
    "resnet18": "resnet18",
}


@pytest.mark.parametrize("name", NAMES)
def test_is_torchvisions(name: str) -> None:
    reference = torchvision.models.get_model(NAMES[name])
    image = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    assert_same_model(gallery(name), reference, image=image)
