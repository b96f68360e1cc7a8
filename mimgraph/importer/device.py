"""Run a model where its weights are: on a device, or on the meta device, whose tensors have no data."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensor

CPU = torch.device("cpu")
META = torch.device("meta")


def device_of(model: nn.Module) -> torch.device:
    """Return the device of a model's weights, the CPU if it has none."""
    weights = itertools.chain(model.parameters(), model.buffers())
    return next((one.device for one in weights), CPU)


def making_on(device: torch.device) -> AbstractContextManager[Any]:
    """Return a context in which new tensors have no data if the device is the meta device."""
    return torch.device(META) if device == META else nullcontext()


def with_meta_weights(model: nn.Module) -> nn.Module:
    """Return a model with its fake tensors on the meta device; itself if it has none."""
    if any(isinstance(one, FakeTensor) for one in tensors_in(model)):
        return copied(model, META)
    return model


def copied(model: nn.Module, device: torch.device) -> nn.Module:
    """Return a copy of a model on a device; weights without data have undefined values there."""
    copies: dict[int, Any] = {}
    for tensor in tensors_in(model):
        if id(tensor) not in copies:
            moved = _moved(tensor, device)
            if isinstance(tensor, nn.Parameter):
                moved = nn.Parameter(moved, tensor.requires_grad)
            copies[id(tensor)] = moved
    return copy.deepcopy(model, copies)


def _moved(tensor: Tensor, device: torch.device) -> Tensor:
    if tensor.is_meta or isinstance(tensor, FakeTensor):
        return torch.empty(tensor.shape, dtype=tensor.dtype, device=device)
    return tensor.detach().to(device, copy=True)


def tensors_in(model: nn.Module) -> Iterator[Tensor]:
    """Yield the parameters, buffers and other attributes that are tensors."""
    for part in model.modules():
        for named in (part._parameters, part._buffers, vars(part)):
            yield from (one for one in named.values() if isinstance(one, Tensor))
