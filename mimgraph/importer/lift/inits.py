"""Write the values of a tensor as an init: by the name of a pattern, or as numbers if they are few."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

MOST_WRITTEN = 64  # numbers that a spec lists
STANDARD_DEVIATIONS = (0.02, 1.0)  # so that parameters of equal blocks have the same init


def init_of(tensor: Tensor) -> Any:
    """Return an init that makes numbers like these, in a model that gets no weights."""
    same = same_value(tensor)
    if same is not None:
        return same
    if not tensor.is_floating_point():
        return "zeros"
    spread = max(tensor.double().std(correction=0).item(), 1e-9)
    nearest = min(STANDARD_DEVIATIONS, key=lambda std: abs(math.log(std / spread)))
    return {"normal": {"std": nearest}}


def values_of(tensor: Tensor, otherwise: Any = None) -> Any:
    """Return an init that makes just these numbers; `otherwise` if none does and they are many."""
    found = same_value(tensor) or _arange(tensor) or _sinusoid(tensor)
    if found is None and tensor.numel() <= MOST_WRITTEN and not tensor.is_complex():
        return tensor.tolist()
    return otherwise if found is None else found


def same_value(tensor: Tensor) -> Any:
    """Return the init of a tensor with one value everywhere, None for another tensor."""
    if tensor.numel() == 0:
        return "zeros"
    first = tensor.flatten()[0]
    if tensor.is_complex() or not bool((tensor == first).all()) or not torch.isfinite(first):
        return None
    named: dict[float, Any] = {0: "zeros", 1: "ones"}
    return named.get(first.item(), {"constant": first.item()})


def _arange(tensor: Tensor) -> Any:
    """Return the init `arange` for 0, 1, 2, ... along the last axis."""
    if tensor.dtype != torch.int64 or tensor.dim() == 0 or tensor.numel() != tensor.shape[-1]:
        return None
    plain = torch.equal(tensor.flatten(), torch.arange(tensor.shape[-1]))
    return "arange" if plain and tensor.dim() <= 2 else None


def _sinusoid(tensor: Tensor) -> Any:
    """Return the init `sinusoid` for the positions of Vaswani et al. 2017."""
    if not tensor.is_floating_point() or tensor.dim() not in (2, 3) or tensor.shape[-1] < 4:
        return None
    if (tensor.dim() == 3 and tensor.shape[0] != 1) or tensor.shape[-1] % 2:
        return None
    length, width = tensor.shape[-2:]
    for interleaved in (True, False):
        if torch.allclose(tensor.float(), _sines(length, width, interleaved), atol=1e-4):
            return "sinusoid" if interleaved else {"sinusoid": {"interleaved": False}}
    return None


def _sines(length: int, width: int, interleaved: bool) -> Tensor:
    """Return the table of sines and cosines, in pairs or the sines first."""
    rates = width // 2 if interleaved else width // 2 - 1
    steps = torch.arange(width // 2) / rates
    angles = torch.arange(length)[:, None] * torch.exp(-math.log(10000.0) * steps)
    parts = (angles.sin(), angles.cos())
    return torch.stack(parts, dim=-1).flatten(1) if interleaved else torch.cat(parts, dim=-1)
