"""All models of torchvision that classify or segment images."""

from __future__ import annotations

from functools import partial
from typing import Any

import torchvision

from tests.importer.zoo.model import Model

# the smallest images that a model takes also in training; the others take 64
SIDES = {"inception_v3": 299, "maxvit_t": 224, "vit_h_14": 56}
# transformers are made for one size of images
SIZED = ("vit_b_16", "vit_b_32", "vit_h_14", "vit_l_16", "vit_l_32")
# initialises millions of weights one by one otherwise
QUICKLY_MADE = ("googlenet", "inception_v3")
# the specs of specs/ that have the name of the model, but for one
GALLERY = {
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "googlenet",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "resnet18",
    "resnet50",
    "swin_t",
}


def _classifier(name: str) -> Model:
    side = SIDES.get(name, 64)
    options: dict[str, Any] = {"weights": None}
    if name in SIZED:
        options["image_size"] = side
    if name in QUICKLY_MADE:
        options["init_weights"] = False
    gallery = name if name in GALLERY else {"vit_b_16": "vit_b16"}.get(name, "")
    make = partial(torchvision.models.get_model, name, **options)
    return Model(name, make, {"x": (3, side, side)}, "torchvision", gallery)


def _segmenter(name: str) -> Model:
    make = partial(torchvision.models.get_model, name, weights=None, weights_backbone=None)
    argument = "input" if name.startswith("lraspp") else "x"
    return Model(name, make, {argument: (3, 64, 64)}, "torchvision")


MODELS = [
    *map(_classifier, torchvision.models.list_models(module=torchvision.models)),
    *map(_segmenter, torchvision.models.list_models(module=torchvision.models.segmentation)),
]
