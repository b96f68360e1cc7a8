"""The gallery against its references: specs by name, weights carried from one model to another."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

import mimgraph as mg
from tests.conftest import ROOT


def gallery(name: str, **params: Any) -> mg.Graph:
    """The graph of a spec in specs/, with `params` in place of its own."""
    return mg.load(ROOT / "specs" / f"{name}.yaml", params)


def count(model: nn.Module) -> int:
    """The number of learned scalars; what is tied counts once."""
    return sum(parameter.numel() for parameter in model.parameters())


def on_meta(graph: mg.Graph) -> nn.Module:
    """The module without memory for its weights, to count them."""
    with torch.device("meta"):
        return graph.compile()


def randomise(model: nn.Module, seed: int = 0) -> None:
    """New values for every float of the state, none of them special: no zero bias, no unit scale."""
    generator = torch.Generator().manual_seed(seed)
    for key, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        if tensor.dim() > 1:  # keeps the size of what passes through
            tensor.normal_(std=tensor[0].numel() ** -0.5, generator=generator)
        elif key.endswith(("weight", "running_var")):
            tensor.uniform_(0.5, 1.5, generator=generator)
        else:
            tensor.normal_(std=0.2, generator=generator)


def copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Every tensor of `target` becomes the next of its shape in `source`, of which none is left.

    An axis of size 1 that stands for the batch of a learned tensor does not count.
    """
    waiting: defaultdict[torch.Size, deque[Tensor]] = defaultdict(deque)
    for tensor in source.state_dict().values():
        waiting[_unbatched(tensor)].append(tensor)
    for key, tensor in target.state_dict().items():
        queue = waiting[_unbatched(tensor)]
        assert queue, f"nothing is left for {key} {tuple(tensor.shape)}"
        tensor.copy_(queue.popleft().view_as(tensor))
    left = [tuple(shape) for shape, tensors in waiting.items() for _ in tensors]
    assert not left, f"left over: {left}"


def _unbatched(tensor: Tensor) -> torch.Size:
    return tensor.shape[1:] if tensor.dim() == 3 and len(tensor) == 1 else tensor.shape


def assert_same_model(graph: mg.Graph, reference: nn.Module, **inputs: Tensor) -> nn.Module:
    """The spec's model, which has the reference's weights and, given them, its outputs for these inputs.

    The reference takes the inputs by position, and gives its outputs in the spec's order. Samples
    must not all look alike to it, or else nothing is told.
    """
    randomise(reference)
    _settle(reference, *inputs.values())
    ours = on_meta(graph).to_empty(device="cpu").eval()  # all of it is copied
    copy_weights(reference, ours)
    assert count(ours) == count(reference)
    with torch.no_grad():
        expected, actual = reference.eval()(*inputs.values()), ours(**inputs)
    for theirs, mine in zip(_tensors(expected), _tensors(actual), strict=True):
        scale = theirs.abs().max().item()
        assert theirs.std(0).max() > 1e-3 * scale
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4 * scale)
    return ours


@torch.no_grad()
def _settle(model: nn.Module, *inputs: Tensor) -> None:
    """BatchNorms take the statistics of these inputs, so that a deep random model tells them apart."""
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0
    if norms:
        model.train()(*inputs)


def _tensors(result: Tensor | tuple[Tensor, ...] | dict[str, Tensor]) -> tuple[Tensor, ...]:
    match result:
        case Tensor():
            return (result,)
        case dict():
            return tuple(result.values())
        case _:
            return tuple(result)
