"""Linear layers, and the options `weight_norm` and `spectral_norm`, which convolutions have, too."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial, wraps
from math import prod
from typing import Any, TypeAlias

from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import INPUT, Lowering, Module, module
from mimgraph.ir.types import TensorType
from mimgraph.ops.layer_call import layer
from mimgraph.ops.rule_helpers import (
    bad_option,
    changed,
    known,
    weighted,
    weights,
    without_axes,
)

NormOptions: TypeAlias = bool | dict[str, int | float]
Normalize: TypeAlias = Callable[[Module, Mapping[str, Any]], Module]

# the options of torch's functions, each with its default; a `dim` of None is the output channels
NORMS: Mapping[str, Mapping[str, int | float | None]] = {
    "weight_norm": {"dim": 0},
    "spectral_norm": {"n_power_iterations": 1, "eps": 1e-12, "dim": None},
}


def normalized_weight(rule: Callable[..., Lowering]) -> Callable[..., Lowering]:
    """Return the rule of a layer with the options `weight_norm` and `spectral_norm` of its `weight`."""

    @wraps(rule)
    def with_norms(
        *sources: Any,
        weight_norm: NormOptions = False,
        spectral_norm: NormOptions = False,
        **options: Any,
    ) -> Lowering:
        lowering = rule(*sources, **options)
        if spectral_norm is not False:
            if weight_norm is not False:
                raise bad_option(
                    "spectral_norm", "a layer takes weight_norm or spectral_norm, not both"
                )
            return _normalized(lowering, "spectral_norm", spectral_norm, _spectral)
        if weight_norm is not False:
            return _normalized(lowering, "weight_norm", weight_norm, _by_magnitude)
        return lowering

    signature = inspect.signature(rule)
    option = partial(inspect.Parameter, kind=inspect.Parameter.KEYWORD_ONLY, default=False)
    with_norms.__signature__ = signature.replace(  # type: ignore[attr-defined]  # inspect reads it
        parameters=[*signature.parameters.values(), *map(option, NORMS)]
    )
    with_norms.__annotations__ = {**rule.__annotations__, **dict.fromkeys(NORMS, NormOptions)}
    return with_norms


def _normalized(
    lowering: Lowering, function: str, given: NormOptions, normalize: Normalize
) -> Lowering:
    """Return the layer whose module is made by a function of torch.nn.utils.parametrizations."""
    assert lowering.module is not None
    weight = lowering.module.weights["weight"]
    options = _checked(function, given, len(weight))
    made = normalize(lowering.module, options)
    defaults = NORMS[function]
    given = changed(**{name: (value, defaults[name]) for name, value in options.items()})
    return replace(
        lowering,
        module=replace(
            made,
            name=function,
            arguments={"module": lowering.module, **given},
            package="nn.utils.parametrizations",
        ),
    )


def _checked(function: str, given: NormOptions, rank: int) -> dict[str, int | float]:
    """Return the options that are given, checked; `true` gives none."""
    options = {} if given is True or given is False else given
    for name, value in options.items():
        if name not in NORMS[function]:
            known = ", ".join(NORMS[function])
            raise bad_option(function, f"{function} has no option {name!r}", f"it takes {known}")
        if name == "eps":
            if not value > 0:
                raise bad_option(function, f"eps must be above 0, not {value}")
        elif not isinstance(value, int):
            raise bad_option(function, f"{name} must be an integer, not {value}")
    if not 0 <= options.get("dim", 0) < rank:
        raise bad_option(
            function,
            f"dim {options['dim']} is out of range",
            f"the weight has axes 0 to {rank - 1}",
        )
    if options.get("n_power_iterations", 1) < 1:
        raise bad_option(function, "n_power_iterations must be at least 1")
    return options


def _by_magnitude(module: Module, options: Mapping[str, Any]) -> Module:
    """Return the module whose weight is a direction times a magnitude for each index of `dim`.

    Salimans and Kingma 2016, as torch.nn.utils.parametrizations.weight_norm.
    """
    shape, dim = module.weights["weight"], options.get("dim", 0)
    magnitude = tuple(size if axis == dim else 1 for axis, size in enumerate(shape))
    others = {name: size for name, size in module.weights.items() if name != "weight"}
    key = "parametrizations.weight.original"
    return replace(module, weights={**others, f"{key}0": magnitude, f"{key}1": shape})


def _spectral(module: Module, options: Mapping[str, Any]) -> Module:
    """Return the module whose weight is divided by an estimate of its largest singular value.

    Miyato et al. 2018, as torch.nn.utils.parametrizations.spectral_norm.
    """
    shape = module.weights["weight"]
    dim = options.get("dim", 1 if module.name.startswith("ConvTranspose") else 0)
    others = {name: size for name, size in module.weights.items() if name != "weight"}
    key = "parametrizations.weight"
    vectors = {f"{key}.0._u": (shape[dim],), f"{key}.0._v": (prod(shape) // shape[dim],)}
    return replace(
        module,
        weights={**others, f"{key}.original": shape},
        buffers={**module.buffers, **vectors},
    )


# Define Linear, Bilinear and Identity.


@layer(family="linear")
def Identity(input: TensorType, /) -> Lowering:
    """The input, unchanged: (*) -> (*).

    Example:
        x: [20, 64]
        {layer: Identity, from: x}
    """
    return Lowering(input, module("Identity"), function=INPUT, makes=())


@layer("in_features", family="linear")
@normalized_weight
def Linear(input: TensorType, /, out_features: Size, bias: bool = True) -> Lowering:
    """Affine map of the last axis: (*, in_features) -> (*, out_features).

    Example:
        x: [64]
        {layer: Linear, from: x, out_features: 10}
    """
    weighted(input, "Linear")
    if not input.dims:
        raise without_axes(input, "Linear takes (N, *, in_features)")
    *lead, size = input
    in_features, out_features = known(size, "in_features"), known(out_features, "out_features")
    result = input.like(*lead, out_features)
    return Lowering(
        result,
        module(
            "Linear",
            weights((out_features, in_features), out_features, bias),
            in_features=in_features,
            out_features=out_features,
            bias=bias,
        ),
        products=((*result.shape, in_features),),
    )
