"""Define padding with zeros, a constant, or copied values; negative padding crops."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

from mimgraph.ir.lowering import Lowering, module
from mimgraph.ir.types import TensorType
from mimgraph.ops.layers.shape.reshape import moved
from mimgraph.ops.layers.spatial.window import SHAPES, by_axis, check_pads, padded_sizes, per_axis
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import layer
from mimgraph.ops.rule_helpers import dtype_fault, with_rank

# sizes before and after each axis, the last axis first
Sides1: TypeAlias = int | tuple[int, int]
Sides2: TypeAlias = int | tuple[int, int, int, int]
Sides3: TypeAlias = int | tuple[int, int, int, int, int, int]
Number: TypeAlias = int | float


@layer(family="padding")
def ZeroPad1d(input: TensorType, /, padding: Sides1) -> Lowering:
    """Padded by zeros around the last axis: (N, *, L) -> (N, *, L').

    `padding` is one number, or [left, right].

    Example:
        x: [4, 9]
        {layer: ZeroPad1d, from: x, padding: [2, 1]}
    """
    return _filled(input, "ZeroPad1d", 1, padding)


@layer(family="padding")
def ZeroPad2d(input: TensorType, /, padding: Sides2) -> Lowering:
    """Padded by zeros around the last two axes: (N, *, H, W) -> (N, *, H', W').

    `padding` is one number, or [left, right, top, bottom].

    Example:
        image: [3, 32, 32]
        {layer: ZeroPad2d, from: image, padding: [1, 2, 1, 2]}
    """
    return _filled(input, "ZeroPad2d", 2, padding)


@layer(family="padding")
def ZeroPad3d(input: TensorType, /, padding: Sides3) -> Lowering:
    """Padded by zeros around the last three axes: (N, *, D, H, W) -> the same, longer.

    `padding` is one number, or [left, right, top, bottom, front, back].

    Example:
        volume: [3, 8, 16, 16]
        {layer: ZeroPad3d, from: volume, padding: 1}
    """
    return _filled(input, "ZeroPad3d", 3, padding)


@layer(family="padding")
def ConstantPad1d(input: TensorType, /, padding: Sides1, value: Number) -> Lowering:
    """Padded by `value` around the last axis: (N, *, L) -> (N, *, L').

    `padding` is one number, or [left, right].

    Example:
        x: [4, 9]
        {layer: ConstantPad1d, from: x, padding: 1, value: 0.5}
    """
    return _filled(input, "ConstantPad1d", 1, padding, value=value)


@layer(family="padding")
def ConstantPad2d(input: TensorType, /, padding: Sides2, value: Number) -> Lowering:
    """Padded by `value` around the last two axes: (N, *, H, W) -> (N, *, H', W').

    `padding` is one number, or [left, right, top, bottom].

    Example:
        image: [3, 32, 32]
        {layer: ConstantPad2d, from: image, padding: 1, value: 0.5}
    """
    return _filled(input, "ConstantPad2d", 2, padding, value=value)


@layer(family="padding")
def ConstantPad3d(input: TensorType, /, padding: Sides3, value: Number) -> Lowering:
    """Padded by `value` around the last three axes: (N, *, D, H, W) -> the same, longer.

    `padding` is one number, or [left, right, top, bottom, front, back].

    Example:
        volume: [3, 8, 16, 16]
        {layer: ConstantPad3d, from: volume, padding: 1, value: 0.5}
    """
    return _filled(input, "ConstantPad3d", 3, padding, value=value)


@layer(family="padding")
def ReflectionPad1d(input: TensorType, /, padding: Sides1) -> Lowering:
    """Padded by reflection around the last axis: (N, C, L) -> (N, C, L').

    `padding` is one number, or [left, right].

    Example:
        x: [4, 9]
        {layer: ReflectionPad1d, from: x, padding: 1}
    """
    return _copied(input, "ReflectionPad1d", 1, "reflect", padding)


@layer(family="padding")
def ReflectionPad2d(input: TensorType, /, padding: Sides2) -> Lowering:
    """Padded by reflection around the last two axes: (N, C, H, W) -> (N, C, H', W').

    `padding` is one number, or [left, right, top, bottom].

    Example:
        image: [3, 32, 32]
        {layer: ReflectionPad2d, from: image, padding: 1}
    """
    return _copied(input, "ReflectionPad2d", 2, "reflect", padding)


@layer(family="padding")
def ReflectionPad3d(input: TensorType, /, padding: Sides3) -> Lowering:
    """Padded by reflection around the last three axes: (N, C, D, H, W) -> the same, longer.

    `padding` is one number, or [left, right, top, bottom, front, back].

    Example:
        volume: [3, 8, 16, 16]
        {layer: ReflectionPad3d, from: volume, padding: 1}
    """
    return _copied(input, "ReflectionPad3d", 3, "reflect", padding)


@layer(family="padding")
def ReplicationPad1d(input: TensorType, /, padding: Sides1) -> Lowering:
    """Padded by repeating the border around the last axis: (N, C, L) -> (N, C, L').

    `padding` is one number, or [left, right].

    Example:
        x: [4, 9]
        {layer: ReplicationPad1d, from: x, padding: 1}
    """
    return _copied(input, "ReplicationPad1d", 1, "replicate", padding)


@layer(family="padding")
def ReplicationPad2d(input: TensorType, /, padding: Sides2) -> Lowering:
    """Padded by repeating the border around the last two axes: (N, C, H, W) -> (N, C, H', W').

    `padding` is one number, or [left, right, top, bottom].

    Example:
        image: [3, 32, 32]
        {layer: ReplicationPad2d, from: image, padding: 1}
    """
    return _copied(input, "ReplicationPad2d", 2, "replicate", padding)


@layer(family="padding")
def ReplicationPad3d(input: TensorType, /, padding: Sides3) -> Lowering:
    """Padded by repeating the border around the last three axes: (N, C, D, H, W) -> the same, longer.

    `padding` is one number, or [left, right, top, bottom, front, back].

    Example:
        volume: [3, 8, 16, 16]
        {layer: ReplicationPad3d, from: volume, padding: 1}
    """
    return _copied(input, "ReplicationPad3d", 3, "replicate", padding)


@layer(family="padding")
def CircularPad1d(input: TensorType, /, padding: Sides1) -> Lowering:
    """Padded by the values of the opposite end around the last axis: (N, C, L) -> (N, C, L').

    `padding` is one number, or [left, right].

    Example:
        x: [4, 9]
        {layer: CircularPad1d, from: x, padding: 1}
    """
    return _copied(input, "CircularPad1d", 1, "circular", padding)


@layer(family="padding")
def CircularPad2d(input: TensorType, /, padding: Sides2) -> Lowering:
    """Padded by the values of the opposite end around the last two axes: (N, C, H, W) -> (N, C, H', W').

    `padding` is one number, or [left, right, top, bottom].

    Example:
        image: [3, 32, 32]
        {layer: CircularPad2d, from: image, padding: 1}
    """
    return _copied(input, "CircularPad2d", 2, "circular", padding)


@layer(family="padding")
def CircularPad3d(input: TensorType, /, padding: Sides3) -> Lowering:
    """Padded by the values of the opposite end around the last three axes: (N, C, D, H, W) -> the same, longer.

    `padding` is one number, or [left, right, top, bottom, front, back].

    Example:
        volume: [3, 8, 16, 16]
        {layer: CircularPad3d, from: volume, padding: 1}
    """
    return _copied(input, "CircularPad3d", 3, "circular", padding)


def _filled(input: TensorType, name: str, axes: int, padding: Any, **value: Any) -> Lowering:
    """Return a padding with a constant; any number of axes may come before the padded ones."""
    if len(input.dims) < axes:
        shape = SHAPES[axes].replace("C", "*")
        help = f"{name[:-2]}{len(input.dims)}d takes {input}" if input.dims else ""
        raise OpFault("rank-mismatch", f"{name} takes {shape}", note=str(input), help=help)
    pairs = by_axis(per_axis(padding, 2 * axes))
    requires = check_pads("constant", input.dims[-axes:], pairs)
    return replace(_padded(input, name, padding, pairs, value), requires=requires)


def _copied(input: TensorType, name: str, axes: int, mode: str, padding: Any) -> Lowering:
    """Return a padding with copied values."""
    with_rank(input, axes + 1, name, SHAPES[axes])
    if input.dtype == "bool" and mode != "circular":
        raise dtype_fault(input, name, "a tensor of numbers")
    pairs = by_axis(per_axis(padding, 2 * axes))
    requires = check_pads(mode, input.dims[1:], pairs)
    return replace(_padded(input, name, padding, pairs, {}), requires=requires)


def _padded(
    input: TensorType,
    name: str,
    padding: Any,
    pairs: list[tuple[int, int]],
    value: dict[str, Any],
) -> Lowering:
    """Return the layer that makes the last axes longer by these pairs."""
    dims = (*input.dims[: -len(pairs)], *padded_sizes(input.dims[-len(pairs) :], pairs))
    result = input.like(*dims) if value else moved(input, *dims)
    return Lowering(result, module(name, padding=padding, **value))
