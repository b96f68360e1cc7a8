"""`torch.func` calls a model with other weights: one set, a stack of them, or a gradient per sample."""

from __future__ import annotations

import copy
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap

from tests.engines.models import MODELS, Model, assert_close, each_of, every_model, loss_gradients

pytestmark = pytest.mark.filterwarnings("ignore:There is a performance drop")


@every_model
def test_a_call_with_other_weights(model: Model) -> None:
    module, inputs = model.compile(), model.inputs(3)
    other = {name: t * 0.5 for name, t in module.state_dict().items() if t.is_floating_point()}
    called = functional_call(module, other, (), inputs)
    changed = copy.deepcopy(module)
    changed.load_state_dict(other, strict=False)
    assert_close(called, changed(**inputs))


class Ensemble(NamedTuple):
    """Models with different weights, their weights stacked, and a model on meta to call with them."""

    members: list[nn.Module]
    state: tuple[dict[str, Tensor], dict[str, Tensor]]
    empty: nn.Module


def ensemble(model: Model) -> Ensemble:
    torch.manual_seed(1)
    members = [model.graph.compile().eval() for _ in range(3)]
    empty = copy.deepcopy(members[0]).to("meta")
    return Ensemble(members, stack_module_state(members), empty)


@each_of([MODELS[0], MODELS[7], MODELS[9]])
def test_an_ensemble_runs_in_one_call(model: Model) -> None:
    members, state, empty = ensemble(model)
    inputs = model.inputs(4)
    together = vmap(lambda *state: functional_call(empty, state, (), inputs))(*state)
    assert_close(together, torch.stack([one(**inputs) for one in members]))


@every_model
def test_an_ensemble_learns_in_one_call(model: Model) -> None:
    """Even an LSTM can be called in this way, which `vmap` alone cannot do."""
    members, state, empty = ensemble(model)
    inputs = model.inputs(4)

    def loss(*state: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        output = functional_call(empty, state, (), inputs)
        return output.square().sum(), output

    learned, together = vmap(grad(loss, has_aux=True))(*state)
    for index, one in enumerate(members):
        output = one(**inputs)
        assert_close(together[index], output)
        alone = loss_gradients(one, output)
        assert_close({name: learned[name][index] for name in alone}, alone, atol=1e-3)


@every_model
def test_a_gradient_per_sample(model: Model) -> None:
    module, inputs = model.compile(), model.inputs(3)
    parameters = {name: p.detach() for name, p in module.named_parameters()}

    def loss(parameters: dict[str, Tensor], sample: dict[str, Tensor]) -> Tensor:
        one = {name: tensor[None] for name, tensor in sample.items()}
        return functional_call(module, parameters, (), one).square().sum()

    each = vmap(grad(loss), in_dims=(None, 0))(parameters, inputs)
    for index in range(3):
        sample = {name: tensor[index : index + 1] for name, tensor in inputs.items()}
        alone = loss_gradients(module, module(**sample))
        assert_close({name: each[name][index] for name in alone}, alone, atol=1e-3)
