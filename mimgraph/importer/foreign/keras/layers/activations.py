"""Activations: layers of their own, and the `activation` of other layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mimgraph.importer.foreign.keras.options import Layer
from mimgraph.importer.foreign.keras.rules import Unsupported, Use, layer, operation
from mimgraph.importer.foreign.keras.value import Value, size

# the activations without options, by their name in Keras
_PLAIN = {
    "relu": "ReLU",
    "relu6": "ReLU6",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "elu": "ELU",
    "selu": "SELU",
    "celu": "CELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "swish": "SiLU",
    "mish": "Mish",
    "hard_sigmoid": "Hardsigmoid",
    "hard_silu": "Hardswish",
    "hard_swish": "Hardswish",
    "hard_tanh": "Hardtanh",
    "log_sigmoid": "LogSigmoid",
    "tanh_shrink": "Tanhshrink",
}
_WITH_OPTIONS: dict[str, dict[str, Any]] = {
    "leaky_relu": {"LeakyReLU": {"negative_slope": 0.2}},
    "hard_shrink": {"Hardshrink": {"lambd": 0.5}},
    "soft_shrink": {"Softshrink": {"lambd": 0.5}},
}
_ALONG_AXIS = {"softmax": "Softmax", "log_softmax": "LogSoftmax", "glu": "GLU"}
_FORMULAS = {"exponential": "exp(x)", "squareplus": "(x + sqrt(x ** 2 + 4)) / 2"}

Word = str | dict[str, dict[str, Any]]


def activation(owner: Layer, value: Value, key: str = "activation") -> Word | None:
    """Return the activation that a layer applies to `value`, as the word `activation`; None for none."""
    name = owner.options.get(key)
    if isinstance(name, dict):
        name = name.get("config") if name.get("module") == "builtins" else name.get("class_name")
    if name is None or name == "linear":
        return None
    if not isinstance(name, str):
        owner.refuse("wrong-type", f"{key} must name an activation")
    if name in _PLAIN:
        return _PLAIN[name]
    if name in _WITH_OPTIONS:
        return _WITH_OPTIONS[name]
    if name in _ALONG_AXIS:
        return {_ALONG_AXIS[name]: {"dim": value.axis(-1)}}
    raise Unsupported(f"its activation {name!r} is no layer here")


def activated(owner: Layer, value: Value, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of a node with the activation of its layer, whose result is `value`."""
    word = activation(owner, value)
    return entry if word is None else {**entry, "activation": word}


def _as_entry(word: Word) -> dict[str, Any]:
    if isinstance(word, str):
        return {"layer": word}
    ((name, options),) = word.items()
    return {"layer": name, **options}


@layer("Activation")
def _activation(use: Use) -> Value:
    value, name = use.value, use.layer.options.get("activation")
    if isinstance(name, str) and name in _FORMULAS:
        return formula(use, _FORMULAS[name])
    if isinstance(name, str) and name in _ALONG_AXIS:
        value = use.body.plain(value)
    word = activation(use.layer, value)
    if word is None:
        return value
    return value._replace(source=use.add(_as_entry(word), value), shape=_glu(value, word))


def _glu(value: Value, word: Word) -> Any:
    width = value.size(-1)
    if isinstance(word, dict) and "GLU" in word:
        return (*value.shape[:-1], width // 2 if isinstance(width, int) else None)
    return value.shape


def formula(use: Use, expr: str) -> Value:
    """Return the result of a formula of the one tensor `x`."""
    value = use.value
    entry = {"merge": "formula", "expr": expr}
    return value._replace(source=use.add(entry, {"x": value.source}))


@layer("ReLU")
def _relu(use: Use) -> Value:
    own, value = use.layer, use.value
    slope, threshold = own.number("negative_slope", 0.0), own.number("threshold", 0.0)
    most = own.options.get("max_value")
    if threshold or (slope and most is not None):
        raise Unsupported("it has a threshold, or a slope beside a max_value")
    entry: dict[str, Any] = {"layer": "ReLU"}
    if slope:
        entry = {"layer": "LeakyReLU", "negative_slope": slope}
    elif most is not None:
        limit = own.number("max_value")
        entry = {"layer": "ReLU6"} if limit == 6 else {"layer": "Clamp", "min": 0.0, "max": limit}
    return value._replace(source=use.add(entry, value))


@layer("LeakyReLU")
def _leaky(use: Use) -> Value:
    slope = use.layer.options.get("negative_slope", use.layer.options.get("alpha", 0.3))
    entry = {"layer": "LeakyReLU", "negative_slope": slope}
    return use.value._replace(source=use.add(entry, use.value))


@layer("ELU")
def _elu(use: Use) -> Value:
    alpha = use.layer.number("alpha", 1.0)
    entry = {"layer": "ELU", **({"alpha": alpha} if alpha != 1 else {})}
    return use.value._replace(source=use.add(entry, use.value))


@layer("Softmax")
def _softmax(use: Use) -> Value:
    value = use.body.plain(use.value)
    axis = use.layer.options.get("axis", -1)
    if type(axis) is not int or not -value.rank < axis < value.rank or len(use.values) > 1:
        raise Unsupported("it has several axes, or a mask")
    entry = {"layer": "Softmax", "dim": value.axis(axis)}
    return value._replace(source=use.add(entry, value))


@layer("PReLU")
def _prelu(use: Use) -> Value:
    """Learn a slope for each channel; Keras may also learn one for each place."""
    value = use.value
    shared = use.layer.options.get("shared_axes") or []
    places = set(range(1, value.rank - 1))
    if value.rank > 2 and not places <= {axis for axis in shared if type(axis) is int}:
        raise Unsupported("it learns a slope for every place: set shared_axes")
    if value.rank > 2:
        value = use.body.at(value, 1)
    value = use.body.plain(value)
    width = size(value.shape[-1])
    if not isinstance(width, int):
        use.layer.refuse("symbolic-size", "the number of its channels is not known")
    slope = use.weight(0, lambda array: array.reshape(-1))
    entry = {"layer": "PReLU", "num_parameters": width}
    return value._replace(source=use.add(entry, value, {"weight": slope}))


def _operator(name: str) -> Callable[[Use], Value]:
    """Return the rule for a function of `keras.ops` that is an activation."""

    def rule(use: Use) -> Value:
        return use.value._replace(source=use.add({"layer": name}, use.value))

    return rule


for _theirs, _ours in {
    "Relu": "ReLU",
    "Relu6": "ReLU6",
    "Sigmoid": "Sigmoid",
    "Tanh": "Tanh",
    "Softplus": "Softplus",
    "Softsign": "Softsign",
    "Silu": "SiLU",
    "Selu": "SELU",
    "Mish": "Mish",
    "HardSigmoid": "Hardsigmoid",
    "HardSilu": "Hardswish",
    "LogSigmoid": "LogSigmoid",
}.items():
    operation(_theirs)(_operator(_ours))


@operation("Gelu")
def _gelu(use: Use) -> Value:
    entry: dict[str, Any] = {"layer": "GELU"}
    if use.layer.flag("approximate", True):
        entry["approximate"] = "tanh"
    return use.value._replace(source=use.add(entry, use.value))


@operation("Softmax", "LogSoftmax")
def _softmax_operation(use: Use) -> Value:
    value = use.body.plain(use.value)
    axis = use.layer.options.get("axis", -1)
    if type(axis) is not int or not -value.rank < axis < value.rank:
        raise Unsupported("it has several axes")
    entry = {"layer": use.layer.kind, "dim": value.axis(axis)}
    return value._replace(source=use.add(entry, value))
