"""Flatten, Reshape, Permute, RepeatVector, padding and cropping."""

from __future__ import annotations

from typing import Any

from mimgraph.importer.foreign.keras.layers.padding import pad_list
from mimgraph.importer.foreign.keras.rules import Unsupported, Use, layer
from mimgraph.importer.foreign.keras.value import Size, Value, size


@layer("Flatten")
def _flatten(use: Use) -> Value:
    """Flatten axes with the channels first, in an order that the next layer's weights follow."""
    value = use.value
    if value.rank == 2:
        return value
    if value.rank == 1:
        return value._replace(source=use.add({"layer": "Unsqueeze", "dim": 1}, value), shape=(1,))
    if use.layer.options.get("data_format") == "channels_first":
        raise Unsupported("it flattens a tensor with the channels first")
    known = [one for one in map(size, value.shape) if isinstance(one, int)]
    is_known = len(known) == len(value.shape)
    if not is_known:
        value = use.body.at(value, None)
    places = [one for one in known[:-1] if one != 1]
    moves = value.channel is not None and is_known and known[-1] > 1 and bool(places)
    if moves and value.channel != 1:
        value, moves = use.body.at(value, None), False
    order = (tuple(known),) if moves else None
    width = product(known) if is_known else None
    node = use.add({"layer": "Flatten"}, value)
    use.body.flattened[node] = value
    return Value(node, (width,), value.dtype, None, order)


def product(sizes: list[int]) -> int:
    """Return the product of sizes."""
    found = 1
    for one in sizes:
        found *= one
    return found


@layer("Reshape")
def _reshape(use: Use) -> Value:
    return reshaped(use, use.layer.integers("target_shape"))


def reshaped(use: Use, target: list[int]) -> Value:
    """Return the value in other sizes; channels behind axes of size 1 come first at once."""
    value = use.body.plain(use.value)
    known = [one for one in map(size, value.shape) if isinstance(one, int)]
    sizes: list[Size] = [one if one != -1 else None for one in target]
    if len(known) == len(value.shape) and target.count(-1) == 1:
        others = -product(target)
        sizes = [one if one != -1 else product(known) // max(others, 1) for one in target]
    ones = all(one == 1 for one in sizes[:-1])
    if value.rank == 2 and len(sizes) > 2 and ones and sizes[-1] == value.size(-1):
        shape = [sizes[-1], *sizes[:-1]]
        node = use.add({"layer": "Reshape", "shape": shape}, value)
        return Value(node, tuple(sizes), value.dtype, 1)
    value = use.body.at(value, None)
    if [*map(size, value.shape)] == sizes:
        return value
    node = use.add({"layer": "Reshape", "shape": target}, value)
    return Value(node, tuple(sizes), value.dtype)


@layer("Permute")
def _permute(use: Use) -> Value:
    dims = use.layer.integers("dims")
    if sorted(dims) != list(range(1, use.value.rank)):
        use.layer.refuse("bad-option", f"dims must order the axes 1 to {use.value.rank - 1}")
    return permuted(use, dims)


def permuted(use: Use, dims: list[int]) -> Value:
    """Return the value with Keras' axes in this order; there is no node if they lie so already."""
    value = use.body.plain(use.value)
    order = [value.axes.index(axis) for axis in (0, *dims)]
    shape = tuple(value.shape[axis - 1] for axis in dims)
    result = value._replace(shape=shape, channel=None, mask=None)
    if order == sorted(order):
        return result
    return result._replace(source=use.add({"layer": "Permute", "dims": order}, value))


@layer("RepeatVector")
def _repeat(use: Use) -> Value:
    value = use.body.plain(use.value)
    times = use.layer.integer("n")
    column = use.add({"layer": "Unsqueeze", "dim": 1}, value, suffix="_step")
    node = use.add({"layer": "Expand", "size": [times, -1]}, [column])
    return value._replace(source=node, shape=(times, *value.shape))


@layer(
    *("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"),
    *("Cropping1D", "Cropping2D", "Cropping3D"),
)
def _pad(use: Use) -> Value:
    """Add zeros around the places or crop them, wherever the channels are."""
    own, value = use.layer, use.body.plain(use.value)
    count, key = int(own.kind[-2]), "padding"
    sign = 1
    if own.kind.startswith("Cropping"):
        key, sign = "cropping", -1
    pairs = _pairs(use, key, count)
    first = own.options.get("data_format") == "channels_first"
    theirs = range(2, count + 2) if first else range(1, count + 1)
    if value.rank != count + 2:
        own.refuse("rank-mismatch", f"it takes {count + 2} axes and is given {value.rank}")
    by_axis = {axis: (sign * b, sign * a) for axis, (b, a) in zip(theirs, pairs, strict=True)}
    ours = [by_axis.get(axis, (0, 0)) for axis in value.axes[1:]]
    while ours and ours[0] == (0, 0):
        ours.pop(0)
    shape = tuple(
        one + sum(by_axis.get(axis, ())) if isinstance(one, int) else None
        for axis, one in enumerate(map(size, value.shape), 1)
    )
    entry: dict[str, Any] = {"layer": "Pad", "pad": pad_list(ours)}
    if len(ours) == count and value.axes[-1] != value.rank - 1:
        entry = {"layer": f"ZeroPad{count}d", "padding": _lone(pad_list(ours))}
    elif not ours:
        return value
    return value._replace(source=use.add(entry, value), shape=shape, mask=None)


def _lone(numbers: list[int]) -> int | list[int]:
    return numbers[0] if len({*numbers}) == 1 else numbers


def _pairs(use: Use, key: str, count: int) -> list[tuple[int, int]]:
    """Return the numbers before and after each axis."""
    given = use.layer.options.get(key)
    if type(given) is int:
        given = [[given, given]] * count
    elif isinstance(given, list) and count == 1 and all(type(one) is int for one in given):
        given = [given]
    elif isinstance(given, list) and all(type(one) is int for one in given):
        given = [[one, one] for one in given]
    found = []
    for pair in given if isinstance(given, list) else []:
        if not isinstance(pair, list) or [type(one) for one in pair] != [int, int] or min(pair) < 0:
            break
        found.append((pair[0], pair[1]))
    if len(found) != count:
        use.layer.refuse("wrong-type", f"{key} must have two numbers for each of {count} axes")
    return found
