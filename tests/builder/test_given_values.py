"""Values of numpy, torch and pandas where Python's own are meant, and torch's activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import mimgraph as mg
from mimgraph import layers, merges

x = mg.Input("x", (4, 6))
column = np.array([3, 1, 6])

PAIRS: dict[str, tuple[Callable[[], mg.Tensor], Callable[[], mg.Tensor]]] = {
    "a vocabulary": (
        lambda: mg.Input("c", vocab=column.max() + 1),
        lambda: mg.Input("c", vocab=7),
    ),
    "a vocabulary of torch": (
        lambda: mg.Input("c", vocab=torch.tensor(column).max() + 1),
        lambda: mg.Input("c", vocab=7),
    ),
    "a shape": (
        lambda: mg.Input("c", torch.zeros(3, 4).shape),
        lambda: mg.Input("c", (3, 4)),
    ),
    "sizes": (
        lambda: mg.Input("c", [torch.tensor(3), np.int32(4)]),
        lambda: mg.Input("c", (3, 4)),
    ),
    "an option": (
        lambda: layers.Linear(np.int64(3), bias=np.bool_(False))(x),
        lambda: layers.Linear(3, bias=False)(x),
    ),
    "an option of torch": (
        lambda: layers.Linear(torch.tensor(3), bias=torch.tensor(False))(x),
        lambda: layers.Linear(3, bias=False)(x),
    ),
    "a float": (
        lambda: layers.Dropout(np.float64(0.1))(x),
        lambda: layers.Dropout(0.1)(x),
    ),
    "a list": (
        lambda: layers.Reshape(np.array([8, 3]))(x),
        lambda: layers.Reshape([8, 3])(x),
    ),
    "freeze": (
        lambda: layers.Linear(3, freeze=np.bool_(True))(x),
        lambda: layers.Linear(3, freeze=True)(x),
    ),
    "take": (
        lambda: layers.Chunk(2, dim=1, take=np.int64(1))(x),
        lambda: layers.Chunk(2, dim=1, take=1)(x),
    ),
    "over": (
        lambda: layers.Linear(3, over=np.int64(1))(x),
        lambda: layers.Linear(3, over=1)(x),
    ),
    "a dim": (
        lambda: merges.concat(x, x, dim=np.int64(-1)),
        lambda: merges.concat(x, x, dim=-1),
    ),
    "each": (
        lambda: merges.concat(*layers.Linear(2).each(x, times=np.int64(2))),
        lambda: merges.concat(*layers.Linear(2).each(x, times=2)),
    ),
    "a dtype of torch": (lambda: layers.Cast(torch.int64)(x), lambda: layers.Cast("int64")(x)),
    "a dtype of numpy": (
        lambda: mg.Input("c", (3,), dtype=column.dtype),
        lambda: mg.Input("c", (3,), dtype="int64"),
    ),
    "a class of numpy": (lambda: layers.Cast(np.float16)(x), lambda: layers.Cast("float16")(x)),
    "a class of Python": (
        lambda: mg.Input("c", (3,), dtype=bool),
        lambda: mg.Input("c", (3,), dtype="bool"),
    ),
    "optional": (
        lambda: merges.add(x, x, mg.Input("c", (4, 6), optional=np.bool_(True)), missing="skip"),
        lambda: merges.add(x, x, mg.Input("c", (4, 6), optional=True), missing="skip"),
    ),
    "a repeat": (
        lambda: widen(repeat={"times": np.int64(2), "shared": np.bool_(True)})(x),
        lambda: widen(repeat={"times": 2, "shared": True})(x),
    ),
    "a number of a formula": (
        lambda: merges.formula("x * n", x=x, n=torch.tensor(2)),
        lambda: merges.formula("x * n", x=x, n=2),
    ),
}


@mg.block
def widen(y: mg.Tensor) -> mg.Tensor:
    return layers.Linear(6)(y)


def test_a_value_of_numpy_or_torch_is_the_plain_one() -> None:
    found = {name: graph(given()).dumps() for name, (given, _) in PAIRS.items()}
    assert found == {name: graph(plain()).dumps() for name, (_, plain) in PAIRS.items()}


def graph(handle: mg.Tensor) -> mg.Graph:
    """Return a graph that ends in the handle, or reads it if it is an input."""
    return mg.Graph(layers.Identity()(handle) if handle.is_input else handle)


def test_graphs_take_numbers_of_numpy() -> None:
    made = mg.Graph(mg.Output(layers.Linear(3)(x, name="y"), batch_dim=np.int64(1)))
    assert made == mg.Graph(mg.Output(layers.Linear(3)(x, name="y"), batch_dim=1))
    shown = made.summary(batch=np.int64(2), depth=np.int64(0))
    assert shown.totals() == made.summary(batch=2, depth=0).totals()
    chain = mg.Graph(layers.Linear(3)(layers.Linear(3)(x)))
    assert len(chain.split(np.int64(2))) == 2


def test_a_float_has_no_dtype_of_its_own() -> None:
    with pytest.raises(mg.SpecError) as caught:
        mg.Input("c", (3,), dtype=float)
    assert caught.value.diagnostics[0].help == "did you mean float32?"


# --- activations ----------------------------------------------------------------------------------

ACTIVATIONS: dict[str, tuple[Any, str]] = {
    "a class": (nn.ReLU, "ReLU"),
    "a module": (nn.ReLU(), "ReLU"),
    "a module with options": (nn.GELU(approximate="tanh"), "{GELU: {approximate: tanh}}"),
    "a module with numbers": (nn.LeakyReLU(0.2), "{LeakyReLU: {negative_slope: 0.2}}"),
    "a function": (F.relu, "ReLU"),
    "a function with a longer name": (F.leaky_relu, "LeakyReLU"),
    "a function that is built in": (F.gelu, "GELU"),
    "a function of torch": (torch.tanh, "Tanh"),
    "a method": (torch.Tensor.sigmoid, "Sigmoid"),
    "our layer": (layers.ReLU, "ReLU"),
    "our layer with options": (layers.GELU(approximate="tanh"), "{GELU: {approximate: tanh}}"),
}


def test_an_activation_may_be_torchs_own() -> None:
    for name, (given, written) in ACTIVATIONS.items():
        made = mg.Graph(layers.Linear(3, activation=given)(x, name="y"))
        assert f"activation: {written}}}" in made.dumps(), name
        assert mg.loads(made.dumps()) == made, name


REFUSED: dict[str, tuple[Any, str]] = {
    "a layer": (nn.Linear, "Linear is not an activation"),
    "another class": (dict, "no activation is <class 'dict'>"),
    "another function": (abs, "no activation is <built-in function abs>"),
    "a lambda": (lambda y: y, "no activation is <function"),
    "one without its options": (F.softmax, "Softmax needs dim"),
    "Keras' name": ("relu", "no layer is called 'relu'"),
}


def test_what_is_no_activation_is_refused() -> None:
    for name, (given, message) in REFUSED.items():
        with pytest.raises(mg.SpecError) as caught:
            layers.Linear(3, activation=given)(x)
        assert caught.value.diagnostics[0].message.startswith(message), name


def test_a_module_with_weights_is_not_copied() -> None:
    with pytest.raises(TypeError, match="has its own weights: write layers.PReLU"):
        layers.Linear(3, activation=nn.PReLU())(x)


# --- outputs --------------------------------------------------------------------------------------


def test_an_output_for_training_is_written_as_in_yaml() -> None:
    y, z = layers.Linear(1)(x, name="y"), layers.Linear(2)(x, name="z")
    wanted = mg.Graph({"y": y, "z": mg.training_only(z, "For the loss.")})
    assert mg.Graph({"y": y, "z": mg.Output(z, "For the loss.", only="training")}) == wanted
    with pytest.deprecated_call():
        assert mg.Output(z, only="training") == mg.Output(z, training_only=True)
    with pytest.raises(TypeError, match="only is \"training\" or None, not 'eval'"):
        mg.Output(z, only="eval")  # type: ignore[arg-type]
