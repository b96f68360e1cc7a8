"""Options by position: torch's order is an error where torch begins with sizes that are inferred here."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import torch
from torch import nn

import mimgraph as mg
from mimgraph import layers
from mimgraph.ops import registry

CALLS = Path(__file__).parent / "calls"


def test_a_registered_module_takes_the_parameters_of_its_class_by_position() -> None:
    class Scaled(nn.Module):
        def __init__(self, width: int, factor: float = 1.0) -> None:
            super().__init__()
            self.linear, self.factor = nn.Linear(16, width), factor

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.as_tensor(self.linear(x) * self.factor)

    assert mg.register(Scaled)(4, 2.0)(mg.Input("row", (16,))).shape[1:] == (4,)


def test_the_calls_of_a_help_are_legal() -> None:
    helps = re.findall("= help: write (.*)", (CALLS / "positions.md").read_text())
    calls = [call.partition(": ")[0] for one in helps for call in one.split("; or ")]
    assert len(calls) > 20
    for call in calls:
        if "..." not in call:
            assert eval(call, {"layers": layers}), call


def test_the_declared_order_is_that_of_torch() -> None:
    wrong = []
    for name, op in registry.ops("layer").items():
        theirs = getattr(nn, name, None)
        if not op.inferred or not theirs or name in ("TransformerEncoder", "TransformerDecoder"):
            continue
        is_recurrent = issubclass(theirs, nn.RNNBase)  # whose base takes the mode first
        made_by = nn.RNNBase if is_recurrent else theirs
        order = [*inspect.signature(made_by).parameters][is_recurrent:]
        ours = [option for option in op.torch_order if option in order]
        if ours != [option for option in order if option in op.torch_order]:
            wrong.append((name, ours))
        if tuple(order[: len(op.sizes)]) != op.sizes:
            wrong.append((name, op.sizes))
    assert not wrong
