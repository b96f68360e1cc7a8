"""Define the dropout layers, which set random values to zero in training."""

from __future__ import annotations

from mimgraph.ir.lowering import Lowering, module
from mimgraph.ir.option_types import Probability
from mimgraph.ir.types import TensorType
from mimgraph.ops.layers.spatial.window import SHAPES
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import floating, with_rank, without_axes


@layer(family="dropout")
def Dropout(input: TensorType, /, p: Probability = 0.5, inplace: bool = False) -> Lowering:
    """In training, each element is zero with probability `p`: (*) -> (*).

    Srivastava et al. 2014.

    Example:
        x: [20, 64]
        {layer: Dropout, from: x, p: 0.1}
    """
    return _dropout(input, "Dropout", p, inplace)


@layer(family="dropout")
def Dropout1d(input: TensorType, /, p: Probability = 0.5, inplace: bool = False) -> Lowering:
    """In training, each channel is zero with probability `p`: (N, C, L) -> (N, C, L).

    Tompson et al. 2015.

    Example:
        signal: [8, 50]
        {layer: Dropout1d, from: signal, p: 0.1}
    """
    with_rank(input, 2, "Dropout1d", SHAPES[1])
    return _dropout(input, "Dropout1d", p, inplace)


@layer(family="dropout")
def Dropout2d(input: TensorType, /, p: Probability = 0.5, inplace: bool = False) -> Lowering:
    """In training, each channel is zero with probability `p`: (N, C, H, W) -> (N, C, H, W).

    Tompson et al. 2015.

    Example:
        image: [3, 32, 32]
        {layer: Dropout2d, from: image, p: 0.1}
    """
    with_rank(input, 3, "Dropout2d", SHAPES[2])
    return _dropout(input, "Dropout2d", p, inplace)


@layer(family="dropout")
def Dropout3d(input: TensorType, /, p: Probability = 0.5, inplace: bool = False) -> Lowering:
    """In training, each channel is zero with probability `p`: (N, C, D, H, W) -> same.

    Tompson et al. 2015.

    Example:
        volume: [3, 8, 16, 16]
        {layer: Dropout3d, from: volume, p: 0.1}
    """
    with_rank(input, 4, "Dropout3d", SHAPES[3])
    return _dropout(input, "Dropout3d", p, inplace)


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
