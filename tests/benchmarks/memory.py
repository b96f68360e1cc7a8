"""What a forward without gradients holds in memory at its peak."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from weakref import finalize

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import mimgraph as mg
from tests.benchmarks import peers
from tests.benchmarks.case import Case, Cost, fixed
from tests.benchmarks.forwards import torchvisions
from tests.gallery import gallery


class Peak(TorchDispatchMode):
    """The most tensors, and the most bytes of them, that are alive at once."""

    def __init__(self) -> None:
        super().__init__()
        self.tensors = self.bytes = self.most_tensors = self.most_bytes = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        result = func(*args, **(kwargs or {}))
        before = {x.untyped_storage()._cdata for x in tree_leaves(args) if isinstance(x, Tensor)}
        for made in tree_leaves(result):
            if isinstance(made, Tensor) and made.untyped_storage()._cdata not in before:
                self.made(made.untyped_storage())
        return result

    def made(self, storage: torch.UntypedStorage) -> None:
        size = storage.nbytes()
        finalize(storage, self.add, -1, -size)
        self.add(1, size)

    def add(self, tensors: int, bytes: int) -> None:
        self.tensors, self.bytes = self.tensors + tensors, self.bytes + bytes
        self.most_tensors = max(self.most_tensors, self.tensors)
        self.most_bytes = max(self.most_bytes, self.bytes)


def peak(call: Callable[[], Any]) -> Peak:
    with torch.no_grad(), Peak() as found:
        call()
    return found


def elementwise(nodes: int) -> mg.Graph:
    """That many element-wise nodes in a row."""
    lines = "".join(f"  n{i + 1}: {{layer: ReLU, from: n{i}}}\n" for i in range(nodes))
    return mg.loads(f"inputs: {{n0: [64]}}\nnodes:\n{lines}outputs: n{nodes}\n")


def tensors_alive() -> Cost:
    model = elementwise(1_000).compile()
    return lambda: peak(lambda: model(n0=torch.ones(8, 64))).most_tensors


def tensors_alive_in_keras() -> tuple[Cost, Cost]:
    model = peers.keras_relus(1_000)
    return tensors_alive(), lambda: peak(lambda: model(torch.ones(8, 64))).most_tensors


def memory_of_resnet() -> tuple[Cost, Cost]:
    ours, theirs = gallery("resnet50").compile().eval(), torchvisions("resnet50").eval()
    image = torch.ones(8, 3, 224, 224)
    return (
        lambda: peak(lambda: ours(image=image)).most_bytes,
        lambda: peak(lambda: theirs(image)).most_bytes,
    )


def cases() -> Iterator[Case]:
    yield Case(
        name="peak of a forward, 1,000 element-wise nodes",
        against="3 tensors",
        make=lambda: (tensors_alive(), fixed(3)),
        at_most=1.0,
        rounds=1,
        unit="tensors",
    )
    yield Case(
        name="peak of a forward, 1,000 element-wise nodes",
        against="keras",
        make=tensors_alive_in_keras,
        rounds=1,
        unit="tensors",
        peer="keras",
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
