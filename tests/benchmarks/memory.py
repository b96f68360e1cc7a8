"""Peak memory of a forward without gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

import mimgraph as mg
from tests.benchmarks import peers
from tests.benchmarks.case import Case, Cost, fixed
from tests.benchmarks.forwards import torchvision_model
from tests.emit.test_liveness import Lives
from tests.gallery import gallery


def watched(model: nn.Module, call: Callable[[], Any]) -> Lives:
    """Run a call, and return the lives of all tensors except the model's own."""
    with torch.no_grad(), Lives([*model.parameters(), *model.buffers()]) as lives:
        call()
    return lives


def elementwise(nodes: int) -> mg.Graph:
    """Return a graph of `nodes` element-wise nodes in a row."""
    lines = "".join(f"  n{i + 1}: {{layer: ReLU, from: n{i}}}\n" for i in range(nodes))
    return mg.loads(f"inputs: {{n0: [64]}}\nnodes:\n{lines}outputs: n{nodes}\n")


def tensors_alive(model: nn.Module, call: Callable[[], Any]) -> Cost:
    """Return the largest number of tensors alive at once during a call."""
    return lambda: max(map(len, watched(model, call).alive))


def ours_alive() -> Cost:
    model = elementwise(1_000).compile()
    return tensors_alive(model, lambda: model(n0=torch.ones(8, 64)))


def alive_beside_keras() -> tuple[Cost, Cost]:
    model = peers.keras_relus(1_000)
    return ours_alive(), tensors_alive(model, lambda: model(torch.ones(8, 64)))


def memory_of_resnet() -> tuple[Cost, Cost]:
    ours, theirs = gallery("resnet50").compile().eval(), torchvision_model("resnet50").eval()
    image = torch.ones(8, 3, 224, 224)
    return (
        lambda: watched(ours, lambda: ours(image=image)).peak,
        lambda: watched(theirs, lambda: theirs(image)).peak,
    )


def cases() -> Iterator[Case]:
    yield Case(
        name="peak of a forward, 1,000 element-wise nodes",
        against="a limit",
        make=lambda: (ours_alive(), fixed(3)),
        at_most=1.0,
        rounds=1,
        unit="tensors",
    )
    yield Case(
        name="peak of a forward, 1,000 element-wise nodes",
        against="keras",
        make=alive_beside_keras,
        rounds=1,
        unit="tensors",
        peer="keras",
        slow=True,
    )
    yield Case(
        name="peak of a forward, resnet50, batch 8",
        against="torchvision",
        make=memory_of_resnet,
        at_most=1.1,
        rounds=1,
        unit="MB",
        slow=True,
    )
