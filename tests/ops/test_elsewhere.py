"""The names of ops in torch and Keras: torch has them, and the importer of Keras models knows them."""

from __future__ import annotations

from functools import reduce
from importlib import import_module

import einops
import torch
import torchvision
from torch import nn
from torch.nn import functional

from mimgraph.importer.foreign.keras import rules
from mimgraph.ops import registry
from mimgraph.ops.spelling import all_names, names_of, op_called
from tests.helpers.cases import check_each

ROOTS = {
    "torch": torch,
    "nn": nn,
    "F": functional,
    "torchvision": torchvision,
    "einops": einops,
}
OPS = {name: op for kind in ("layer", "merge", "tensor") for name, op in registry.ops(kind).items()}
# names of Keras that an import does not meet as layers of their own
NOT_IMPORTED = {"LSTMCell", "GRUCell", "SimpleRNNCell", "Swish", "HardSwish"}
# layers of Keras that are several nodes here, or none
NO_OP = {
    "Activation",
    "SeparableConv1D",
    "SeparableConv2D",
    "EinsumDense",
    "GaussianDropout",
    "GaussianNoise",
    "Masking",
    "ActivityRegularization",
    "RandomBrightness",
    "RandomContrast",
    "RandomFlip",
    "RandomRotation",
    "RepeatVector",
    "RandomTranslation",
    "RandomZoom",
    "LayerScale",
    "Normalization",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Bidirectional",
    "TimeDistributed",
}


def test_every_op_in_the_list_exists() -> None:
    assert all_names().keys() <= OPS.keys()


def test_torch_has_the_names() -> None:
    check_each(OPS, is_in_torch)


def is_in_torch(name: str) -> None:
    names = names_of(OPS[name])
    assert names.torch is not None
    for spelling in names.torch.split():
        root, *path = spelling.split(".")
        assert callable(reduce(getattr, path, ROOTS[root])), spelling


def test_the_names_of_keras_are_those_that_an_import_knows() -> None:
    for home in rules._HOMES.split():
        import_module(f"mimgraph.importer.foreign.keras.layers.{home}")
    known = {*rules._LAYERS, *rules._OPERATIONS}
    listed = {name for names in all_names().values() for name in names.keras.split()}
    assert listed - known == NOT_IMPORTED
    assert {name for name in known if op_called(name) is None} == NO_OP


# ops that share a name with one that comes first
AFTER = {
    "BatchNorm1d": "BatchNorm2d",
    "BatchNorm3d": "BatchNorm2d",
    "cosine": "CosineSimilarity",
    "bilinear": "Bilinear",
}


def test_an_op_is_found_by_its_names() -> None:
    wrong = []
    for name in all_names():
        names = names_of(OPS[name])
        for spelling in f"{names.torch} {names.keras}".split():
            found = op_called(spelling.rpartition(".")[2])
            if found is None or found.name not in (name, AFTER.get(name)):
                wrong.append((name, spelling, found))
    assert not wrong
