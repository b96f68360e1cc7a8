"""Measure by how much two tensors differ."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_EXACT = 1e-9  # relative, for dtypes that have that precision
_TOLERANCES = {
    torch.float32: 1e-5,
    torch.complex64: 1e-5,
    torch.float16: 1e-2,
    torch.bfloat16: 5e-2,
}


def tolerance(dtype: torch.dtype) -> float:
    """Return the relative difference up to which results of a dtype are equal but for rounding."""
    return _TOLERANCES.get(dtype, _EXACT)


def mismatch(theirs: Tensor, ours: Tensor) -> str:
    """Return in which shape or dtype ours is another one than theirs, "" if in none."""
    if theirs.shape != ours.shape:
        return f"has the shape {tuple(ours.shape)}, not {tuple(theirs.shape)}"
    if theirs.dtype != ours.dtype:
        names = [str(one.dtype).removeprefix("torch.") for one in (ours, theirs)]
        return f"is {names[0]}, not {names[1]}"
    return ""


def difference(theirs: Tensor, ours: Tensor, floor: float = 0.0) -> float:
    """Return the largest difference of two tensors of one shape, relative to the largest value of theirs,
    or to `floor` if that is larger.

    It is infinite where one of two is not finite and the other is another number.
    """
    if theirs.numel() == 0 or torch.equal(theirs, ours):
        return 0.0
    if not (theirs.is_floating_point() or theirs.is_complex()):
        return math.inf
    wide = torch.complex128 if theirs.is_complex() else torch.float64
    a, b = theirs.detach().to(wide), ours.detach().to(wide)
    finite = a.isfinite()
    if not torch.equal(finite, b.isfinite()):
        return math.inf
    if not torch.equal(a[~finite].nan_to_num(), b[~finite].nan_to_num()):
        return math.inf
    if not finite.any():
        return 0.0
    a, b = a[finite], b[finite]
    scale = max(float(a.abs().max()), floor)
    worst = float((a - b).abs().max())
    return 0.0 if worst == 0 else worst / scale if scale else math.inf
