"""A user's module that returns another shape than its rule says is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.runtime.runner import Given, run

x = torch.rand


class Unchanged(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


class WithSum(nn.Module):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"all": x, "sum": x.sum(1)}


INSIDE = """\
inputs: {x: [T, 8]}
blocks:
  b:
    inputs: {x: [D]}
    nodes:
      own: {layer: Unchanged, from: x, activation: ReLU}
      last: {layer: Linear, from: own, out_features: 8}
    outputs: last
nodes:
  y: {block: b, from: x, over: 1, repeat: 2}
outputs: y
"""
SHARED = """\
inputs: {x: [5, 8], z: [7, 8]}
nodes:
  own: {layer: Unchanged, from: x}
  again: {share: own, from: z}
  y: {merge: add, from: [own, again]}
outputs: y
"""
PORT = """\
inputs: {x: [5, 8]}
nodes:
  own: {layer: WithSum, from: x}
  y: {layer: Linear, from: own.sum, out_features: 2}
outputs: y
"""
# the class, its rule, a spec, its inputs, and the note
WRONG: dict[str, tuple[type[nn.Module], Callable[..., Any], str, dict[str, Tensor], str]] = {
    "in a block over an axis": (
        Unchanged,
        lambda x: (*x[:-1], 4),
        INSIDE,
        {"x": x(2, 3, 8)},
        "the shape rule of Unchanged says (N, 4) for y.0.own (m.yaml:6), but its module returned (6, 8)",
    ),
    "a shared module": (
        Unchanged,
        lambda x: (5, 8),
        SHARED,
        {"x": x(2, 5, 8), "z": x(2, 7, 8)},
        "the shape rule of Unchanged says (N, 5, 8) for again (m.yaml:4), but its module returned (2, 7, 8)",
    ),
    "a port": (
        WithSum,
        lambda x: {"all": x, "sum": (5,)},
        PORT,
        {"x": x(2, 5, 8)},
        "the shape rule of WithSum says (N, 5) for own.sum (m.yaml:3), but its module returned (2, 8)",
    ),
}


@pytest.mark.parametrize(("cls", "rule", "spec", "inputs", "note"), WRONG.values(), ids=WRONG)
def test_an_error_names_the_first_module_that_differs_from_its_rule(
    cls: type[nn.Module],
    rule: Callable[..., Any],
    spec: str,
    inputs: dict[str, Tensor],
    note: str,
) -> None:
    mg.register(cls, shape=rule)
    model = mg.loads(spec, name="m.yaml").compile()
    with pytest.raises(RuntimeError) as caught:
        model(**inputs)
    assert caught.value.__notes__[1:] == [note]
    assert not any(module._forward_hooks for module in model.modules())


def test_a_right_rule_or_a_wrong_input_has_no_such_note() -> None:
    mg.register(Unchanged, shape=lambda x: x)
    model = mg.loads(INSIDE).compile()
    model.y[1].last = nn.Linear(3, 3)
    with pytest.raises(RuntimeError) as caught:
        model(x=x(2, 3, 8))
    assert [note[:7] for note in caught.value.__notes__] == ["in node"]
    with pytest.raises(RuntimeError) as caught:
        model(x=x(2, 3, 9))
    assert [note[:7] for note in caught.value.__notes__] == ["in node", "inputs:"]


@pytest.mark.parametrize("says", [(4,), (8, 1)])
def test_a_run_without_an_error_says_that_an_output_differs(says: tuple[int, ...]) -> None:
    mg.register(Unchanged, shape=lambda x: says)
    graph = mg.loads(
        "inputs: {x: [8]}\nnodes: {y: {layer: Unchanged, from: x}}\noutputs: y", name="m.yaml"
    )
    with pytest.raises(ValueError) as caught:
        run(graph.typed, graph.compile, Given(None, 2, {}), None, 0)
    rule = f"(N, {', '.join(map(str, says))})"
    assert str(caught.value) == (
        f"output y has shape (2, 8), not {rule}; the shape rule of Unchanged says {rule} for y (m.yaml:2),"
        " but its module returned (2, 8)"
    )
