"""What a trace records of a forward, and which tensors are one value."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mimgraph.importer.inputs.model import Arguments
from mimgraph.importer.trace.records import Step, Trace
from mimgraph.importer.trace.tracer import run


def _trace(module: nn.Module, **inputs: Tensor) -> Trace:
    return run(module, Arguments((), dict(inputs)), inputs, {})


class Copies(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x.transpose(1, 2).contiguous()
        y = y.contiguous() + 1
        return y.contiguous()


def test_contiguous_is_no_step_whether_it_copies_or_not() -> None:
    root = _trace(Copies(), x=torch.randn(2, 3, 4)).root
    steps = [item for item in root.items if isinstance(item, Step)]
    assert [step.function for step in steps] == ["transpose", "add"]
    assert steps[1].arguments == steps[0].results
    assert root.result is steps[1].result


class WritesIntoCopy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + x.t().contiguous().mul_(2)


def test_a_write_into_a_copy_leaves_the_value_that_was_copied() -> None:
    trace = _trace(WritesIntoCopy(), x=torch.randn(3, 3))
    transposed, doubled, total = trace.root.items
    assert total.arguments == [trace.inputs["x"], *doubled.results]
    assert doubled.arguments == transposed.results
    assert not trace.notes
