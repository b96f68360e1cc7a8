"""The models for the tests of engines are small, of every kind, and the same each time."""

from __future__ import annotations

import torch

from tests.engines.models import MODELS, Model, every_model


@every_model
def test_each_model_is_small_and_the_same_each_time(model: Model) -> None:
    one, other = model.compile(), model.compile()
    assert sum(p.numel() for p in one.parameters()) < 1_500_000
    assert not one.training
    assert torch.equal(one(**model.inputs(3)), other(**model.inputs(3)))
    assert one(**model.inputs(5)).shape[0] == 5


def test_the_models_cover_what_engines_fail_on() -> None:
    types = [t for model in MODELS for t in model.graph.inputs.values()]
    assert {t.dtype for t in types} == {"float32", "int64", "bool"}
    assert any(model.graph.constraints for model in MODELS)
    assert any(model.left_out for model in MODELS)
