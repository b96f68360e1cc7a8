"""Make models of libraries without the memory of their weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from mimgraph.ir.types import TensorType
from mimgraph.ops.custom.runs import META


def made(build: Callable[[], nn.Module]) -> nn.Module:
    """Return the model in evaluation mode, all of its tensors on the meta device."""
    with _no_weights():
        return build().to("meta").eval()


def macs(module: nn.Module, sources: Iterable[TensorType], sizes: Mapping[str, int]) -> int:
    """Return the multiply-accumulates of a call with tensors of these types at these sizes."""
    with META.active(), FlopCounterMode(display=False) as counted:
        module(*(META.tensor(type_, sizes, "none", seed=0) for type_ in sources))
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
