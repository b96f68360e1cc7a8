"""Run the stages of a graph in one process, one after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

import mimgraph as mg


def compile_stages(stages: Iterable[mg.Graph], model: nn.Module) -> list[nn.Module]:
    """Return the modules of stages with the weights of the whole; each weight is in one stage.

    Buffers that are not saved are copied as well: some begin with random values.
    """
    weights = model.state_dict()
    buffers = dict(model.named_buffers())
    modules = [stage.compile().train(model.training) for stage in stages]
    floats = (x for x in (*model.parameters(), *model.buffers()) if x.is_floating_point())
    like = next(floats, None)
    for module in modules:
        module.to(like)
        module.load_state_dict({key: weights[key] for key in module.state_dict()})
        for name, buffer in module.named_buffers():
            buffer.copy_(buffers[name])
    assert sorted(key for module in modules for key in module.state_dict()) == sorted(weights)
    return modules


def run_stages(
    stages: Sequence[mg.Graph], modules: Sequence[nn.Module], inputs: Mapping[str, Tensor]
) -> tuple[Tensor, ...]:
    """Run the stages in order, and return the outputs of the last one.

    The first stage takes all inputs by name. Every other one takes the outputs of the stage before it
    by position, and optional inputs by name.
    """
    handed_on: tuple[Tensor, ...] = ()
    for stage, module in zip(stages, modules, strict=True):
        optional = stage.typed.body.optional
        named = {name: inputs[name] for name in optional & inputs.keys()}
        if stage is stages[0]:
            named = {name: inputs[name] for name in stage.inputs if name in inputs}
        handed_on = as_tuple(module(*handed_on, **named))
    return handed_on


def as_tuple(result: Any) -> tuple[Tensor, ...]:
    """Return the outputs of a stage or of the whole, in order."""
    if isinstance(result, dict):
        return tuple(result.values())
    return result if isinstance(result, tuple) else (result,)
