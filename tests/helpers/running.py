"""Make and run models as many tests do: seeded, saved and loaded, with the outputs by name."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.runtime.runner import seeded_inputs

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


def inputs_of(graph: mg.Graph) -> dict[str, Tensor]:
    """Return inputs of a graph, of three samples and the sizes that its check chooses."""
    return seeded_inputs(graph.typed, 3, 0, choose_sizes(graph.typed, {}))


def same_as_by_hand(ours: nn.Module, theirs: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
    """Check that a model has the weights, outputs and gradients of the class written by hand; return
    its output."""
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert all(map(torch.equal, ours.state_dict().values(), theirs.state_dict().values()))
    results = [model(**inputs) for model in (ours, theirs)]
    torch.testing.assert_close(*results)
    for result in results:
        result.sum().backward()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    found: Tensor = results[0]
    return found
