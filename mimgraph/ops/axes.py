"""Share among the rules over one, two or three axes: windows of convolutions and pooling, padding."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from mimgraph.ir.dim import Dim, DimOverflow, Size, at_least
from mimgraph.ir.option_types import NonNegative, Positive
from mimgraph.ir.types import Constraint
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import bad_option

Sizes1: TypeAlias = Positive | tuple[Positive]
Sizes2: TypeAlias = Positive | tuple[Positive, Positive]
Sizes3: TypeAlias = Positive | tuple[Positive, Positive, Positive]
Pads1: TypeAlias = NonNegative | tuple[NonNegative]
Pads2: TypeAlias = NonNegative | tuple[NonNegative, NonNegative]
Pads3: TypeAlias = NonNegative | tuple[NonNegative, NonNegative, NonNegative]

SHAPES = {1: "(N, C, L)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}


def per_axis(value: Any, axes: int) -> tuple[Any, ...]:
    """Return one value for each axis of an option that may be one value for all."""
    return value if isinstance(value, tuple) else (value,) * axes


def plain(size: Size) -> Size:
    """Return a size without the expression that it was written as."""
    return int(size) if isinstance(size, int) else size


def slide(size: Size, kernel: int, stride: int, padding: int, dilation: int) -> Size:
    """Return the number of windows on an axis of that size; `padding` is the sum of both sides."""
    kernel, stride, dilation = int(kernel), int(stride), int(dilation)
    reach = dilation * (kernel - 1) + 1
    padded = plain(size) + padding if padding else plain(size)
    if isinstance(padded, int) and padded < reach:
        raise too_large(kernel, dilation, padded)
    return unless_same(size, (padded + (stride - reach)) // stride)


def too_large(kernel: int, dilation: int, padded: int) -> OpFault:
    """Return the fault of a kernel that does not fit even once."""
    dilated = f" with dilation {dilation}" if dilation > 1 else ""
    widest = max(padded - 1, 0) // dilation + 1
    return OpFault(
        "empty-output",
        f"kernel {kernel}{dilated} is larger than the padded input {padded}",
        help=f"a kernel of at most {widest} fits, or pad it first",
    )


def unless_same(size: Size, result: Size) -> Size:
    """Return `result`, or `size` if they are equal, which knows the expression it was written as."""
    return size if result == size else result


def scaled(size: Size, factor: float, option: str) -> Size:
    """Return `floor(size * factor)` as torch computes it, in floats.

    For a size that is a name the factor must be exact, a fraction with a small denominator.
    """
    product = float(factor) * (1 if isinstance(size, Dim) else size)
    if not math.isfinite(product):
        raise DimOverflow("a number of more than 64 bits")
    if not isinstance(size, Dim):
        return unless_same(size, int(product))
    numerator, denominator = factor.as_integer_ratio()
    if denominator > 1024:
        raise OpFault(
            "symbolic-size",
            f"{option} {factor} is not exact, so {size} must be a number",
            option=option,
            help="give this size in the input's shape, or a factor such as 0.5 or 1.25",
        )
    return size * numerator // denominator


def by_axis(sides: Sequence[int]) -> list[tuple[int, int]]:
    """Return torch's padding, which lists the last axis first, as pairs with the first axis first."""
    return [(int(sides[i]), int(sides[i + 1])) for i in range(len(sides) - 2, -1, -2)]


def padded_sizes(sizes: Iterable[Size], pads: Iterable[tuple[int, int]]) -> list[Size]:
    """Return the sizes with padding before and after each axis."""
    pairs = zip(sizes, pads, strict=True)
    return [unless_same(size, plain(size) + before + after) for size, (before, after) in pairs]


def check_pads(
    mode: str, sizes: Iterable[Size], pads: Iterable[tuple[int, int]], option: str = "padding"
) -> tuple[Constraint, ...]:
    """Refuse padding that copies or cuts more than an axis has, and return constraints; `pads` are
    before and after each axis."""
    requires = []
    for size, sides in zip(sizes, pads, strict=True):
        minimum = _least(mode, *sides)
        enough = at_least(size, minimum)
        if enough is False:
            raise bad_option(option, f"{mode} padding {sides} is too large for size {size}")
        if isinstance(size, Dim) and not enough:
            requires.append(Constraint(size, minimum=minimum))
    return tuple(requires)


def _least(mode: str, before: int, after: int) -> int:
    """Return the smallest size that can be padded in this way."""
    match mode:
        case "reflect":
            return max(before, after) + 1  # the border itself is not copied
        case "circular":
            return max(before, after)
        case "constant":
            return -min(before, 0) - min(after, 0)  # torch cuts before it pads
        case _:
            return 0
