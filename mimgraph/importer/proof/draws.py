"""Draw equal random numbers for equal tensors, whatever their strides are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_DROPOUTS = (
    torch.nn.functional.dropout,
    torch.dropout,
    torch.nn.functional.alpha_dropout,
    torch.alpha_dropout,
)


class DrawsInOrder(TorchFunctionMode):
    """Lets dropout draw in the order of the elements.

    torch draws in the order of memory, so that a transposed tensor loses other elements than a
    contiguous one of the same values.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = {**(kwargs or {})}
        in_place = kwargs.get("inplace", args[3] if len(args) > 3 else False)
        if func in _DROPOUTS and not in_place:
            if args and isinstance(args[0], Tensor):
                args = (args[0].contiguous(), *args[1:])
            elif isinstance(kwargs.get("input"), Tensor):
                kwargs["input"] = kwargs["input"].contiguous()
        return func(*args, **kwargs)
