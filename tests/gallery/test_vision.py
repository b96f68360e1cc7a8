"""Models of images, each against torchvision's: its number of weights and, given them, its output."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.gallery import assert_same_model, gallery

torchvision = pytest.importorskip("torchvision")

NAMES = {
    "resnet18": "resnet18",
    "resnet50": "resnet50",
    "densenet121": "densenet121",
    "mobilenet_v2": "mobilenet_v2",
    "mobilenet_v3_small": "mobilenet_v3_small",
    "efficientnet_b0": "efficientnet_b0",
}


@pytest.mark.parametrize("name", NAMES)
def test_is_torchvisions(name: str) -> None:
    with torch.device("meta"):  # its weights are drawn anew in any case
        reference = torchvision.models.get_model(NAMES[name])
    coarse = torch.randn(2, 3, 7, 7, generator=torch.Generator().manual_seed(1))
    image = F.interpolate(coarse, size=224, mode="bilinear")
    assert_same_model(gallery(name), reference.to_empty(device="cpu"), image=image)
