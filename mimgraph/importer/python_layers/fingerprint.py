"""Tell whether two modules are alike but for their weights, so that one layer can stand for both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

_TORCHS_OWN = vars(nn.Module()).keys() - {"_non_persistent_buffers_set"}


def fingerprint(module: nn.Module) -> str:
    """Return a text that is the same for modules whose classes, attributes and shapes of weights are.

    Tensors that are not in the state_dict count with their values.
    """
    digest = hashlib.sha256()
    for line in _lines(module):
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _lines(module: nn.Module) -> Iterator[str]:
    state = module.state_dict(keep_vars=True)
    for name, tensor in state.items():
        if isinstance(tensor, Tensor):
            yield f"{name} {tuple(tensor.shape)} {tensor.dtype} {tensor.requires_grad}"
    for path, part in module.named_modules():
        yield f"{path} {type(part).__module__}.{type(part).__qualname__}"
        for name, value in vars(part).items():
            if name not in _TORCHS_OWN:
                yield f"{name}={text_of(value)}"
        for name, buffer in part._buffers.items():
            if buffer is not None and name in part._non_persistent_buffers_set:
                yield f"{name}={text_of(buffer)}"


def text_of(value: Any) -> str:
    """Return a text of an attribute: of a tensor its values; of an object only its class."""
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {value.dtype} {'' if value.is_meta else _values(value)}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {text_of(one)}' for key, one in value.items())}}}"
    if value is None or isinstance(value, bool | int | float | str | torch.dtype):
        return repr(value)
    return f"<{type(value).__qualname__}>"


def _values(tensor: Tensor) -> str:
    flat = tensor.detach().cpu().reshape(-1).contiguous()
    return hashlib.sha256(flat.view(torch.uint8).numpy().tobytes()).hexdigest()
