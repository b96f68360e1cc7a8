"""Normalisations. They take no lone value: `BatchNorm2d: 64` would be `eps`."""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.catalogue import (
    OpFault,
    bad_option,
    floating,
    known,
    layer,
    same_dims,
    weighted,
    with_rank,
)
from mimgraph.ir.lowering import Lowering, module
from mimgraph.ir.option_types import Positive, PositiveFloat
from mimgraph.ir.types import TensorType
from mimgraph.layers.window import SHAPES


@layer("num_features")
def BatchNorm1d(
    input: TensorType,
    /,
    *,
    eps: PositiveFloat = 1e-5,
    momentum: float | None = 0.1,
    affine: bool = True,
    track_running_stats: bool = True,
    bias: bool = True,
) -> Lowering:
    """Each channel normalised over the batch: (N, C) or (N, C, L) -> the same."""
    if len(input.dims) != 1:
        with_rank(input, 2, "BatchNorm1d", "(N, C) or (N, C, L)")
    return _batch_norm(input, "BatchNorm1d", eps, momentum, affine, track_running_stats, bias)


@layer("num_features")
def BatchNorm2d(
    input: TensorType,
    /,
    *,
    eps: PositiveFloat = 1e-5,
    momentum: float | None = 0.1,
    affine: bool = True,
    track_running_stats: bool = True,
    bias: bool = True,
) -> Lowering:
    """Each channel normalised over the batch: (N, C, H, W) -> (N, C, H, W)."""
    with_rank(input, 3, "BatchNorm2d", SHAPES[2])
    return _batch_norm(input, "BatchNorm2d", eps, momentum, affine, track_running_stats, bias)


@layer("num_features")
def BatchNorm3d(
    input: TensorType,
    /,
    *,
    eps: PositiveFloat = 1e-5,
    momentum: float | None = 0.1,
    affine: bool = True,
    track_running_stats: bool = True,
    bias: bool = True,
) -> Lowering:
    """Each channel normalised over the batch: (N, C, D, H, W) -> (N, C, D, H, W)."""
    with_rank(input, 4, "BatchNorm3d", SHAPES[3])
    return _batch_norm(input, "BatchNorm3d", eps, momentum, affine, track_running_stats, bias)


@layer("normalized_shape")
def LayerNorm(
    input: TensorType,
    /,
    *,
    eps: PositiveFloat = 1e-5,
    elementwise_affine: bool = True,
    bias: bool = True,
    normalized_shape: Positive | tuple[Positive, ...] | None = None,
) -> Lowering:
    """Normalised over the last axis, or those whose sizes `normalized_shape` lists: (*) -> (*)."""
    _mixed(input, "LayerNorm", elementwise_affine)
    if not input.dims:
        raise OpFault("rank-mismatch", "LayerNorm takes (N, *, D)", note=str(input))
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


@layer("num_channels")
def GroupNorm(
    input: TensorType,
    /,
    *,
    num_groups: Positive,
    eps: PositiveFloat = 1e-5,
    affine: bool = True,
    bias: bool = True,
) -> Lowering:
    """Each group of channels normalised: (N, C, *) -> (N, C, *)."""
    _mixed(input, "GroupNorm", affine)
    if not input.dims or not input.batched:
        raise OpFault("rank-mismatch", "GroupNorm takes (N, C, *)", note=str(input))
    num_channels = known(input.dims[0], "num_channels")
    if num_channels % num_groups:
        raise bad_option(
            "num_groups", f"num_groups {num_groups} does not divide the {num_channels} channels"
        )
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


def _batch_norm(
    input: TensorType,
    name: str,
    eps: float,
    momentum: float | None,
    affine: bool,
    track_running_stats: bool,
    bias: bool,
) -> Lowering:
    _mixed(input, name, affine or track_running_stats)
    if eps == 0:
        raise bad_option("eps", "eps must be above 0")
    num_features = known(input.dims[0], "num_features")
    running: dict[str, tuple[int, ...]] = {
        "running_mean": (num_features,),
        "running_var": (num_features,),
        "num_batches_tracked": (),
    }
    return Lowering(
        input.like(*input),
        module(
            name,
            _affine((num_features,), affine, bias),
            running if track_running_stats else {},
            num_features=num_features,
            eps=eps,
            momentum=momentum,
            affine=affine,
            track_running_stats=track_running_stats,
            bias=bias,
        ),
    )


def _normalized(input: TensorType, given: int | tuple[int, ...] | None) -> tuple[int, ...]:
    """The sizes over which a LayerNorm goes: the last, or as many of the last as are given."""
    wanted = given if isinstance(given, tuple) else None if given is None else (given,)
    count = 1 if wanted is None else len(wanted)
    sizes = input.dims[len(input.dims) - count :] if count <= len(input.dims) else input.dims
    shape = tuple(known(size, "normalized_shape") for size in sizes)
    if wanted is not None and (not wanted or not same_dims(wanted, shape)):
        raise OpFault(
            "inferred-conflict",
            f"normalized_shape is {wanted}, but the last sizes of the input are {shape}",
            option="normalized_shape",
            help="leave normalized_shape out to normalise over the last axis",
        )
    return shape


def _affine(shape: tuple[int, ...], affine: bool, bias: bool) -> Mapping[str, tuple[int, ...]]:
    if not affine:
        return {}
    return {"weight": shape} | ({"bias": shape} if bias else {})


def _mixed(input: TensorType, name: str, has_weights: bool) -> None:
    """Half precision meets float32 weights, double does not; without weights any will do."""
    if not has_weights:
        floating(input, name)
    elif input.dtype not in ("float16", "bfloat16"):
        weighted(input, name)
