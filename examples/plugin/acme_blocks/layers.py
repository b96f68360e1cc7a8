"""A layer: any class of modules is one. Its options are those of the constructor."""

import torch
from torch import Tensor, nn


class GatedLinear(nn.Module):
    """Affine map with a learned gate: (N, *, C) -> (N, *, width)."""

    def __init__(self, width: int, bias: bool = True) -> None:
        super().__init__()
        self.value = nn.LazyLinear(width, bias)
        self.gate = nn.LazyLinear(width, bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.value(x) * torch.sigmoid(self.gate(x))
