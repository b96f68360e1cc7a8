"""Other dtypes and memory formats: autocast, bfloat16, channels last."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.engines.models import MODELS, Model, assert_close, each_of, every_model, loss_gradients


def assert_near(ours: Tensor, theirs: Tensor, part: float = 0.02) -> None:
    """Equal but for a part of the whole: bfloat16 has 8 bits."""
    assert (ours.float() - theirs).norm() < part * theirs.norm()


@every_model
def test_autocast(model: Model) -> None:
    module, inputs = model.compile(), model.inputs(3)
    plain = module(**inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = module(**inputs)
    assert_near(output, plain)
    learned = loss_gradients(module, output.float())
    assert {g.dtype for g in learned.values()} == {torch.float32}
    assert learned.keys() == loss_gradients(module, module(**inputs)).keys()
    assert all(torch.isfinite(g).all() for g in learned.values())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64], ids=["bfloat16", "float64"])
@every_model
def test_cast(model: Model, dtype: torch.dtype) -> None:
    module, inputs = model.compile(), model.inputs(3)
    plain = module(**inputs)
    cast = {name: t.to(dtype) if t.is_floating_point() else t for name, t in inputs.items()}
    output = module.to(dtype)(**cast)
    assert output.dtype == dtype
    assert_near(output, plain, 0.02 if dtype == torch.bfloat16 else 1e-5)
    assert {g.dtype for g in loss_gradients(module, output).values()} == {dtype}


@each_of([MODELS[2], MODELS[3], MODELS[4], MODELS[8]])
def test_channels_last(model: Model) -> None:
    """The same values and gradients, and convolutions hand the format on."""
    plain, inputs = model.compile(), model.inputs(3)
    turned = model.compile().to(memory_format=torch.channels_last)
    seen: list[bool] = []
    for module in turned.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(
                lambda _, __, y: seen.append(y.is_contiguous(memory_format=torch.channels_last))
            )
    images = {
        name: t.to(memory_format=torch.channels_last) if t.dim() == 4 else t
        for name, t in inputs.items()
    }
    ours, theirs = turned(**images), plain(**inputs)
    assert seen and all(seen)
    assert_close(ours, theirs)
    assert_close(loss_gradients(turned, ours), loss_gradients(plain, theirs), atol=1e-3)
