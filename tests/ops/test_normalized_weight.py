"""Layers with weight_norm or spectral_norm equal torch's parametrized modules, keys included."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

import mimgraph as mg
from mimgraph.cost.cost import Costs

CASES: list[tuple[str, list[int], nn.Module, dict[str, Any]]] = [
    ("Linear: {out_features: 3, %s}", [6], nn.Linear(6, 3), {}),
    ("Conv1d: {out_channels: 6, kernel_size: 3, %s}", [4, 9], nn.Conv1d(4, 6, 3), {"dim": 2}),
    ("Conv2d: {out_channels: 6, kernel_size: 3, %s}", [4, 9, 8], nn.Conv2d(4, 6, 3), {}),
    (
        "ConvTranspose2d: {out_channels: 6, kernel_size: 3, bias: false, %s}",
        [4, 9, 8],
        nn.ConvTranspose2d(4, 6, 3, bias=False),
        {"dim": 1},
    ),
]


def spec(item: str, shape: list[int], option: str) -> str:
    return (
        f"inputs: {{x: {shape}}}\nnodes:\n  y:\n    from: x\n    seq:\n      - {item % option}\n"
        "outputs: y\n"
    )


@pytest.mark.parametrize("norm", ["weight_norm", "spectral_norm"])
@pytest.mark.parametrize(("item", "shape", "layer", "options"), CASES)
def test_a_layer_equals_the_parametrized_module_of_torch(
    norm: str, item: str, shape: list[int], layer: nn.Module, options: dict[str, Any]
) -> None:
    written = f"{{dim: {options['dim']}}}" if options else "true"
    graph = mg.loads(spec(item, shape, f"{norm}: {written}"))
    model = graph.compile()
    theirs = getattr(parametrizations, norm)(type(layer)(**arguments(layer)), **options)
    state = {f"y.0.{key}": tensor for key, tensor in theirs.state_dict().items()}
    assert {k: v.shape for k, v in model.state_dict().items()} == {
        k: v.shape for k, v in state.items()
    }
    model.load_state_dict(state)
    x = torch.rand(2, *shape)
    torch.testing.assert_close(model.eval()(x=x), theirs.eval()(x))
    assert Costs(graph.typed).total.params == sum(weight.numel() for weight in theirs.parameters())
    assert mg.loads(graph.dumps()) == graph


@pytest.mark.parametrize("more", ["activation: ReLU", "over: 1", "activation: Tanh, freeze: true"])
@pytest.mark.parametrize("norm", ["weight_norm", "spectral_norm"])
def test_an_item_that_is_more_than_its_layer(norm: str, more: str) -> None:
    graph = mg.loads(spec(f"Linear: {{out_features: 3, {more}, %s}}", [5, 6], f"{norm}: true"))
    theirs = getattr(parametrizations, norm)(nn.Linear(6, 3))
    model = graph.compile().eval()
    model.load_state_dict({f"y.0.{key}": tensor for key, tensor in theirs.state_dict().items()})
    x = torch.rand(2, 5, 6)
    function = {"ReLU": torch.relu, "Tanh": torch.tanh}.get(
        more.split(",")[0].split()[-1], lambda y: y
    )
    torch.testing.assert_close(model(x=x), function(theirs.eval()(x)))


def test_all_options_of_torch_reach_its_function() -> None:
    options = "spectral_norm: {n_power_iterations: 3, eps: 1e-6}"
    model = mg.loads(spec("Linear: {out_features: 3, %s}", [6], options)).compile()
    (norm,) = model.y[0].parametrizations.weight
    assert (norm.n_power_iterations, norm.eps) == (3, 1e-6)


def arguments(layer: nn.Module) -> dict[str, Any]:
    """Return the arguments that make the layer again."""
    return {name: getattr(layer, name) for name in type(layer).__constants__ if name in KEPT} | {
        "bias": layer.bias is not None
    }


KEPT = ("in_features", "out_features", "in_channels", "out_channels", "kernel_size")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("weight_norm: {dim: 2}", "dim 2 is out of range"),
        ("weight_norm: {dims: 0}", "weight_norm has no option 'dims'"),
        ("weight_norm: {dim: 0.5}", "dim must be an integer, not 0.5"),
        ("spectral_norm: {eps: 0}", "eps must be above 0, not 0"),
        ("spectral_norm: {n_power_iterations: 0}", "n_power_iterations must be at least 1"),
        ("weight_norm: true, spectral_norm: true", "takes weight_norm or spectral_norm, not both"),
    ],
)
def test_wrong_options_are_reported_at_the_option(option: str, message: str) -> None:
    with pytest.raises(mg.SpecError, match=message):
        mg.loads(spec("Linear: {out_features: 3, %s}", [6], option))
