"""Specs of published architectures beside the gallery, each compared with a reference model.

A reference is the published code (transformers, torchvision) or the paper's formulas in plain torch. It
takes the inputs of its spec in order, and returns its outputs in order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from torch import Tensor, nn

import mimgraph as mg
from tests.gallery import transformers_for_torch

SPECS = sorted(Path(__file__).parent.glob("*.yaml"))
Inputs = Weights = dict[str, Tensor]
Made = TypeVar("Made", bound=Callable[..., nn.Module])


class Reference(NamedTuple):
    """The reference of a spec: `make` takes the params `small`; `sizes` gives the named sizes.

    `prepare` changes the random inputs where they mean something, as lengths and masks do. Weights are
    copied by their key; where the keys differ, by how they are used. If the spec's model cuts them in
    another way, `weights` returns them by its keys.
    """

    make: Callable[..., nn.Module]
    small: Mapping[str, Any]
    sizes: Mapping[str, int]
    prepare: Callable[[Inputs], Inputs] | None
    weights: Callable[[Weights], Weights] | None


REFERENCES: dict[str, Reference] = {}


def reference(
    spec: str,
    *,
    sizes: Mapping[str, int] | None = None,
    prepare: Callable[[Inputs], Inputs] | None = None,
    weights: Callable[[Weights], Weights] | None = None,
    **small: Any,
) -> Callable[[Made], Made]:
    """Register the decorated class or function as the reference of a spec, with params for a small model."""

    def register(make: Made) -> Made:
        REFERENCES[spec] = Reference(make, small, sizes or {}, prepare, weights)
        return make

    return register


def published(name: str, **params: Any) -> mg.Graph:
    """Return the graph of a spec of this folder, with other values for these params."""
    return mg.load(Path(__file__).parent / f"{name}.yaml", params)


class Called(nn.Module):
    """A model that takes the inputs of a spec and returns its outputs: `call` passes them to `model`."""

    def __init__(self, model: nn.Module, call: Callable[..., Any]) -> None:
        super().__init__()
        self.model, self.call = model, call

    def forward(self, *inputs: Tensor) -> Any:
        return self.call(self.model, *inputs)


def logits(model: nn.Module, tokens: Tensor) -> Tensor:
    """Return the logits of a model of transformers for the tokens alone."""
    return model(tokens).logits


# what configs of transformers call the params of specs, but for those that `hugging_face` is told
NAMES = {
    "vocab": "vocab_size",
    "width": "hidden_size",
    "feed": "intermediate_size",
    "heads": "num_attention_heads",
    "groups": "num_key_value_heads",
    "depth": "num_hidden_layers",
    "longest": "max_position_embeddings",
    "window": "sliding_window",
    "theta": "rope_theta",
}


def hugging_face(
    name: str,
    params: Mapping[str, Any],
    call: Callable[..., Any] = logits,
    *,
    names: Mapping[str, str] | None = None,
    **options: Any,
) -> Called:
    """Return a model of transformers; without transformers, skip the test.

    Its config has the params of the spec, some by other `names`, and more options. `call` takes the model
    and the inputs of the spec, and returns the outputs.
    """
    known_by = NAMES | dict(names or {})
    options |= {known_by[param]: value for param, value in params.items() if param in known_by}
    known = getattr(transformers_for_torch(), name)
    return Called(known(known.config_class(**options)), call)
