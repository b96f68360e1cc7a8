"""Define the normalization and dropout layers; where torch's first option is inferred, the others are by keyword.

So `BatchNorm2d: 64` is refused: it would be `eps`, while torch's first option is `num_features`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from mimgraph.diagnostics.text import drop
from mimgraph.ir.axes_help import one_more_axis
from mimgraph.ir.dim import at_least
from mimgraph.ir.lowering import Lowering, Module, module
from mimgraph.ir.option_types import Positive, PositiveFloat, Probability
from mimgraph.ir.types import COMPLEX, Constraint, TensorType
from mimgraph.ops.axes import SHAPES, over_axes
from mimgraph.ops.layer_call import layer
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import (
    bad_option,
    dtype_fault,
    fitting,
    floating,
    known,
    same_dims,
    weighted,
    with_rank,
    without_axes,
)

BIAS = {"bias": (2, 12)}  # the torch release that added it; LayerNorm has had it for longer


@over_axes(1, 2, 3, register=layer("num_features", since=BIAS, family="normalization"))
def BatchNorm(
    input: TensorType,
    /,
    axes: int,
    *,
    eps: PositiveFloat = 1e-5,
    momentum: float | None = 0.1,
    affine: bool = True,
    track_running_stats: bool = True,
    bias: bool = True,
) -> Lowering:
    """Each channel normalised over the batch: {(N, C) or (N, C, L) -> the same|(N, C, H, W) -> (N, C, H, W)|(N, C, D, H, W) -> (N, C, D, H, W)}.

    Ioffe and Szegedy 2015.

    Example:
        signal: [8, 50]
        {layer: BatchNorm1d, from: signal}

    Example:
        image: [3, 32, 32]
        {layer: BatchNorm2d, from: image}

    Example:
        volume: [3, 8, 16, 16]
        {layer: BatchNorm3d, from: volume}
    """
    name = f"BatchNorm{axes}d"
    if axes > 1 or len(input.dims) != 1:
        shape = SHAPES[axes] if axes > 1 else "(N, C) or (N, C, L)"
        with_rank(input, axes + 1, name, shape)
    return _batch_norm(input, name, eps, momentum, affine, track_running_stats, bias)


@layer("num_features", since=BIAS, family="normalization")
def SyncBatchNorm(
    input: TensorType,
    /,
    *,
    eps: PositiveFloat = 1e-5,
    momentum: float | None = 0.1,
    affine: bool = True,
    track_running_stats: bool = True,
    bias: bool = True,
) -> Lowering:
    """Each channel normalised over the batches of all processes: (N, C, *) -> (N, C, *).

    Ioffe and Szegedy 2015. In a single process it is a batch norm; with several, torch runs it on
    GPUs only.

    Example:
        image: [8, 16, 16]
        {layer: SyncBatchNorm, from: image}
    """
    if not input.dims or not input.batched:
        raise without_axes(input, "SyncBatchNorm takes (N, C, *)")
    return _batch_norm(input, "SyncBatchNorm", eps, momentum, affine, track_running_stats, bias)


@over_axes(1, 2, 3, register=layer("num_features", since=BIAS, family="normalization"))
def InstanceNorm(
    input: TensorType,
    /,
    axes: int,
    *,
    eps: PositiveFloat = 1e-5,
    momentum: float | None = 0.1,
    affine: bool = False,
    track_running_stats: bool = False,
    bias: bool = True,
) -> Lowering:
    """Each channel of each sample normalised: (N, C, {L|H, W|D, H, W}) -> (N, C, {L|H, W|D, H, W}).

    Ulyanov et al. 2016.

    Example:
        signal: [8, 50]
        {layer: InstanceNorm1d, from: signal}

    Example:
        image: [8, 16, 16]
        {layer: InstanceNorm2d, from: image, affine: true}

    Example:
        volume: [8, 4, 8, 8]
        {layer: InstanceNorm3d, from: volume}
    """
    name = f"InstanceNorm{axes}d"
    with_rank(input, axes + 1, name, SHAPES[axes])
    _mixed(input, name, affine)
    places = prod(input.dims[1:])
    several = at_least(places, 2)
    if several is False:
        raise OpFault(
            "shape-mismatch", f"{name} needs more than one value a channel", note=str(input)
        )
    requires = () if several or isinstance(places, int) else (Constraint(places, minimum=2),)
    return Lowering(
        input.like(*input),
        _channelwise(input, name, eps, momentum, affine, track_running_stats, bias),
        requires=requires,
    )


@layer("normalized_shape", family="normalization")
def LayerNorm(
    input: TensorType,
    /,
    *,
    eps: PositiveFloat = 1e-5,
    elementwise_affine: bool = True,
    bias: bool = True,
    normalized_shape: Positive | tuple[Positive, ...] | None = None,
) -> Lowering:
    """x normalised over the last axis, or the last ones of sizes `normalized_shape`: (*) -> (*).

    Ba et al. 2016.

    Example:
        x: [20, 64]
        {layer: LayerNorm, from: x}
    """
    _mixed(input, "LayerNorm", elementwise_affine)
    if not input.dims:
        raise without_axes(input, "LayerNorm takes (N, *, D)")
    shape = _normalized(input, normalized_shape)
    return Lowering(
        input.like(*input),
        module(
            "LayerNorm",
            _affine(shape, elementwise_affine, bias),
            normalized_shape=shape[0] if normalized_shape is None else normalized_shape,
            eps=eps,
            elementwise_affine=elementwise_affine,
            bias=bias,
        ),
    )


@layer("normalized_shape", family="normalization")
def RMSNorm(
    input: TensorType,
    /,
    *,
    eps: PositiveFloat | None = None,
    elementwise_affine: bool = True,
    normalized_shape: Positive | tuple[Positive, ...] | None = None,
) -> Lowering:
    """x divided by its root mean square over the last axis, or several: (*) -> (*).

    Zhang and Sennrich 2019. `normalized_shape` lists the sizes of the last axes, if several. With
    `eps: null` it is the machine epsilon of the dtype.

    Example:
        x: [20, 64]
        {layer: RMSNorm, from: x}
    """
    if input.dtype not in COMPLEX:
        floating(input, "RMSNorm")
    if not input.dims:
        raise without_axes(input, "RMSNorm takes (N, *, D)")
    shape = _normalized(input, normalized_shape)
    return Lowering(
        input.like(*input),
        module(
            "RMSNorm",
            _affine(shape, elementwise_affine, bias=False),
            normalized_shape=shape[0] if normalized_shape is None else normalized_shape,
            eps=eps,
            elementwise_affine=elementwise_affine,
        ),
    )


@layer(inferred=("num_channels",), since=BIAS, family="normalization")
def GroupNorm(
    input: TensorType,
    /,
    num_groups: Positive,
    *,
    eps: PositiveFloat = 1e-5,
    affine: bool = True,
    bias: bool = True,
) -> Lowering:
    """Each group of channels normalised: (N, C, *) -> (N, C, *).

    Wu and He 2018. One group normalises each sample as a whole, as many groups as channels each
    channel alone.

    Example:
        image: [8, 16, 16]
        {layer: GroupNorm, from: image, num_groups: 4}
    """
    _mixed(input, "GroupNorm", affine)
    if not input.dims or not input.batched:
        raise without_axes(input, "GroupNorm takes (N, C, *)")
    num_channels = known(input.dims[0], "num_channels")
    if num_channels % num_groups:
        message = f"num_groups {num_groups} does not divide the {num_channels} channels"
        raise bad_option("num_groups", message, fitting("num_groups", num_groups, num_channels))
    return Lowering(
        input.like(*input),
        module(
            "GroupNorm",
            _affine((num_channels,), affine, bias),
            num_groups=num_groups,
            num_channels=num_channels,
            eps=eps,
            affine=affine,
            bias=bias,
        ),
    )


@layer(family="normalization")
def LocalResponseNorm(
    input: TensorType,
    /,
    size: Positive,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
) -> Lowering:
    """x scaled down by the `size` channels around it at each position: (N, C, *) -> (N, C, *).

    `x / (k + alpha * mean of squares) ** beta` (Krizhevsky et al. 2012).

    Example:
        image: [8, 16, 16]
        {layer: LocalResponseNorm, from: image, size: 5}
    """
    if len(input.dims) < 2 or not input.batched:
        help = one_more_axis("{input}") if input.batched and input.dims else ""
        message = "LocalResponseNorm takes (N, C, L, *)"
        raise OpFault("rank-mismatch", message, note=str(input), help=help)
    if input.dtype in ("float16", "bfloat16") and len(input.dims) > 2:
        raise dtype_fault(input, "LocalResponseNorm", "float32 or float64")
    if input.dtype != "int64":
        floating(input, "LocalResponseNorm")
    dtype = "float32" if input.dtype == "int64" else input.dtype
    return Lowering(
        input.like(*input, dtype=dtype),
        module("LocalResponseNorm", size=size, alpha=alpha, beta=beta, k=k),
    )


@layer(family="normalization")
def CrossMapLRN2d(
    input: TensorType,
    /,
    size: Positive,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
) -> Lowering:
    """LocalResponseNorm as in Lua Torch: (N, C, H, W) -> (N, C, H, W).

    Example:
        image: [8, 16, 16]
        {layer: CrossMapLRN2d, from: image, size: 5}
    """
    with_rank(input, 3, "CrossMapLRN2d", SHAPES[2])
    if input.dtype not in COMPLEX:
        floating(input, "CrossMapLRN2d")
    return Lowering(
        input.like(*input), module("CrossMapLRN2d", size=size, alpha=alpha, beta=beta, k=k)
    )


def _batch_norm(
    input: TensorType,
    name: str,
    eps: float,
    momentum: float | None,
    affine: bool,
    track_running_stats: bool,
    bias: bool,
) -> Lowering:
    """Return a batch norm."""
    _mixed(input, name, affine or track_running_stats)
    if eps == 0:
        raise bad_option("eps", "eps must be above 0")
    return Lowering(
        input.like(*input),
        _channelwise(input, name, eps, momentum, affine, track_running_stats, bias),
    )


def _channelwise(
    input: TensorType,
    name: str,
    eps: float,
    momentum: float | None,
    affine: bool,
    track_running_stats: bool,
    bias: bool,
) -> Module:
    """Return the module of a norm of channels, with its running statistics if it tracks them."""
    num_features = known(input.dims[0], "num_features")
    running: dict[str, tuple[int, ...]] = {
        "running_mean": (num_features,),
        "running_var": (num_features,),
        "num_batches_tracked": (),
    }
    return module(
        name,
        _affine((num_features,), affine, bias),
        running if track_running_stats else {},
        num_features=num_features,
        eps=eps,
        momentum=momentum,
        affine=affine,
        track_running_stats=track_running_stats,
        bias=bias,
    )


def _normalized(input: TensorType, given: int | tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the sizes of the normalised axes: the last one, or as many last ones as are given."""
    wanted = given if isinstance(given, tuple) else None if given is None else (given,)
    count = 1 if wanted is None else len(wanted)
    sizes = input.dims[len(input.dims) - count :] if count <= len(input.dims) else input.dims
    shape = tuple(known(size, "normalized_shape") for size in sizes)
    if wanted is not None and (not wanted or not same_dims(wanted, shape)):
        raise OpFault(
            "inferred-conflict",
            f"normalized_shape is {wanted}, but the last sizes of the input are {shape}",
            option="normalized_shape",
            help=f"remove {drop('normalized_shape')} to normalise over the last axis",
        )
    return shape


