"""Activation layers."""

from __future__ import annotations

from typing import Any, Literal

from mimgraph.ir.code import call
from mimgraph.ir.dim import Dim
from mimgraph.ir.lowering import INPUT, Lowering, module
from mimgraph.ir.option_types import Positive
from mimgraph.ir.sizes import divisible
from mimgraph.ir.types import COMPLEX, FLOATING, INTEGER, Constraint, TensorType
from mimgraph.ops.axes import SHAPES
from mimgraph.ops.layer_call import layer
from mimgraph.ops.registry import find
from mimgraph.ops.rule_helpers import (
    as_float,
    axis_across,
    axis_index,
    bad_option,
    dtype_fault,
    floating,
    known,
    weighted,
    with_rank,
)

REAL = (*FLOATING, *INTEGER)
NUMBERS = (*REAL, *COMPLEX)
_WORDS = {
    REAL: "a tensor of real numbers",
    NUMBERS: "a tensor of numbers",
    (*FLOATING, *COMPLEX): "a floating-point tensor",
}


@layer(family="activation")
def ReLU(input: TensorType, /, inplace: bool = False) -> Lowering:
    """max(0, x): (*) -> (*).

    Example:
        x: [64]
        {layer: ReLU, from: x}
    """
    return _pointwise(input, "ReLU", "F.relu", takes=REAL, inplace=inplace)


@layer(family="activation")
def ReLU6(input: TensorType, /, inplace: bool = False) -> Lowering:
    """min(max(0, x), 6): (*) -> (*).

    Example:
        x: [64]
        {layer: ReLU6, from: x}
    """
    return _pointwise(input, "ReLU6", "F.relu6", takes=REAL, inplace=inplace)


@layer(family="activation")
def LeakyReLU(
    input: TensorType, /, negative_slope: float = 0.01, inplace: bool = False
) -> Lowering:
    """x where x > 0, else `negative_slope * x`: (*) -> (*).

    Example:
        x: [64]
        {layer: LeakyReLU, from: x}
    """
    return _pointwise(
        input, "LeakyReLU", "F.leaky_relu", negative_slope=negative_slope, inplace=inplace
    )


@layer(family="activation")
def PReLU(input: TensorType, /, num_parameters: Positive = 1, init: float = 0.25) -> Lowering:
    """x where x > 0, else x times a learned slope, one for all or one a channel: (*) -> (*).

    He et al. 2015.

    Example:
        x: [64]
        {layer: PReLU, from: x}
    """
    weighted(input, "PReLU")
    if num_parameters != 1:
        channels = input.dims[not input.batched] if input.rank > 1 else 1
        if num_parameters != known(channels, "the number of channels"):
            raise bad_option(
                "num_parameters",
                f"num_parameters is 1 or the number of channels, {channels}, not {num_parameters}",
            )
    weights = {"weight": (num_parameters,)}
    return Lowering(
        input.like(*input), module("PReLU", weights, num_parameters=num_parameters, init=init)
    )


@layer(family="activation")
def ELU(input: TensorType, /, alpha: float = 1.0, inplace: bool = False) -> Lowering:
    """x where x > 0, else `alpha * (exp(x) - 1)`: (*) -> (*).

    Clevert et al. 2016.

    Example:
        x: [64]
        {layer: ELU, from: x}
    """
    return _pointwise(input, "ELU", "F.elu", alpha=alpha, inplace=inplace)


@layer(family="activation")
def SELU(input: TensorType, /, inplace: bool = False) -> Lowering:
    """A scaled ELU that keeps mean 0 and variance 1: (*) -> (*).

    Klambauer et al. 2017.

    Example:
        x: [64]
        {layer: SELU, from: x}
    """
    return _pointwise(input, "SELU", "F.selu", inplace=inplace)


@layer(family="activation")
def CELU(input: TensorType, /, alpha: float = 1.0, inplace: bool = False) -> Lowering:
    """x where x > 0, else `alpha * (exp(x / alpha) - 1)`: (*) -> (*).

    Barron 2017.

    Example:
        x: [64]
        {layer: CELU, from: x}
    """
    if alpha == 0:
        raise bad_option("alpha", "alpha may not be 0")
    return _pointwise(input, "CELU", "F.celu", alpha=alpha, inplace=inplace)


@layer(family="activation")
def GELU(input: TensorType, /, approximate: Literal["none", "tanh"] = "none") -> Lowering:
    """x times the cumulative normal distribution at x: (*) -> (*).

    Hendrycks and Gimpel 2016; `approximate: tanh` is a faster formula.

    Example:
        x: [64]
        {layer: GELU, from: x}
    """
    return _pointwise(input, "GELU", "F.gelu", approximate=approximate)


