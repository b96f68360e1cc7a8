"""The models for the tests of engines: the first three specs, and six of the gallery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.runtime.runner import seeded_inputs
from tests.conftest import ROOT


@dataclass(frozen=True)
class Model:
    """A spec of the gallery, made small by `params`, without the optional inputs in `left_out`."""

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} without {' and '.join(self.left_out)}" if self.left_out else self.name

    @cached_property
    def graph(self) -> mg.Graph:
        return mg.load(ROOT / "specs" / f"{self.name}.yaml", self.params)

    def compile(self, *, check: bool = False) -> nn.Module:
        """Return a new module in evaluation mode, with the same weights each time."""
        torch.manual_seed(0)
        return self.graph.compile(check=check).eval()

    def inputs(self, batch: int, **sizes: int) -> dict[str, Tensor]:
        """Return the same inputs for the same batch and sizes; sizes that are not given are chosen."""
        typed = self.graph.typed
        made = seeded_inputs(typed, batch, 0, choose_sizes(typed, sizes))
        return {name: tensor for name, tensor in made.items() if name not in self.left_out}


@dataclass(frozen=True)
class Written(Model):
    """Return the model with this text."""

    text: str = ""

    @cached_property
    def graph(self) -> mg.Graph:
        return mg.loads(self.text)


MODELS = [
    Model("simple_numerical"),
    Model("text_numerical"),
    Model("image_numerical"),
    Model("residual_cnn"),
    Model("vit_b16", {"width": 32, "depth": 2, "heads": 2, "patch": 56, "classes": 10}),
    Model("gpt2", {"width": 32, "depth": 2, "heads": 2, "vocab": 100, "longest": 64}),
    Model("dlrm", {"most": 100}),
    Model("masked_attention"),
    Model("image_table_missing"),
    Model("image_table_missing", left_out=("image", "has_image")),
]

QUICK = (MODELS[0], MODELS[7], MODELS[9])


def nightly(case: Any, *, unless: bool = False, name: str | None = None) -> Any:
    """Return a case that only the nightly run takes, unless CI takes it as well."""
    return pytest.param(case, id=name, marks=() if unless else pytest.mark.nightly)


def each_of(models: list[Model]) -> pytest.MarkDecorator:
    """Parametrize a test with each of these as its `model`; CI takes the quick ones, or the first."""
    kept = [model for model in models if model in QUICK] or models[:1]
    cases = [nightly(model, unless=model in kept) for model in models]
    return pytest.mark.parametrize("model", cases, ids=str)


every_model = each_of(MODELS)


def loss_gradients(model: nn.Module, output: Tensor) -> dict[str, Tensor]:
    """Return the gradient of each parameter that contributes to the output."""
    model.zero_grad()
    output.square().sum().backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def assert_close(ours: Any, theirs: Any, **tolerances: float) -> None:
    """Check that tensors, or dicts of them, are equal up to the order in which an engine sums."""
    torch.testing.assert_close(ours, theirs, **({"rtol": 1e-4, "atol": 1e-5} | tolerances))
