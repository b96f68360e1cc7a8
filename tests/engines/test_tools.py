"""Tools of torch for modules: hooks, profiles, parametrizations, pruning, int8, averaged weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune
from torch.optim.swa_utils import AveragedModel

from tests.engines.models import (
    MODELS,
    Model,
    Written,
    assert_close,
    each_of,
    every_model,
    loss_gradients,
)


@every_model
def test_hooks_see_inputs_by_name(model: Model) -> None:
    module, inputs, seen = model.compile(), model.inputs(3), []

    def before(_: nn.Module, args: tuple[Any, ...], given: dict[str, Tensor]) -> None:
        seen.append((args, given))

    def after(_: nn.Module, args: tuple[Any, ...], given: dict[str, Tensor], y: Tensor) -> Tensor:
        seen.append((args, given))
        return y * 2

    plain = module(**inputs)
    module.register_forward_pre_hook(before, with_kwargs=True)
    module.register_forward_hook(after, with_kwargs=True)
    assert torch.equal(module(**inputs), plain * 2)
    for args, given in seen:
        assert args == () and list(given) == list(inputs)
    assert len(seen) == 2


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")  # no input requires a gradient
@every_model
def test_hooks_see_nodes_by_name(model: Model) -> None:
    """The output and the gradient of a node's module have the shape of the node."""
    module, inputs, seen, learned = model.compile(), model.inputs(3), {}, set()
    for name, child in module.named_children():
        child.register_forward_hook(
            lambda _, __, y, name=name: seen.setdefault(name, y)  # type: ignore[misc]
        )
        child.register_full_backward_hook(
            lambda _, __, dy, name=name: learned.add(name)  # type: ignore[misc]
        )
    loss_gradients(module, module(**inputs))
    tensors = {name: y for name, y in seen.items() if isinstance(y, Tensor)}
    assert tensors and learned >= tensors.keys()
    shapes = model.graph.shapes
    for name, tensor in tensors.items():
        assert len(tensor.shape) == len(shapes[name])
        assert tensor.shape[-1] == shapes[name][-1] or not isinstance(shapes[name][-1], int)


@pytest.mark.filterwarnings("ignore:.*Profiler clears events")  # torch 2.10
def test_profiles_show_layers_and_lines(tmp_path: Path) -> None:
    model = MODELS[2]
    module, inputs = model.compile(), model.inputs(3)
    with torch.profiler.profile(with_stack=True, record_shapes=True) as profile:
        module(**inputs)
    profile.export_chrome_trace(str(tmp_path / "trace.json"))
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    names = {event["name"] for event in events}
    assert {"nn.Module: Conv2d_0", "nn.Module: Linear_2", "aten::conv2d"} <= names
    # the model itself appears under its source, as its `__call__` is not torch's
    assert any(name.startswith("<mimgraph ") and name.endswith(": forward") for name in names)


def layers(module: nn.Module) -> list[nn.Module]:
    """Return the modules with one weight, to which tools are usually applied."""
    return [m for m in module.modules() if type(m) in (nn.Linear, nn.Conv2d, nn.Embedding)]


@every_model
def test_weight_norm(model: Model) -> None:
    """A parametrization keeps the values, and its tensors learn in place of the weight."""
    module, inputs = model.compile(), model.inputs(3)
    plain = module(**inputs)
    for layer in layers(module):
        parametrizations.weight_norm(layer)
    output = module(**inputs)
    assert_close(output, plain)
    learned = loss_gradients(module, output)
    assert any(name.endswith("parametrizations.weight.original0") for name in learned)


@every_model
def test_pruning(model: Model) -> None:
    module, other, inputs = model.compile(), model.compile(), model.inputs(3)
    plain = module(**inputs)
    for layer, same in zip(layers(module), layers(other), strict=True):
        prune.l1_unstructured(layer, "weight", 0.3)
        assert isinstance(layer.weight_mask, Tensor) and isinstance(same.weight, nn.Parameter)
        same.weight.data *= layer.weight_mask
    output = module(**inputs)
    assert not torch.equal(output, plain)
    assert_close(output, other(**inputs))


@pytest.mark.filterwarnings("ignore")  # torch warns that quantization moves to another package
@each_of(MODELS[:3])
def test_dynamic_quantization(model: Model) -> None:
    """Linear and LSTM compute in int8; functions are not affected."""
    module, inputs = model.compile(), model.inputs(16)
    small = torch.ao.quantization.quantize_dynamic(module, {nn.Linear, nn.LSTM})
    kinds = {type(m) for m in small.modules()}
    assert not kinds & {nn.Linear, nn.LSTM}
    plain, output = module(**inputs), small(**inputs)
    assert 0 < (output - plain).norm() < 0.05 * plain.norm()


NORMED = """
    inputs: {x: [3], y: [2]}
    nodes:
      both: {merge: concat, from: [x, y]}
      normed: {layer: BatchNorm1d, from: both}
      score: {layer: Linear, from: normed, out_features: 2}
    outputs: score
"""


def test_averaged_weights() -> None:
    """A loop updates running means, as torch's `update_bn` passes one input by position."""
    model = Written("normed", text=NORMED)
    one, other, inputs = model.compile(), model.compile(), model.inputs(8)
    for parameter in other.parameters():
        parameter.data *= 3
    averaged = AveragedModel(one)
    for module in (one, other):
        averaged.update_parameters(module)
    for parameter in one.parameters():
        parameter.data *= 2  # the mean of once and three times
    assert_close(averaged.eval()(**inputs), one(**inputs))
    (norm,) = (m for m in averaged.modules() if isinstance(m, nn.BatchNorm1d))
    norm.reset_running_stats()
    norm.momentum = None  # the mean over all batches
    averaged.train()
    for part in (0, 4):
        averaged(**{name: x[part : part + 4] for name, x in inputs.items()})
    both = torch.cat([*inputs.values()], 1)
    assert_close(norm.running_mean, both.mean(0))
