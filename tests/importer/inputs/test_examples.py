"""Whole calls of a model are made, and a call that fails names the user's line."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mimgraph.importer.inputs.bind import bind
from mimgraph.importer.inputs.examples import Examples, check_runs, evaluating, examples
from mimgraph.importer.inputs.model import InputError


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.fc = nn.Linear(4, 2)

    def forward(self, batch: dict[str, Tensor]) -> Any:
        return self.fc(self.norm(batch["x"])), batch["ids"].float().mean(1)


GIVEN = {"batch": {"x": (4,), "ids": torch.randint(9, (2, 5))}}


def test_a_call_has_the_tensors_of_the_inputs() -> None:
    made = examples(Net(), bind(Net(), GIVEN))
    assert made.sizes == ("T",)
    arguments, tensors = made.make(3, {"T": 6}, seed=0)
    batch = arguments.kwargs["batch"]
    assert batch["x"] is tensors["batch_x"] and batch["ids"] is tensors["batch_ids"]
    assert (batch["x"].shape, batch["ids"].shape) == ((3, 4), (3, 6))


def test_trying_changes_nothing() -> None:
    net = Net()
    net.norm.eval()
    state = {key: value.clone() for key, value in net.state_dict().items()}
    torch.manual_seed(5)
    before = torch.get_rng_state()
    examples(net, bind(net, GIVEN))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(value, state[key]) for key, value in net.state_dict().items())
    assert (net.training, net.norm.training, net.fc.training) == (True, False, True)


def test_evaluation_ends_after_an_error() -> None:
    net = Net()
    with pytest.raises(ZeroDivisionError), evaluating(net):
        assert not net.fc.training
        raise ZeroDivisionError
    assert net.training and net.fc.training


def test_a_failure_names_the_line() -> None:
    made = Examples(bind(Net(), {"batch": {"x": (5,), "ids": ("T",)}}))
    with pytest.raises(InputError) as caught:
        check_runs(Net(), made, {"T": 5})
    first, *_, last = str(caught.value).splitlines()
    assert first.startswith("Net.forward with batch_x (5,), batch_ids (T,) failed: RuntimeError: ")
    assert last.endswith('return self.fc(self.norm(batch["x"])), batch["ids"].float().mean(1)')
