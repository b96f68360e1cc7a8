"""Make and run models as many tests do: seeded, saved and loaded, with the outputs by name."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

import mimgraph as mg

Made = TypeVar("Made")


def seed() -> None:
    """Seed the CPU's generator of torch.

    `torch.manual_seed` takes a hundred times as long: for each kind of device that is not there, it
    keeps the stack of every call.
    """
    torch.default_generator.manual_seed(0)


def seeded(make: Callable[[], Made]) -> Made:
    """Return what `make` returns after seeding torch."""
    seed()
    return make()


def saved(model: nn.Module) -> nn.Module:
    """Return a model as `torch.save` and `torch.load` give it back."""
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    loaded: nn.Module = torch.load(buffer, weights_only=False)
    return loaded


def by_name(result: Any, graph: mg.Graph | None = None) -> dict[str, Tensor]:
    """Return the outputs of a model by name; a single one by its name in the graph, or by ""."""
    if isinstance(result, dict):
        return result
    (name,) = [""] if graph is None else graph.outputs
    return {name: result}