@layer(family="activation")
def SiLU(input: TensorType, /, inplace: bool = False) -> Lowering:
    """x * sigmoid(x), also known as swish: (*) -> (*).

    Elfwing et al. 2018.

    Example:
        x: [64]
        {layer: SiLU, from: x}
    """
    return _pointwise(input, "SiLU", "F.silu", takes=(*FLOATING, *COMPLEX), inplace=inplace)


@layer(family="activation")
def Mish(input: TensorType, /, inplace: bool = False) -> Lowering:
    """x * tanh(softplus(x)): (*) -> (*).

    Misra 2020.

    Example:
        x: [64]
        {layer: Mish, from: x}
    """
    return _pointwise(input, "Mish", "F.mish", inplace=inplace)


@layer(family="activation")
def Sigmoid(input: TensorType, /) -> Lowering:
    """1 / (1 + exp(-x)): (*) -> (*).

    Example:
        x: [64]
        {layer: Sigmoid, from: x}
    """
    return _pointwise(input.cast(as_float(input.dtype)), "Sigmoid", "torch.sigmoid", takes=NUMBERS)


@layer(family="activation")
def Tanh(input: TensorType, /) -> Lowering:
    """The hyperbolic tangent: (*) -> (*).

    Example:
        x: [64]
        {layer: Tanh, from: x}
    """
    return _pointwise(input.cast(as_float(input.dtype)), "Tanh", "torch.tanh", takes=NUMBERS)


@layer(family="activation")
def Softplus(input: TensorType, /, beta: float = 1.0, threshold: float = 20.0) -> Lowering:
    """log(1 + exp(beta * x)) / beta, linear above `threshold`: (*) -> (*).

    Example:
        x: [64]
        {layer: Softplus, from: x}
    """
    return _pointwise(input, "Softplus", "F.softplus", beta=beta, threshold=threshold)


@layer(family="activation")
def Softsign(input: TensorType, /) -> Lowering:
    """x / (1 + |x|): (*) -> (*).

    Example:
        x: [64]
        {layer: Softsign, from: x}
    """
    return _widened(input, "Softsign", "F.softsign")


@layer(family="activation")
def Softmax(input: TensorType, /, dim: int) -> Lowering:
    """exp(x), divided by its sum along `dim`: (*) -> (*).

    Example:
        x: [10]
        {layer: Softmax, from: x, dim: -1}
    """
    return _along(input, "Softmax", "F.softmax", dim)


@layer(family="activation")
def LogSoftmax(input: TensorType, /, dim: int) -> Lowering:
    """The logarithm of the softmax along `dim`: (*) -> (*).

    Example:
        x: [10]
        {layer: LogSoftmax, from: x, dim: -1}
    """
    return _along(input, "LogSoftmax", "F.log_softmax", dim)


@layer(family="activation")
def Softmin(input: TensorType, /, dim: int) -> Lowering:
    """The softmax of -x along `dim`: (*) -> (*).

    Example:
        x: [10]
        {layer: Softmin, from: x, dim: -1}
    """
    return _along(input, "Softmin", "F.softmin", dim)


@layer(family="activation")
def Softmax2d(input: TensorType, /) -> Lowering:
    """The softmax over the channels at each position: (N, C, H, W) -> (N, C, H, W).

    Example:
        image: [3, 16, 16]
        {layer: Softmax2d, from: image}
    """
    with_rank(input, 3, "Softmax2d", SHAPES[2])
    floating(input, "Softmax2d")
    return Lowering(
        input.like(*input), module("Softmax2d"), function=call("F.softmax", INPUT, dim=1)
    )


