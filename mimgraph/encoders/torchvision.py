"""Know the classifiers of torchvision as layers: `torchvision.resnet50`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mimgraph.encoders.encoder import Encoder, one_of, option
from mimgraph.encoders.probe import Model, results
from mimgraph.ir.lowering import Lowering, Module
from mimgraph.ir.option_types import Positive
from mimgraph.ir.types import TensorType
from mimgraph.ops.rule_helpers import with_rank
from mimgraph.ops.signature import OptionSpec

if TYPE_CHECKING:
    from torch import nn

WEIGHTS = {"resnet18": ("IMAGENET1K_V1", "DEFAULT")}


def encoder(model: str) -> Encoder | None:
    """Return a classifier of torchvision.models as a layer; None if it has none with this name."""
    return Classifier(model) if model in WEIGHTS else None


def names() -> list[str]:
    """Return the names of the classifiers."""
    return [*WEIGHTS]


class Classifier(Encoder):
    """A classifier of images of torchvision.models."""

    def __init__(self, model: str) -> None:
        super().__init__(
            f"torchvision.{model}", f"torchvision's {model}: (N, 3, H, W) -> (N, num_classes)."
        )
        self.model = model

    @property
    def example(self) -> tuple[tuple[str, ...], str]:
        """Return the inputs and a node that uses the model."""
        return ("image: [3, 224, 224]",), f"{{layer: {self.name}, from: image, weights: DEFAULT}}"

    def given_options(self) -> list[OptionSpec]:
        """Return the options that a spec may give."""
        return [
            option("weights", one_of(WEIGHTS[self.model]) | None, None),
            option("num_classes", Positive, 1000),
        ]

    def lower(self, sources: Mapping[str, TensorType], options: Mapping[str, Any]) -> Lowering:
        """Return the module and the types of its results."""
        image = sources["input"]
        with_rank(image, 3, self.name, "(N, 3, H, W)")
        decisive = {name: value for name, value in options.items() if name != "weights"}
        model = Model(self.name, decisive, partial(_build, self.model, decisive))
        weights, buffers = model.tensors()
        made = Module(
            *(self.model, dict(options), weights, buffers),
            package="torchvision.models",
            positional=0,
        )
        return Lowering(results(model, sources)[""], made, products=None)


def _build(model: str, options: Mapping[str, Any]) -> nn.Module:
    """Return the model without weights."""
    found: nn.Module = import_module("torchvision.models").get_model(model, weights=None, **options)
    return found
