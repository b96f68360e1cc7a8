"""Trace models of other precisions in float32, the dtype that stands in a spec for that of the model."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from mimgraph.importer.inputs.model import ForwardInputs

OTHERS = (torch.float64, torch.bfloat16, torch.float16)


def own_dtype(model: nn.Module) -> torch.dtype | None:
    """Return the dtype of all floating weights if it is another than float32, and only one."""
    found = {one.dtype for one in model.parameters() if one.is_floating_point()}
    dtype = found.pop() if len(found) == 1 else None
    return dtype if dtype in OTHERS else None


def in_float32(model: nn.Module) -> nn.Module:
    """Return a copy of a model in float32, also of its tensors that are plain attributes."""
    dtype = own_dtype(model)
    found = copy.deepcopy(model).float()
    for part in found.modules():
        for name, one in vars(part).items():
            if isinstance(one, Tensor) and one.dtype == dtype:
                setattr(part, name, one.float())
    return found


def inputs_in_float32(given: ForwardInputs, dtype: torch.dtype) -> ForwardInputs:
    """Return the inputs that the copy of a model of this dtype has in float32."""
    name = str(dtype).removeprefix("torch.")
    inputs = tuple(
        one._replace(dtype="float32", example=None if one.example is None else one.example.float())
        if one.dtype == name
        else one
        for one in given.inputs
    )
    return given._replace(inputs=inputs)
