"""Recognise fixed tensors by their values, which must be so in every trace."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mimgraph.importer.trace.records import Value


def always(value: Value, test: Callable[[Tensor], bool]) -> bool:
    """Return whether a fixed value passes a test in every trace."""
    return value.fixed and bool(value.samples) and all(map(test, value.samples))


def is_zeros(value: Value) -> bool:
    """Return whether a tensor is all zeros."""
    return always(value, lambda sample: not bool(sample.any()))


def is_causal_mask(value: Value) -> bool:
    """Return whether a mask (T, T) hides later steps as torch's layers want: true, or -inf, there."""
    return always(value, _hides_later)


def _hides_later(mask: Tensor) -> bool:
    if mask.dim() != 2 or mask.shape[0] != mask.shape[1] or len(mask) < 2:
        return False
    later = torch.ones(mask.shape, dtype=torch.bool).triu(1)
    if mask.dtype == torch.bool:
        return torch.equal(mask, later)
    if not mask.is_floating_point():
        return False
    return bool((mask[~later] == 0).all() and (mask[later] == float("-inf")).all())
