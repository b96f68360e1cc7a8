"""Other dtypes and memory formats: autocast, bfloat16, float16, float64, channels last."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.runtime.runner import seeded_inputs
from tests.conftest import SPECS
from tests.engines.models import (
    MODELS,
    Model,
    assert_close,
    each_of,
    every_model,
    loss_gradients,
    nightly,
)
from tests.gallery import SMALL
from tests.helpers.running import by_name


def assert_near(ours: Tensor, theirs: Tensor, part: float = 0.02) -> None:
    """Check that both are equal up to a share of the whole: bfloat16 has 8 bits."""
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


def test_autocast_of_scattered_sums() -> None:
    """The sums are float32, but the Linear makes the addends bfloat16."""
    graph = mg.loads("""
inputs: {x: [6, 4], group: {shape: [6, 4], dtype: int64, vocab: 3}}
nodes:
  totals: {buffer: [3, 4], init: zeros, batched: true}
  places: {merge: formula, expr: "g + 0", from: {g: group}}
  amount: {layer: Linear, from: x, out_features: 4}
  sums: {merge: scatter_add, from: {input: totals, index: places, src: amount}, dim: 1}
outputs: sums""")
    module = graph.compile()
    inputs = seeded_inputs(graph.typed, 3, 0, {})
    plain = module(**inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = module(**inputs)
    assert_near(output, plain)
    assert loss_gradients(module, output.float()).keys() == {"amount.weight", "amount.bias"}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64], ids=["bfloat16", "float64"])
@every_model
def test_a_cast_model(model: Model, dtype: torch.dtype) -> None:
    module, inputs = model.compile(), model.inputs(3)
    plain = module(**inputs)
    cast = {name: t.to(dtype) if t.is_floating_point() else t for name, t in inputs.items()}
    output = module.to(dtype)(**cast)
    assert output.dtype == dtype
    assert_near(output, plain, 0.02 if dtype == torch.bfloat16 else 1e-5)
    assert {g.dtype for g in loss_gradients(module, output).values()} == {dtype}


DTYPES = {
    torch.bfloat16: 0.05,
    torch.float16: 0.02,
    torch.float64: 1e-4,
}  # with the tolerance of each
QUICK = ("simple_numerical", "masked_attention", "din", "text_classifier", "image_table_missing")
GALLERY = [nightly(path, unless=path.stem in QUICK, name=path.stem) for path in SPECS]


# On an image that shrinks to one pixel, torch's bfloat16 gradient of a convolution is not defined, and
# the first norm of the decoder gets nearly equal numbers, whose gradients are beyond float16.
SIZES = {"detr": {"H": 64, "W": 96}}


def gradients(module: nn.Module, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the gradients of one step of training, by weight."""
    module.train().zero_grad()
    torch.manual_seed(0)
    outputs = by_name(module(**inputs)).values()
    torch.stack(
        [x.float().square().mean() for x in outputs if x.is_floating_point()]
    ).sum().backward()
    return {name: p.grad for name, p in module.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: str(dtype)[6:])
@pytest.mark.parametrize("path", GALLERY)
def test_the_gallery_runs_and_trains_in_other_dtypes(path: Path, dtype: torch.dtype) -> None:
    """Every float result has the dtype of the module, and every weight that had a gradient has one."""
    graph = mg.load(path, SMALL.get(path.stem))
    torch.manual_seed(0)
    module = graph.compile().eval()
    sizes = choose_sizes(graph.typed, SIZES.get(path.stem, {}))
    inputs = seeded_inputs(graph.typed, 2, 0, sizes)
    state = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    with torch.no_grad():
        plain = by_name(module(**inputs))
    learned = gradients(module, inputs).keys()
    module.load_state_dict(state)  # as a batch norm changes its statistics in training
    module.eval().to(dtype)
    cast = {name: t.to(dtype) if t.is_floating_point() else t for name, t in inputs.items()}
    try:
        with torch.no_grad():
            found = by_name(module(**cast))
    except NotImplementedError as error:  # such as the pooling in LocalResponseNorm on a CPU
        if "not implemented for" not in str(error) or dtype == torch.float64:
            raise
        pytest.skip(str(error).splitlines()[0])
    for name, expected in plain.items():
        assert found[name].dtype == (dtype if expected.is_floating_point() else expected.dtype)
        if expected.is_floating_point():
            far = (found[name].double() - expected).norm()
            assert far <= DTYPES[dtype] * expected.norm() + 1e-6  # some probabilities are almost 0
    grads = gradients(module, cast)
    assert grads.keys() == learned
    assert {g.dtype for g in grads.values()} == {dtype}
    assert all(torch.isfinite(g).all() for g in grads.values())


@each_of([MODELS[2], MODELS[3], MODELS[4], MODELS[8]])
def test_channels_last(model: Model) -> None:
    """Values and gradients are the same, and convolutions keep the format."""
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
