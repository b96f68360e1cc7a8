"""A merge: a class whose forward takes several tensors, here with a rule for its shape."""

import torch
from torch import Tensor, nn

import mimgraph as mg


class Blend(nn.Module):
    """Weigh two tensors with a learned number: (N, *), (N, *) -> (N, *)."""

    def __init__(self, start: float = 0.5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(start))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.weight * a + (1 - self.weight) * b


def _shape(a: tuple[object, ...], b: tuple[object, ...]) -> tuple[object, ...]:
    if a != b:
        raise ValueError(f"blend needs two equal shapes, not {a} and {b}")
    return a


# `layers --plugins` and an unused plugin import nothing; a spec with `merge: blend` imports this file
blend = mg.register(Blend, name="blend", kind="merge", shape=_shape)
