"""Unwrap the modules that torch makes of others, and run modules without effects on random numbers."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import nn

from mimgraph.importer.inputs.model import InputError
from mimgraph.importer.lift.names import snake
from mimgraph.runtime.weight_transfer.by_keys import Keys
from mimgraph.support.arguments import shown

COMPILER = "torch._dynamo"  # takes long to import, and is needed only if the user has


def check_module(given: Any) -> None:
    """Raise an error for anything but a module whose Python code can be traced."""
    if isinstance(given, type) and issubclass(given, nn.Module):
        raise TypeError(f"give an nn.Module, not its class: {given.__name__}(...)")
    if not isinstance(given, nn.Module):
        raise TypeError(
            f"give an nn.Module, a program of torch.export or the path of a file, not {shown(given)}"
        )
    if isinstance(given, torch.jit.ScriptModule):
        raise InputError("torch.jit has compiled this module: give the one that it was made of")


def without_wrappers(module: nn.Module) -> nn.Module:
    """Return the user's own module inside of `torch.compile(module)` or `nn.DataParallel(module)`."""
    inside: Any = None
    if _is_compiled(module):
        inside = module._orig_mod
    elif isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        inside = module.module
    return module if inside is None else without_wrappers(inside)


class Around(nn.Module):
    """Calls a layer of torch, as a graph is a module that has layers and is none.

    Around(nn.LSTM(4, 8)).state_dict()  # has "lstm.weight_ih_l0"
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.training = layer.training
        self.name = snake(type(layer).__name__)
        self.add_module(self.name, layer)

    def forward(self, *args: Any, **keywords: Any) -> Any:
        """Return what the layer returns."""
        return self.get_submodule(self.name)(*args, **keywords)

    def keys(self, renamed: Keys) -> dict[str, str]:
        """Return the keys of the layer by our keys; `renamed` has keys of this module by ours."""
        ours = {theirs: key for key, theirs in renamed.items()}
        state = self.state_dict()
        return {ours.get(key, key): key.removeprefix(f"{self.name}.") for key in state}


def _is_compiled(module: nn.Module) -> bool:
    return COMPILER in sys.modules and isinstance(module, sys.modules[COMPILER].OptimizedModule)


def not_compiling() -> AbstractContextManager[Any]:
    """Return a context in which compiled functions and modules run as they are written, as a trace needs."""
    return (
        sys.modules[COMPILER].set_stance("force_eager")
        if COMPILER in sys.modules
        else nullcontext()
    )


@contextmanager
def keeping_random() -> Iterator[None]:
    """Let the random numbers of torch and of Python go on afterwards as if none had been drawn."""
    state = random.getstate()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(state)
