"""Checks that every class of torch.nn is a layer, or is left out for a reason given here."""

from __future__ import annotations

from torch import nn

from mimgraph import layers
from tests.ops.layers.oracle import TORCH

LEFT_OUT = {
    "a loss: training is not the model's": [
        "AdaptiveLogSoftmaxWithLoss",
        "BCELoss",
        "BCEWithLogitsLoss",
        "CTCLoss",
        "CosineEmbeddingLoss",
        "CrossEntropyLoss",
        "GaussianNLLLoss",
        "HingeEmbeddingLoss",
        "HuberLoss",
        "KLDivLoss",
        "L1Loss",
        "LinearCrossEntropyLoss",
        "MSELoss",
        "MarginRankingLoss",
        "MultiLabelMarginLoss",
        "MultiLabelSoftMarginLoss",
        "MultiMarginLoss",
        "NLLLoss",
        "NLLLoss2d",
        "PoissonNLLLoss",
        "SmoothL1Loss",
        "SoftMarginLoss",
        "TripletMarginLoss",
        "TripletMarginWithDistanceLoss",
    ],
    "a container: the graph is one": [
        "Container",
        "Module",
        "ModuleDict",
        "ModuleList",
        "ParameterDict",
        "ParameterList",
        "Sequential",
    ],
    "a base class": ["RNNBase", "RNNCellBase"],
    "a wrapper of a model, for several GPUs": ["DataParallel"],
}
LAZY = "Lazy"  # torch infers the sizes of these classes at run time, mimgraph before

CLASSES = [
    name
    for name, thing in vars(nn).items()
    if isinstance(thing, type) and issubclass(thing, nn.Module) and not name.startswith("_")
]
NO_LAYERS = {name: reason for reason, names in LEFT_OUT.items() for name in names}


def test_a_class_of_torch_nn_is_a_layer_or_left_out() -> None:
    left_out = {name for name in CLASSES if name in NO_LAYERS or name.startswith(LAZY)}
    assert {*CLASSES} - {*layers.__all__} == left_out


def test_only_classes_of_torch_are_left_out() -> None:
    later = {"LinearCrossEntropyLoss"} if TORCH < (2, 13) else set()
    assert set(CLASSES) >= NO_LAYERS.keys() - later
