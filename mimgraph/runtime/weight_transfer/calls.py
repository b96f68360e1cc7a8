"""Call the other module with the inputs of a graph."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn

STEPS = 5  # the length of ids that are made up; every other size in a sample is larger


@dataclass
class Call:
    """A module and the arguments of its forward: our inputs by position or name, and others it needs."""

    module: nn.Module
    named: Mapping[str, str]  # our inputs, and what its forward calls them
    by_position: bool
    made: dict[str, Tensor] = field(default_factory=dict)

    def inputs(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the inputs that the module takes, on its device and in its dtype."""
        own = list(self.module.state_dict().values())
        device = own[0].device if own else None
        dtype = next((tensor.dtype for tensor in own if tensor.is_floating_point()), torch.float32)
        return {
            name: tensor.to(device, dtype if tensor.is_floating_point() else None)
            for name, tensor in tensors.items()
            if name in self.named
        }

    def run(self, tensors: Mapping[str, Tensor]) -> Any:
        """Call the module; if it fails, try again with ids made up for an argument called `...ids`."""
        try:
            return self._forward(tensors)
        except Exception:
            for name in self._other_ids() if tensors else ():
                some = next(iter(tensors.values()))
                ids = torch.zeros(some.shape[0], STEPS, dtype=torch.int64, device=some.device)
                with suppress(Exception):
                    result = self._forward(tensors, **{name: ids})
                    self.made[name] = ids
                    return result
            raise

    def is_guessed(self) -> bool:
        """Return whether the order of the arguments is a guess."""
        theirs = parameters(self.module)
        return self.by_position and len(self.named) > 1 and not set(self.named) <= set(theirs)

    def hint(self) -> str:
        """Return advice for the user on how to name the inputs."""
        theirs = parameters(self.module)
        example = ", ".join(f'"{name}": ...' for name in self.named)
        advice = (
            f"give their names with inputs={{{example}}}, and named sizes with sizes=; forward takes"
            f" {', '.join(theirs)}"
        )
        if not self.by_position:
            return advice
        pairs = ", ".join(
            f"{name} as {other}" for name, other in zip(self.named, theirs, strict=False)
        )
        return f"inputs were given by position ({pairs}): {advice}"

    def _forward(self, tensors: Mapping[str, Tensor], **more: Tensor) -> Any:
        more |= self.made
        if self.by_position:
            return self.module(*tensors.values(), **more)
        return self.module(**{self.named[name]: value for name, value in tensors.items()}, **more)

    def _other_ids(self) -> list[str]:
        given = {*self.named.values(), *self.made}
        return [
            name for name in parameters(self.module) if name.endswith("ids") and name not in given
        ]


def call_of(
    module: nn.Module, ours: Mapping[str, Tensor], inputs: Mapping[str, str] | None
) -> Call:
    """Return how to call the module.

    An input is given under its name in `inputs`, or under its own name if the forward has it. If
    `inputs` is empty and the forward lacks one of our names, all inputs are given by position.
    """
    theirs = parameters(module)
    renamed = dict(inputs or {})
    _check(renamed, list(ours), theirs, type(module).__name__)
    own = {name: name for name in ours if name in theirs and name not in renamed.values()}
    if renamed or own.keys() == ours.keys():
        return Call(module, own | renamed, by_position=False)
    return Call(module, dict(zip(ours, ours, strict=True)), by_position=True)


def parameters(module: nn.Module) -> list[str]:
    """Return the names of the parameters of a module's forward."""
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    found = inspect.signature(module.forward).parameters
    return [name for name, parameter in found.items() if parameter.kind not in variable]


def _check(renamed: Mapping[str, str], ours: list[str], theirs: list[str], kind: str) -> None:
    for name, other in renamed.items():
        if name not in ours:
            raise ValueError(f"inputs: {_unknown('the graph has no input', name, ours)}")
        if other not in theirs:
            raise ValueError(
                f"inputs: {_unknown(f'the forward of {kind} has no argument', other, theirs)}"
            )


def _unknown(what: str, name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known)}"
    return f"{what} {name!r}; {hint}"
