"""Windows that slide over axes, in convolutions and pools: their options, and how many fit."""

from __future__ import annotations

from typing import Any, TypeAlias

from mimgraph.catalogue import OpFault
from mimgraph.ir.dim import Size
from mimgraph.ir.option_types import NonNegative, Positive

Sizes1: TypeAlias = Positive | tuple[Positive]
Sizes2: TypeAlias = Positive | tuple[Positive, Positive]
Sizes3: TypeAlias = Positive | tuple[Positive, Positive, Positive]
Pads1: TypeAlias = NonNegative | tuple[NonNegative]
Pads2: TypeAlias = NonNegative | tuple[NonNegative, NonNegative]
Pads3: TypeAlias = NonNegative | tuple[NonNegative, NonNegative, NonNegative]

SHAPES = {1: "(N, C, L)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}


def per_axis(value: Any, axes: int) -> tuple[Any, ...]:
    """An option that is one number for all axes, or one for each."""
    return value if isinstance(value, tuple) else (value,) * axes


def plain(size: Size) -> Size:
    """A size without its origin: what a window leaves of it is no longer what was written."""
    return int(size) if isinstance(size, int) else size


def slide(size: Size, kernel: int, stride: int, padding: int, dilation: int) -> Size:
    """How many windows fit on an axis of that size; `padding` is that of both sides together."""
    kernel, dilation = int(kernel), int(dilation)
    reach = dilation * (kernel - 1) + 1
    padded = plain(size) + padding
    if isinstance(padded, int) and padded < reach:
        raise too_large(kernel, dilation, padded)
    return unless_same(size, (padded - reach) // int(stride) + 1)


def too_large(kernel: int, dilation: int, padded: int) -> OpFault:
    """A kernel that does not fit once."""
    dilated = f" with dilation {dilation}" if dilation > 1 else ""
    return OpFault(
        "empty-output", f"kernel {kernel}{dilated} is larger than the padded input {padded}"
    )


def unless_same(size: Size, result: Size) -> Size:
    """`result`, but as `size` where they are equal, for that remembers where it came from."""
    return size if result == size else result
