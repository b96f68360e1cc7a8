"""Tests of the proof: it finds each kind of difference, and changes neither model."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mimgraph.importer.inputs.bind import bind
from mimgraph.importer.inputs.examples import examples
from mimgraph.importer.proof.prove import Proof, prove

TRACED = {"T": (7, 12, 18)}
BATCHES = (2, 3, 5)


class Net(nn.Module):
    """A model whose variants differ from it in one respect each."""

    def __init__(self, variant: str = "") -> None:
        super().__init__()
        self.variant = variant
        self.norm = nn.BatchNorm1d(4, momentum=0.2 if variant == "momentum" else 0.1)
        self.drop = nn.Dropout(0.4 if variant == "dropout" else 0.5)
        self.head = nn.Linear(4, 3)
        if variant == "weights":
            self.more = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor) -> Any:
        y = self.drop(self.norm(x.transpose(1, 2)).transpose(1, 2))
        y = self.head(y.detach() if self.variant == "detached" else y)
        match self.variant:
            case "value":
                return y + 1e-3
            case "length":
                return y + (1e-3 if len(x[0]) == 13 else 0)
            case "dtype":
                return y.double()
            case "shape":
                return y.sum(1)
            case "outputs":
                return y, y
            case "error":
                raise ValueError("this variant fails")
        return y


VARIANTS = {
    "value": "output differs by 7e-04 in evaluation at N = 4, T = 8",
    "length": "output differs by 4e-04 in evaluation at N = 7, T = 13",
    "dtype": "output is float64, not float32 in evaluation",
    "shape": "output has the shape (4, 3), not (4, 8, 3) in evaluation",
    "outputs": "the module returns 1 tensors in evaluation at N = 4, T = 8, the spec 2",
    "error": "the compiled spec fails at N = 4, T = 8: this variant fails",
    "dropout": "output differs by 5e-01 in training",
    "momentum": "the buffer norm.running_mean differs by 1e+00 after a step of training",
    "detached": "the gradient of norm.weight differs by 1e+00",
    "weights": "the module has no weights for more",
}


def compared(theirs: nn.Module, ours: nn.Module) -> Proof:
    inputs = bind(theirs, {"x": ("T", 4)})
    return prove(theirs, ours, {}, examples(theirs, inputs), TRACED, BATCHES)


def pair(variant: str) -> tuple[Net, Net]:
    torch.manual_seed(0)
    theirs, ours = Net(), Net(variant)
    ours.load_state_dict(theirs.state_dict(), strict=False)
    return theirs, ours


def test_equal_models_are_proven() -> None:
    proof = compared(*pair(""))
    assert proof.holds
    assert [str(point) for point in proof.points] == [
        "N = 4, T = 8",
        "N = 6, T = 19",
        "N = 7, T = 13",
    ]
    assert (proof.evaluation, proof.training, proof.gradients) == (0, 0, 0)
    (line,) = proof.lines()
    assert line.endswith(": outputs, outputs in training and gradients are equal bit for bit")


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_difference_is_found(variant: str) -> None:
    proof = compared(*pair(variant))
    assert not proof.holds
    assert any(VARIANTS[variant] in line for line in proof.lines()), proof.lines()


def test_the_models_and_random_numbers_stay_as_they_were() -> None:
    theirs, ours = pair("")
    theirs.drop.eval()
    before = {name: one.clone() for name, one in theirs.state_dict().items()}
    states = torch.get_rng_state(), random.getstate()
    compared(theirs, ours)
    assert theirs.training and not theirs.drop.training
    assert all(one.grad is None for one in (*theirs.parameters(), *ours.parameters()))
    assert all(torch.equal(one, before[name]) for name, one in theirs.state_dict().items())
    assert torch.equal(states[0], torch.get_rng_state()) and states[1] == random.getstate()


class Tied(nn.Module):
    """Uses one weight twice, under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 4)
        self.last.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(self.first(x))
        return y


def test_a_tie_of_weights_that_is_lost_is_found() -> None:
    theirs, ours = Tied(), Tied()
    ours.load_state_dict(theirs.state_dict())
    assert compared(theirs, ours).holds
    ours.last.weight = nn.Parameter(ours.last.weight.detach().clone())
    faults = compared(theirs, ours).faults
    assert [fault.partition(" differs")[0] for fault in faults] == [
        "the gradient of first.weight",
        "the gradient of last.weight",
    ]


class Short(nn.Module):
    """Runs for at most 12 steps."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Embedding(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.positions(torch.arange(x.shape[1]))
        return y


def test_sizes_at_which_the_module_itself_fails_are_skipped() -> None:
    theirs, ours = Short(), Short()
    ours.load_state_dict(theirs.state_dict())
    inputs = bind(theirs, {"x": ("T", 4)})
    proof = prove(theirs, ours, {}, examples(theirs, inputs), {"T": (7, 9, 11)}, BATCHES)
    assert proof.holds
    assert [point.sizes["T"] for point in proof.points] == [8, 12, 10]


class Writer(nn.Module):
    """Writes into its input, which cannot have gradients then."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(x.mul_(2))
        return y


def test_a_model_that_writes_into_its_input_is_proven_without_gradients_of_it() -> None:
    theirs, ours = Writer(), Writer()
    ours.load_state_dict(theirs.state_dict())
    proof = compared(theirs, ours)
    assert proof.holds
    assert proof.gradients == 0