def _affine(shape: tuple[int, ...], affine: bool, bias: bool) -> Mapping[str, tuple[int, ...]]:
    if not affine:
        return {}
    return {"weight": shape} | ({"bias": shape} if bias else {})


def _mixed(input: TensorType, name: str, has_weights: bool) -> None:
    """Refuse a dtype that a norm does not take: with weights it takes float32 and half precision."""
    if not has_weights:
        floating(input, name)
    elif input.dtype not in ("float16", "bfloat16"):
        weighted(input, name)


# Define the dropout layers, which set random values to zero in training.


@over_axes(0, 1, 2, 3, register=layer(family="dropout"))
def Dropout(
    input: TensorType, /, axes: int, p: Probability = 0.5, inplace: bool = False
) -> Lowering:
    """In training, each {element|channel|channel|channel} is zero with probability `p`: {(*) -> (*)|(N, C, L) -> (N, C, L)|(N, C, H, W) -> (N, C, H, W)|(N, C, D, H, W) -> same}.

    {Srivastava et al. 2014|Tompson et al. 2015|Tompson et al. 2015|Tompson et al. 2015}.

    Example:
        x: [20, 64]
        {layer: Dropout, from: x, p: 0.1}

    Example:
        signal: [8, 50]
        {layer: Dropout1d, from: signal, p: 0.1}

    Example:
        image: [3, 32, 32]
        {layer: Dropout2d, from: image, p: 0.1}

    Example:
        volume: [3, 8, 16, 16]
        {layer: Dropout3d, from: volume, p: 0.1}
    """
    name = f"Dropout{axes}d" if axes else "Dropout"
    if axes:
        with_rank(input, axes + 1, name, SHAPES[axes])
    return _dropout(input, name, p, inplace)


@layer(family="dropout")
def AlphaDropout(input: TensorType, /, p: Probability = 0.5, inplace: bool = False) -> Lowering:
    """Dropout that keeps mean and variance, to go with SELU: (*) -> (*).

    Klambauer et al. 2017.

    Example:
        x: [20, 64]
        {layer: AlphaDropout, from: x, p: 0.1}
    """
    return _dropout(input, "AlphaDropout", p, inplace)


@layer(family="dropout")
def FeatureAlphaDropout(
    input: TensorType, /, p: Probability = 0.5, inplace: bool = False
) -> Lowering:
    """AlphaDropout of whole channels: (N, C, *) -> (N, C, *).

    Klambauer et al. 2017.

    Example:
        image: [3, 16, 16]
        {layer: FeatureAlphaDropout, from: image, p: 0.1}
    """
    if input.rank < 2:
        raise without_axes(input, "FeatureAlphaDropout takes (N, C, *)")
    return _dropout(input, "FeatureAlphaDropout", p, inplace)


def _dropout(input: TensorType, name: str, p: float, inplace: bool) -> Lowering:
    floating(input, name)
    made = module(name, p=p, inplace=inplace)
    return Lowering(input.like(*input), made, makes=())  # in eval it returns its input
