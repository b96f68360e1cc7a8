"""Wrap a compiled module for tools that pass inputs by position only."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn


class Positional(nn.Module):
    """A model that takes the inputs `names` by position, and no others."""

    def __init__(self, model: nn.Module, names: Iterable[str] | None) -> None:
        super().__init__()
        if not isinstance(model, nn.Module):
            raise TypeError(f"positional takes a module such as graph.compile(), not {model!r:.40}")
        known = inspect.signature(model.forward).parameters
        if any(one.kind is one.VAR_KEYWORD for one in known.values()):
            kind = type(model).__name__
            raise TypeError(
                f"the forward of {kind} names no inputs: wrap the model in `positional` first"
            )
        self.model = model
        self.training = model.training  # tools restore the mode that they find here
        self.names = tuple(known if names is None else names)
        unknown = [name for name in self.names if name not in known]
        if unknown:
            raise ValueError(f"there is no input {unknown[0]!r}; the inputs: {', '.join(known)}")

    def forward(self, *inputs: Tensor) -> Any:
        if len(inputs) > len(self.names):
            raise TypeError(
                f"{len(inputs)} inputs were given, but the model takes {', '.join(self.names)}"
            )
        return self.model(**dict(zip(self.names, inputs, strict=False)))
