"""Define shuffles between channels and positions, and among channels."""

from __future__ import annotations

from mimgraph.ir.axes_help import node
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import Lowering, module
from mimgraph.ir.option_types import Positive
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.ops.layers.shape.reshape import divided, moved
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import bad_option


@layer(family="shuffle")
def PixelShuffle(input: TensorType, /, upscale_factor: Positive) -> Lowering:
    """Channels to a finer grid, r = upscale_factor: (*, C * r**2, H, W) -> (*, C, H * r, W * r).

    Shi et al. 2016, sub-pixel convolution.

    Example:
        image: [12, 16, 16]
        {layer: PixelShuffle, from: image, upscale_factor: 2}
    """
    _check_image(input, "PixelShuffle")
    *lead, channels, height, width = input
    factor = int(upscale_factor)
    left, requires = _divided(channels, factor**2, "upscale_factor", "channels")
    return Lowering(
        moved(input, *lead, left, height * factor, width * factor),
        module("PixelShuffle", upscale_factor=upscale_factor),
        requires=requires,
    )


@layer(family="shuffle")
def PixelUnshuffle(input: TensorType, /, downscale_factor: Positive) -> Lowering:
    """Each r x r square to channels, r = downscale_factor: (*, C, H * r, W * r) -> (*, C * r**2, H, W).

    Example:
        image: [3, 32, 32]
        {layer: PixelUnshuffle, from: image, downscale_factor: 2}
    """
    _check_image(input, "PixelUnshuffle")
    *lead, channels, height, width = input
    factor = int(downscale_factor)
    rows, even_rows = _divided(height, factor, "downscale_factor", "height")
    columns, even_columns = _divided(width, factor, "downscale_factor", "width")
    return Lowering(
        moved(input, *lead, channels * factor**2, rows, columns),
        module("PixelUnshuffle", downscale_factor=downscale_factor),
        requires=(*even_rows, *even_columns),
    )


@layer(family="shuffle")
def ChannelShuffle(input: TensorType, /, groups: Positive) -> Lowering:
    """Channels interleaved between `groups`: (N, C, *) -> (N, C, *).

    Zhang et al. 2018, ShuffleNet.

    Example:
        image: [8, 16, 16]
        {layer: ChannelShuffle, from: image, groups: 2}
    """
    if len(input.dims) < 2 or not input.batched:
        help = f"give it an axis behind the channels: {node('Unsqueeze', '{input}', 'dim: -1')}"
        help = help if input.dims else ""
        message = "ChannelShuffle takes (N, C, L, *)"
        raise OpFault("rank-mismatch", message, note=str(input), help=help)
    _, requires = _divided(input.dims[0], int(groups), "groups", "channels")
    return Lowering(
        moved(input, *input), module("ChannelShuffle", groups=groups), requires=requires
    )


def _check_image(input: TensorType, name: str) -> None:
    """Refuse a tensor without channels, height and width."""
    if len(input.dims) < 3:
        raise OpFault("rank-mismatch", f"{name} takes (N, *, C, H, W)", note=str(input))


def _divided(size: Size, by: int, option: str, what: str) -> tuple[Size, tuple[Constraint, ...]]:
    """Return `size / by` and the constraint that it is whole; refuse a size that it never divides."""
    found = divided(size, by)
    if found is None:
        raise bad_option(option, f"{what} {size} is not a multiple of {by}")
    return found