@layer(family="activation")
def Hardtanh(
    input: TensorType, /, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Lowering:
    """x clamped to the range from `min_val` to `max_val`: (*) -> (*).

    Example:
        x: [64]
        {layer: Hardtanh, from: x}
    """
    if max_val <= min_val:
        raise bad_option("max_val", f"max_val {max_val} is not above min_val {min_val}")
    if input.dtype == "uint8" and min_val < 0:
        raise dtype_fault(input, "Hardtanh", "a tensor of signed numbers")
    return _pointwise(
        input,
        "Hardtanh",
        "F.hardtanh",
        takes=REAL,
        min_val=min_val,
        max_val=max_val,
        inplace=inplace,
    )


@layer(family="activation")
def Hardswish(input: TensorType, /, inplace: bool = False) -> Lowering:
    """x * relu6(x + 3) / 6: (*) -> (*).

    Howard et al. 2019, MobileNetV3.

    Example:
        x: [64]
        {layer: Hardswish, from: x}
    """
    return _pointwise(input, "Hardswish", "F.hardswish", inplace=inplace)


@layer(family="activation")
def Hardsigmoid(input: TensorType, /, inplace: bool = False) -> Lowering:
    """relu6(x + 3) / 6: (*) -> (*).

    Example:
        x: [64]
        {layer: Hardsigmoid, from: x}
    """
    return _pointwise(input, "Hardsigmoid", "F.hardsigmoid", inplace=inplace)


@layer(family="activation")
def LogSigmoid(input: TensorType, /) -> Lowering:
    """log(sigmoid(x)): (*) -> (*).

    Example:
        x: [64]
        {layer: LogSigmoid, from: x}
    """
    return _pointwise(input, "LogSigmoid", "F.logsigmoid")


@layer(family="activation")
def Tanhshrink(input: TensorType, /) -> Lowering:
    """x - tanh(x): (*) -> (*).

    Example:
        x: [64]
        {layer: Tanhshrink, from: x}
    """
    return _widened(input, "Tanhshrink", "F.tanhshrink")


@layer(family="activation")
def Softshrink(input: TensorType, /, lambd: float = 0.5) -> Lowering:
    """x moved towards 0 by `lambd`, 0 where it is nearer: (*) -> (*).

    Example:
        x: [64]
        {layer: Softshrink, from: x}
    """
    if lambd < 0:
        raise bad_option("lambd", "lambd may not be negative")
    return _pointwise(input, "Softshrink", "F.softshrink", lambd=lambd)


@layer(family="activation")
def Hardshrink(input: TensorType, /, lambd: float = 0.5) -> Lowering:
    """x where |x| > lambd, else 0: (*) -> (*).

    Example:
        x: [64]
        {layer: Hardshrink, from: x}
    """
    return _pointwise(input, "Hardshrink", "F.hardshrink", lambd=lambd)


@layer(family="activation")
def Threshold(
    input: TensorType, /, threshold: float, value: float, inplace: bool = False
) -> Lowering:
    """x where x > threshold, else `value`: (*) -> (*).

    Example:
        x: [64]
        {layer: Threshold, from: x, threshold: 0.1, value: 0}
    """
    return _pointwise(
        input,
        "Threshold",
        "F.threshold",
        takes=REAL,
        threshold=threshold,
        value=value,
        inplace=inplace,
    )


@layer(family="activation")
def RReLU(
    input: TensorType, /, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False
) -> Lowering:
    """x where x > 0, else x times a slope that is random in training: (*) -> (*).

    Xu et al. 2015. In eval the slope is the mean of `lower` and `upper`.

    Example:
        x: [64]
        {layer: RReLU, from: x}
    """
    if upper < lower:
        raise bad_option("upper", f"upper {upper} is below lower {lower}")
    if input.dtype not in ("bfloat16", "float32", "float64"):
        raise dtype_fault(input, "RReLU", "float32 or float64")
    # no function: F.rrelu would need the training flag
    made = module("RReLU", lower=lower, upper=upper, inplace=inplace)
    return Lowering(input.like(*input), made, makes=() if inplace else None)


@layer(family="activation")
def GLU(input: TensorType, /, dim: int = -1) -> Lowering:
    """The first half along `dim` times the sigmoid of the second: (*, 2 * D) -> (*, D).

    Dauphin et al. 2017.

    Example:
        x: [64]
        {layer: GLU, from: x}
    """
    floating(input, "GLU")
    index = axis_index(input, dim)
    dims, size = list(input), input.dims[index]
    even = divisible(size, 2)
    if even is False:
        raise bad_option("dim", f"GLU needs an even size along dim {dim}, not {size}")
    dims[index] = size // 2
    requires = (Constraint(size, divisor=2),) if isinstance(size, Dim) and not even else ()
    keywords = {} if dim == -1 else {"dim": dim}
    return Lowering(
        input.like(*dims),
        module("GLU", dim=dim),
        function=call("F.glu", INPUT, **keywords),
        requires=requires,
    )


def _pointwise(
    input: TensorType,
    name: str,
    function: str,
    *,
    takes: tuple[str, ...] = FLOATING,
    **options: Any,
) -> Lowering:
    """Return an activation as a module and as a function call, which leaves out default options."""
    if input.dtype not in takes:
        raise dtype_fault(input, name, _WORDS.get(takes, "a floating-point tensor"))
    op = find("layer", name)
    assert op is not None
    given = {key: value for key, value in options.items() if value != op.options[key].default}
    return Lowering(
        input.like(*input),
        module(name, **options),
        function=call(function, INPUT, **given),
        makes=() if options.get("inplace") else None,
    )


def _widened(input: TensorType, name: str, function: str) -> Lowering:
    """Return an activation that takes integers as well, but not bool."""
    if input.dtype == "bool":
        raise dtype_fault(input, name, _WORDS[NUMBERS])
    return _pointwise(input.cast(as_float(input.dtype)), name, function, takes=NUMBERS)


def _along(input: TensorType, name: str, function: str, dim: int) -> Lowering:
    """Return an activation along one axis."""
    floating(input, name)
    axis_across(input, dim)
    return _pointwise(input, name, function, dim=dim)
