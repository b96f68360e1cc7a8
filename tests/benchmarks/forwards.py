"""Forwards of compiled classes against the classes written by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
import torchvision
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.runtime.runner import seeded_inputs
from tests.benchmarks.case import Case, Cost, clocked
from tests.gallery import gallery
from tests.gallery.test_audio import WaveNet
from tests.gallery.test_missing import ByHand
from tests.gallery.test_vision import TORCHVISIONS, AttentionUNet
from tests.helpers.handwritten import MODELS as SEEDS

NOISE = 0.03


class Reference(NamedTuple):
    """A handwritten class equal to a spec with these params; small models are measured in more
    rounds."""

    make: Callable[[], nn.Module]
    params: Mapping[str, int] = {}
    rounds: int = 20


def torchvision_model(name: str) -> nn.Module:
    return torchvision.models.get_model(TORCHVISIONS[name])


REFERENCES: dict[str, Reference] = {
    **{name: Reference(made, rounds=300) for name, made in SEEDS.items()},
    **{name: Reference(partial(torchvision_model, name)) for name in TORCHVISIONS},
    "wavenet": Reference(WaveNet, rounds=150),
    "unet_attention": Reference(partial(AttentionUNet, width=8), {"width": 8}, rounds=60),
    "image_table_missing": Reference(ByHand, rounds=150),
}
SHOWN = {*SEEDS, "resnet50", "densenet121"}  # models with a row of their own in the report


def inputs_of(graph: mg.Graph, batch: int) -> dict[str, Tensor]:
    return seeded_inputs(graph.typed, batch, 0, choose_sizes(graph.typed, {}))


def repeated(action: Callable[[], Any], with_gradients: bool = False) -> Cost:
    """Return the time of one call, measured over enough calls for the clock's resolution."""

    def run() -> None:
        with torch.set_grad_enabled(with_gradients):
            for _ in range(calls):
                action()

    calls = 1
    once = clocked(run)
    calls = max(1, min(50, int(0.002 / min(once(), once()))))
    return clocked(run, calls)


def forward(name: str, backward: bool) -> tuple[Cost, Cost]:
    """Run one sample through the compiled and the handwritten class, on one thread.

    With `backward` in training mode with gradients, else in eval mode without.
    """
    torch.set_num_threads(1)
    reference = REFERENCES[name]
    graph = gallery(name, **reference.params)
    ours, by_hand = graph.compile().train(backward), reference.make().train(backward)
    share_weights(ours, by_hand)
    inputs = inputs_of(graph, batch=1)

    def run(model: nn.Module, *args: Tensor, **named: Tensor) -> None:
        result = model(*args, **named)
        if backward:
            sum_of(result).backward()

    return (
        repeated(partial(run, ours, **inputs), backward),
        repeated(partial(run, by_hand, *inputs.values()), backward),
    )


def share_weights(ours: nn.Module, by_hand: nn.Module) -> None:
    """Make both models read the same memory, as its place changes the time of a forward by up to 6 %.

    Weights are paired by size, as their names and order differ; their values do not matter.
    """
    pairs = (sorted(m.parameters(), key=Tensor.numel) for m in (ours, by_hand))
    for mine, theirs in zip(*pairs, strict=True):
        theirs.data = mine.data.view_as(theirs)


def sum_of(result: Any) -> Tensor:
    """Return the sum of all tensors that a model returned."""
    if isinstance(result, Tensor):
        return result.sum()
    return sum(x.sum() for x in tree_leaves(result))


def cases() -> Iterator[Case]:
    for what, backward in (("forward", False), ("forward and backward", True)):
        for name, reference in REFERENCES.items():
            yield Case(
                f"{what}, {name}",
                "the class by hand",
                partial(forward, name, backward),
                at_most=0.95 if name == "simple_numerical" else 1 + NOISE,
                rounds=reference.rounds,
                group="" if name in SHOWN else what,
            )
