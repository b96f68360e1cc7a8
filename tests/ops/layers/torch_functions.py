"""The functions of torch that layers are, by the name of the layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

aten = torch.ops.aten

# called with the options by name, so these are torch's own names
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Permute": torch.permute,
    "Transpose": torch.transpose,
    "Unsqueeze": torch.unsqueeze,
    "Squeeze": torch.squeeze,
    "Repeat": torch.Tensor.repeat,
    "Roll": torch.roll,
    "Flip": lambda x, dims: torch.flip(x, dims=dims if isinstance(dims, tuple) else (dims,)),
    "Select": torch.select,
    "Slice": aten.slice.Tensor,
    "Split": torch.split,
    "Chunk": torch.chunk,
    "Unbind": torch.unbind,
    "Mean": torch.mean,
    "Sum": torch.sum,
    "Prod": torch.prod,
    "Max": torch.amax,
    "Min": torch.amin,
    "Std": torch.std,
    "Var": torch.var,
    "Norm": torch.linalg.vector_norm,
    "LogSumExp": torch.logsumexp,
    "ArgMax": torch.argmax,
    "ArgMin": torch.argmin,
    "TopK": torch.topk,
    "Sort": torch.sort,
    "CumSum": torch.cumsum,
    "CumProd": torch.cumprod,
    "Cast": lambda x, dtype: x.to(dtype=getattr(torch, dtype)),
    "Detach": torch.detach,
    "Clamp": torch.clamp,
    "LogicalNot": torch.logical_not,
    "OneHot": F.one_hot,
    "Normalize": F.normalize,
    "Pad": F.pad,
    "Interpolate": F.interpolate,
    **{
        name: getattr(torch.fft, name.lower())
        for name in ("FFT", "IFFT", "RFFT", "IRFFT", "FFT2", "IFFT2", "RFFT2", "IRFFT2")
    },
    "ViewAsComplex": torch.view_as_complex,
    "ViewAsReal": torch.view_as_real,
    "Real": torch.real,
    "Imag": torch.imag,
    # these leave the batch out
    "Reshape": lambda x, shape: torch.reshape(x, shape=(x.shape[0], *shape)),
    "Expand": lambda x, size: x.expand(size=(-1, *size)),
    "CausalMask": lambda x: nn.Transformer.generate_square_subsequent_mask(x.shape[1]).isinf(),
}
