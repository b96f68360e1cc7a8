"""Make models of libraries without the memory of their weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode


def made(build: Callable[[], nn.Module]) -> nn.Module:
    """Return the model in evaluation mode, all of its tensors on the meta device."""
    with _no_weights():
        return build().to("meta").eval()


def macs(module: nn.Module, sources: Iterable[tuple[Sequence[int], str]]) -> int:
    """Return the multiply-accumulates of a call with tensors of these shapes and dtypes."""
    given = [
        torch.zeros(*shape, dtype=getattr(torch, dtype), device="meta") for shape, dtype in sources
    ]
    with torch.no_grad(), FlopCounterMode(display=False) as counted:
        module(*given)
    return int(counted.get_total_flops()) // 2


@contextmanager
def _no_weights() -> Iterator[None]:
    """Leave torch's random numbers as they were, and show no warning about weights."""
    with torch.random.fork_rng(devices=[]), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _EmptyOnMeta():
            yield


class _EmptyOnMeta(TorchFunctionMode):
    """Puts the tensors of `torch.empty` on the meta device, as layers make their weights so.

    Other tensors have data: constructors compute with them, such as the rates of RegNet's blocks.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        keywords = kwargs or {}
        if func is torch.empty and keywords.get("device") is None:
            keywords = {**keywords, "device": "meta"}
        return func(*args, **keywords)
