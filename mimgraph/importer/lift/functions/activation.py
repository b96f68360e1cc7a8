"""Lift activation functions, softmax and dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mimgraph.importer.lift.functions.table import lifts, refuse
from mimgraph.importer.lift.options import changed_options
from mimgraph.importer.trace.records import Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

# the layer of each function; its options have the names and order of the function's
LAYERS = {
    "celu": "CELU",
    "elu": "ELU",
    "gelu": "GELU",
    "glu": "GLU",
    "hardshrink": "Hardshrink",
    "hardsigmoid": "Hardsigmoid",
    "hardswish": "Hardswish",
    "hardtanh": "Hardtanh",
    "leaky_relu": "LeakyReLU",
    "logsigmoid": "LogSigmoid",
    "mish": "Mish",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "selu": "SELU",
    "sigmoid": "Sigmoid",
    "silu": "SiLU",
    "softplus": "Softplus",
    "softshrink": "Softshrink",
    "softsign": "Softsign",
    "tanh": "Tanh",
    "tanhshrink": "Tanhshrink",
    "threshold": "Threshold",
}


@lifts(*LAYERS)
def activation(
    body: BodyLifter, step: Step, input: Value, *args: Any, inplace: bool = False, **kwargs: Any
) -> None:
    layer = LAYERS[step.function.rstrip("_")]
    hint = step.function.rstrip("_")
    body.layer(step, layer, input, hint, **changed_options(layer, args, kwargs))


@lifts("softmax", "log_softmax")
def softmax(
    body: BodyLifter,
    step: Step,
    input: Value,
    dim: int | None = None,
    _stacklevel: int = 3,
    dtype: Any = None,
) -> None:
    layer = "LogSoftmax" if step.function.startswith("log") else "Softmax"
    if dtype not in (None, input.dtype):
        refuse(step, dtype=dtype)
    body.layer(step, layer, input, dim=-1 if dim is None else dim)


@lifts("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")
def dropout(
    body: BodyLifter,
    step: Step,
    input: Value,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    train: bool = True,
) -> None:
    """Add a dropout with the rate that it has in training."""
    layers = {"alpha_dropout": "AlphaDropout", "feature_alpha_dropout": "FeatureAlphaDropout"}
    name = step.function.rstrip("_")
    if p == 0:
        body.alias(step, input)
    else:
        body.layer(step, layers.get(name, name.capitalize()), input, p=p)
