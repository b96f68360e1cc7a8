"""Define GridSample and AffineGrid, with which a spatial transformer moves the pixels of an image."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from mimgraph.ir.code import Operand, call
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.types import BATCH, TensorType
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import bad_option, changed, dtype_fault, floating, same_size

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
        raise bad_option("mode", "mode bicubic samples images, not volumes", "use bilinear")
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
