"""Layers that sample images: regions and boxes as in torchvision, and grids."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

from mimgraph.diagnostics.text import put
from mimgraph.ir.code import Attribute, Operand, Slice, call, code
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import Lowering, Module, module_call
from mimgraph.ir.option_types import Positive, PositiveFloat
from mimgraph.ir.types import BATCH, FLOATING, INTEGER, TensorType, promote
from mimgraph.ops.axes import SHAPES, Pads2, Sizes2, per_axis, slide
from mimgraph.ops.layer_call import layer
from mimgraph.ops.layers.conv import check_groups
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import (
    as_float,
    bad_option,
    changed,
    dtype_fault,
    floating,
    known,
    same_size,
    weighted,
    weights,
    with_rank,
)

BoxFormat: TypeAlias = Literal["xyxy", "xywh", "cxcywh"]
PACKAGE = "torchvision"
OPS = f"{PACKAGE}.ops"


class RegionInputs(NamedTuple):
    input: TensorType
    boxes: TensorType


@layer(family="torchvision", package=PACKAGE)
def RoIAlign(
    inputs: RegionInputs,
    /,
    output_size: Sizes2,
    spatial_scale: PositiveFloat = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Lowering:
    """Regions of an image, interpolated to one size: (N, C, H, W), (N, R, 4) -> (N, R, C, h, w).

    A box is (x1, y1, x2, y2) in pixels of the image, of which the input is `spatial_scale` times the
    size. torchvision.ops.roi_align, He et al. 2017.

    Example:
        image: [16, 32, 32]
        boxes: [5, 4]
        {layer: RoIAlign, from: {input: image, boxes: boxes}, output_size: 7, spatial_scale: 0.25}
    """
    more = changed(sampling_ratio=(sampling_ratio, -1), aligned=(aligned, False))
    return _pooled(inputs, "RoIAlign", "roi_align", output_size, spatial_scale, **more)


@layer(family="torchvision", package=PACKAGE)
def RoIPool(
    inputs: RegionInputs, /, output_size: Sizes2, spatial_scale: PositiveFloat = 1.0
) -> Lowering:
    """The largest values of a grid in each region: (N, C, H, W), (N, R, 4) -> (N, R, C, h, w).

    torchvision.ops.roi_pool, Girshick 2015.

    Example:
        image: [16, 32, 32]
        boxes: [5, 4]
        {layer: RoIPool, from: {input: image, boxes: boxes}, output_size: 7, spatial_scale: 0.25}
    """
    return _pooled(inputs, "RoIPool", "roi_pool", output_size, spatial_scale)


@layer(family="torchvision", package=PACKAGE)
def PSRoIAlign(
    inputs: RegionInputs,
    /,
    output_size: Positive,
    spatial_scale: PositiveFloat = 1.0,
    sampling_ratio: int = -1,
) -> Lowering:
    """RoIAlign with channels of its own for each place: (N, C*k*k, H, W), (N, R, 4) -> (N, R, C, k, k).

    torchvision.ops.ps_roi_align, Li et al. 2018.

    Example:
        image: [36, 32, 32]
        boxes: [5, 4]
        {layer: PSRoIAlign, from: {input: image, boxes: boxes}, output_size: 3}
    """
    more = changed(sampling_ratio=(sampling_ratio, -1))
    channels = _by_place(inputs.input, output_size)
    return _pooled(
        inputs, "PSRoIAlign", "ps_roi_align", output_size, spatial_scale, channels, **more
    )


@layer(family="torchvision", package=PACKAGE)
def PSRoIPool(
    inputs: RegionInputs, /, output_size: Positive, spatial_scale: PositiveFloat = 1.0
) -> Lowering:
    """RoIPool by means, with channels of its own for each place: as PSRoIAlign.

    (N, C*k*k, H, W), (N, R, 4) -> (N, R, C, k, k). torchvision.ops.ps_roi_pool, Dai et al. 2016.

    Example:
        image: [36, 32, 32]
        boxes: [5, 4]
        {layer: PSRoIPool, from: {input: image, boxes: boxes}, output_size: 3}
    """
    channels = _by_place(inputs.input, output_size)
    return _pooled(inputs, "PSRoIPool", "ps_roi_pool", output_size, spatial_scale, channels)


class DeformInputs(NamedTuple):
    input: TensorType
    offset: TensorType
    mask: TensorType | None = None


@layer("in_channels", family="torchvision", package=PACKAGE)
def DeformConv2d(
    inputs: DeformInputs,
    /,
    out_channels: Size,
    kernel_size: Sizes2,
    stride: Sizes2 = 1,
    padding: Pads2 = 0,
    dilation: Sizes2 = 1,
    groups: Positive = 1,
    bias: bool = True,
) -> Lowering:
    """Convolution at places moved by an offset: (N, C, H, W), (N, 2*k*k, H', W') -> (N, out_channels, H', W').

    `mask`, (N, k*k, H', W'), weighs each place. torchvision.ops.DeformConv2d, Dai et al. 2017 and,
    with a mask, Zhu et al. 2018.

    Example:
        image: [8, 16, 16]
        offset: [18, 14, 14]
        {layer: DeformConv2d, from: {input: image, offset: offset}, out_channels: 4, kernel_size: 3}
    """
    input, _, mask = inputs
    weighted(input, "DeformConv2d", "input")
    with_rank(input, 3, "DeformConv2d", SHAPES[2], "input")
    in_channels = known(input.dims[0], "in_channels", "input")
    out_channels = known(out_channels, "out_channels")
    check_groups(groups, in_channels=in_channels, out_channels=out_channels)
    kernel, strides, pads, dilations = (
        per_axis(value, 2) for value in (kernel_size, stride, padding, dilation)
    )
    spatial = map(slide, input.dims[1:], kernel, strides, (2 * pad for pad in pads), dilations)
    result = input.like(out_channels, *spatial)
    _check_all_moves(inputs, kernel[0] * kernel[1], result)
    made = Module(
        "DeformConv2d",
        {
            "in_channels": in_channels,
            "out_channels": out_channels,
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "groups": groups,
            "bias": bias,
        },
        weights((out_channels, in_channels // groups, *kernel), out_channels, bias),
        package=OPS,
    )
    masked = () if mask is None else (Operand("mask"),)
    return Lowering(
        result,
        made,
        module_call(Operand("input"), Operand("offset"), *masked),
        products=((*result.shape, in_channels // groups, *kernel),),
    )


@layer("num_features", family="torchvision", package=PACKAGE)
def FrozenBatchNorm2d(input: TensorType, /, *, eps: PositiveFloat = 1e-5) -> Lowering:
    """BatchNorm2d whose statistics and weights are fixed: (N, C, H, W) -> (N, C, H, W).

    torchvision.ops.FrozenBatchNorm2d, as detectors use a pretrained backbone.

    Example:
        image: [3, 32, 32]
        {layer: FrozenBatchNorm2d, from: image}
    """
    with_rank(input, 3, "FrozenBatchNorm2d", SHAPES[2])
    features = known(input.dims[0], "num_features")
    kept = ("weight", "bias", "running_mean", "running_var")
    made = Module(
        "FrozenBatchNorm2d",
        {"num_features": features, "eps": eps},
        {},
        dict.fromkeys(kept, (features,)),
        package=OPS,
    )
    return Lowering(input.like(*input.dims, dtype=promote(input.dtype, "float32")), made)


@layer(family="torchvision", package=PACKAGE)
def BoxConvert(boxes: TensorType, /, in_fmt: BoxFormat, out_fmt: BoxFormat) -> Lowering:
    """Boxes in another format, corners (xyxy), or a corner or centre and a size: (N, *, 4) -> (N, *, 4).

    torchvision.ops.box_convert.

    Example:
        boxes: [100, 4]
        {layer: BoxConvert, from: boxes, in_fmt: cxcywh, out_fmt: xyxy}
    """
    _check_boxes(boxes, "BoxConvert", "boxes", len(boxes.dims))
    if boxes.dtype not in (*FLOATING, *INTEGER):
        raise dtype_fault(boxes, "BoxConvert", "a tensor of numbers", "boxes")
    converted = call(f"{OPS}.box_convert", Operand("boxes"), in_fmt=in_fmt, out_fmt=out_fmt)
    has_halves = in_fmt != out_fmt and "cxcywh" in (in_fmt, out_fmt)
    dtype = as_float(boxes.dtype) if has_halves else boxes.dtype
    return Lowering(boxes.like(*boxes.dims, dtype=dtype), call=converted)


class BoxInputs(NamedTuple):
    boxes1: TensorType
    boxes2: TensorType


@layer(family="torchvision", package=PACKAGE)
def BoxIoU(inputs: BoxInputs, /) -> Lowering:
    """Intersection over union of all pairs of boxes: (N, R, 4), (N, S, 4) -> (N, R, S).

    A box is (x1, y1, x2, y2). torchvision.ops.box_iou.

    Example:
        boxes: [5, 4]
        targets: [3, 4]
        {layer: BoxIoU, from: {boxes1: boxes, boxes2: targets}}
    """
    for name, boxes in zip(inputs._fields, inputs, strict=True):
        _check_boxes(boxes, "BoxIoU", name, 2)
    one, two = inputs
    common = promote(one.dtype, two.dtype)
    if common not in (*FLOATING, *INTEGER):
        raise dtype_fault(one, "BoxIoU", "tensors of numbers", "boxes1")
    paired = call(f"{OPS}.box_iou", Operand("boxes1"), Operand("boxes2"))
    if one.is_floating:  # torchvision gives float32 of halves
        paired = paired.method("to", Attribute(Operand("boxes1"), "dtype"))
    dtype = one.dtype if one.is_floating else promote(common, "float32")
    return Lowering(one.like(one.dims[0], two.dims[0], dtype=dtype), call=paired)


def _pooled(
    inputs: RegionInputs,
    name: str,
    function: str,
    output_size: Any,
    spatial_scale: float,
    channels: Size | None = None,
    **options: Any,
) -> Lowering:
    """Return the regions of each image, pooled by a function of torchvision."""
    input, boxes = inputs
    if len(input.dims) != 3 or not input.batched:
        message = f"{name} takes {SHAPES[2]}"
        raise OpFault("rank-mismatch", message, source="input", note=str(input))
    if input.dtype not in ("float32", "float64"):
        raise dtype_fault(input, name, "float32 or float64", "input")
    _check_boxes(boxes, name, "boxes", 2)
    if boxes.dtype != input.dtype:
        raise dtype_fault(boxes, name, f"boxes of {input.dtype}, as its input is", "boxes")
    given = {**changed(spatial_scale=(spatial_scale, 1.0)), **options}
    regions = call("_rois", Operand("boxes"))
    pooled = call(f"{OPS}.{function}", Operand("input"), regions, output_size, **given)
    by_image = Attribute(Operand("boxes"), "shape").at(Slice(stop=code(2)))
    count = boxes.dims[0]
    result = input.like(count, channels or input.dims[0], *per_axis(output_size, 2))
    return Lowering(result, call=pooled.method("unflatten", 0, by_image))


def _by_place(input: TensorType, output_size: int) -> Size:
    """Return the channels of a result whose every place has channels of its own."""
    if not input.dims:
        return 1  # the rank is refused later
    channels = known(input.dims[0], "the number of channels", "input")
    places = output_size * output_size
    if channels % places:
        message = f"{channels} channels cannot be divided among {places} places"
        raise bad_option("output_size", message)
    return channels // places


def _check_boxes(boxes: TensorType, name: str, source: str, axes: int) -> None:
    """Refuse boxes that do not have four numbers each."""
    wanted = "(N, *, 4)" if axes != 2 else "(N, R, 4)"
    if not boxes.batched or len(boxes.dims) != axes or not axes or boxes.dims[-1] != 4:
        raise OpFault(
            "shape-mismatch", f"{name} takes boxes {wanted}", source=source, note=str(boxes)
        )


def _check_all_moves(inputs: DeformInputs, places: int, result: TensorType) -> None:
    """Refuse offsets and a mask that do not fit the input, the result or each other."""
    input, offset, mask = inputs
    groups = _check_moves(offset, "offset", 2 * places, input, result)
    if mask is not None and _check_moves(mask, "mask", places, input, result) != groups:
        raise OpFault(
            "shape-mismatch",
            "mask needs half as many channels as offset",
            source="mask",
            note=f"{mask}, but offset is {offset}",
            mentions=("offset", "mask"),
        )


def _check_moves(
    moves: TensorType, source: str, channels: int, input: TensorType, result: TensorType
) -> int:
    """Return how many groups of the input's channels have moves of their own; refuse other shapes."""
    weighted(moves, "DeformConv2d", source)
    with_rank(moves, 3, "DeformConv2d", SHAPES[2], source)
    count = known(moves.dims[0], f"the channels of {source}", source)
    height, width = result.dims[1:]
    in_channels = input.dims[0]
    assert isinstance(in_channels, int)
    if (
        count % channels
        or in_channels % (count // channels)
        or not same_size(moves.dims[1], height)
        or not same_size(moves.dims[2], width)
    ):
        raise OpFault(
            "shape-mismatch",
            f"DeformConv2d needs {source} (N, {channels}, {height}, {width}) or a multiple of channels",
            source=source,
            note=f"{moves}, but input is {input}",
            mentions=("input", source),
        )
    return count // channels


# Define GridSample and AffineGrid, with which a spatial transformer moves the pixels of an image.


SampleMode: TypeAlias = Literal["bilinear", "nearest", "bicubic"]
PaddingMode: TypeAlias = Literal["zeros", "border", "reflection"]


class GridInputs(NamedTuple):
    input: TensorType
    grid: TensorType


@layer(family="resize")
def GridSample(
    inputs: GridInputs,
    /,
    mode: SampleMode = "bilinear",
    padding_mode: PaddingMode = "zeros",
    align_corners: bool = False,
) -> Lowering:
    """Pixels read at the places of a grid: (N, C, H, W), (N, H', W', 2) -> (N, C, H', W').

    Jaderberg et al. 2015. A place is (x, y), from -1 at the left and top to 1. A volume (N, C, D,
    H, W) takes a grid (N, D', H', W', 3). torch.nn.functional.grid_sample.

    Example:
        image: [3, 16, 16]
        grid: [8, 8, 2]
        {layer: GridSample, from: {input: image, grid: grid}, align_corners: true}
    """
    input, grid = inputs
    axes = len(input.dims) - 1
    if axes not in (2, 3) or not input.batched:
        raise OpFault(
            "rank-mismatch",
            "GridSample takes (N, C, H, W) or (N, C, D, H, W)",
            source="input",
            note=str(input),
        )
    floating(input, "GridSample", "input")
    if grid.dtype != input.dtype:
        raise dtype_fault(grid, "GridSample", f"a grid of {input.dtype}, as its input is", "grid")
    if len(grid.dims) != axes + 1 or not grid.batched or grid.dims[-1] != axes:
        places = "(N, H', W', 2)" if axes == 2 else "(N, D', H', W', 3)"
        raise OpFault(
            "shape-mismatch",
            f"GridSample takes a grid {places}",
            source="grid",
            note=f"{grid}, but input is {input}",
            mentions=("input", "grid"),
        )
    if mode == "bicubic" and axes == 3:
        raise bad_option(
            "mode", "mode bicubic samples images, not volumes", f"use {put('bilinear')}"
        )
    given = changed(mode=(mode, "bilinear"), padding_mode=(padding_mode, "zeros"))
    return Lowering(
        input.like(input.dims[0], *grid.dims[:-1]),
        call=call(
            "F.grid_sample", Operand("input"), Operand("grid"), **given, align_corners=align_corners
        ),
    )


@layer(family="resize")
def AffineGrid(
    theta: TensorType, /, size: tuple[Size, ...], align_corners: bool = False
) -> Lowering:
    """The grid of an affine map, for GridSample: (N, 2, 3) -> (N, H, W, 2) for size [H, W].

    Jaderberg et al. 2015. `size` is that of the sampled image, or [D, H, W] of a volume, whose map
    is (N, 3, 4). torch.nn.functional.affine_grid.

    Example:
        theta: [2, 3]
        {layer: AffineGrid, from: theta, size: [28, 28], align_corners: true}
    """
    axes = len(size)
    if axes not in (2, 3):
        raise bad_option("size", f"size has {axes} values, and is [H, W] or [D, H, W]")
    wanted = (axes, axes + 1)
    if not theta.batched or len(theta.dims) != 2 or not all(map(same_size, theta.dims, wanted)):
        raise OpFault(
            "shape-mismatch",
            f"AffineGrid takes (N, {axes}, {axes + 1}) for a size of {axes} values",
            note=str(theta),
        )
    floating(theta, "AffineGrid")
    full = (BATCH, 1, *size)  # torch reads neither the batch nor the channels
    return Lowering(
        theta.like(*size, axes),
        call=call("F.affine_grid", Operand("theta"), full, align_corners=align_corners),
    )
