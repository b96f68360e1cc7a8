"""Layers that join tensors: sums, products, concatenation and dot products."""

from __future__ import annotations

from typing import Any

from mimgraph.importer.foreign.keras.body import Body
from mimgraph.importer.foreign.keras.options import Layer
from mimgraph.importer.foreign.keras.rules import Unsupported, Use, layer
from mimgraph.importer.foreign.keras.value import Length, Size, Value, size

_OURS = {
    "Add": "add",
    "Subtract": "subtract",
    "Multiply": "multiply",
    "Average": "average",
    "Maximum": "maximum",
    "Minimum": "minimum",
}


@layer("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
def _merge(use: Use) -> Value:
    values = use.values
    if len({one.rank for one in values}) > 1:
        raise Unsupported("its sources have different numbers of axes")
    return merged(use, _OURS[use.layer.kind], values)


def merged(use: Use, merge: str, values: list[Value]) -> Value:
    """Return values of one rank joined element by element; axes of size 1 are expanded."""
    if len(values) < 2:
        use.layer.refuse("wrong-arity", "it joins at least two tensors")
    values = aligned(values, use.body)
    columns = [*zip(*(one.shape for one in values), strict=True)]
    shape = tuple(_joined(use.layer, column) for column in columns)
    entry: dict[str, Any] = {"merge": merge}
    if any(1 in known and {*known} != {1} for known in map(_known, columns)):
        entry["broadcast"] = True
    masks = {one.mask for one in values}
    mask = masks.pop() if len(masks) == 1 else None
    node = use.add(entry, [one.source for one in values])
    return values[0]._replace(source=node, shape=shape, mask=mask)


def aligned(values: list[Value], body: Body) -> list[Value]:
    """Return values of one rank with their channels at one axis, and flat ones in one order."""
    if len({one.order for one in values}) > 1:
        values = [body.plain(one) for one in values]
    channel = next((one.channel for one in values if one.channel is not None), None)
    if values[0].order is not None:
        return values
    return [body.at(one, channel) for one in values]


def _known(column: tuple[Size, ...]) -> list[Size]:
    return [size(one) for one in column]


def _joined(owner: Layer, column: tuple[Size, ...]) -> Size:
    """Return the size of an axis after broadcasting; open lengths of the inputs become equal."""
    sizes = [one for one in _known(column) if one != 1]
    numbers = {one for one in sizes if isinstance(one, int)}
    if len(numbers) > 1:
        owner.refuse("shape-mismatch", f"sizes {sorted(numbers)} of its sources differ")
    lengths = [one for one in sizes if isinstance(one, Length)]
    for one in lengths[1:]:
        lengths[0].equal(one)
    if lengths and numbers:
        lengths[0].equal(min(numbers))
    return size((sizes or [1])[0]) if not numbers else min(numbers)


@layer("Concatenate")
def _concatenate(use: Use) -> Value:
    axis = use.layer.options.get("axis", -1)
    return concatenated(use, axis)


def concatenated(use: Use, axis: Any) -> Value:
    """Return values joined along Keras' axis; flat ones may keep their order."""
    values = use.values
    rank = values[0].rank if values else 0
    if len(values) < 2 or len({one.rank for one in values}) > 1:
        raise Unsupported("its sources are not two or more tensors of one number of axes")
    if type(axis) is not int or not -rank < axis < rank or axis == 0:
        use.layer.refuse("bad-option", f"axis {axis} is no axis of its sources but the batch")
    axis %= rank
    order = None
    if rank == 2 and all(isinstance(one.size(-1), int) for one in values):
        if any(one.order for one in values):
            order = tuple(part for one in values for part in one.order or ((_width(one),),))
    else:
        values = [use.body.plain(one) for one in values]
    if rank > 2:
        values = aligned(values, use.body)
    shape: list[Size] = []
    for number, column in enumerate(zip(*(one.shape for one in values), strict=True), 1):
        sizes = _known(column)
        whole = [one for one in sizes if isinstance(one, int)]
        full = sum(whole) if len(whole) == len(sizes) else None
        shape.append(full if number == axis else _joined(use.layer, column))
    dim = values[0].axis(axis)
    entry: dict[str, Any] = {"merge": "concat"}
    if dim not in (1, -1) or (dim == -1 and rank > 2):
        entry["dim"] = dim
    node = use.add(entry, [one.source for one in values])
    return values[0]._replace(source=node, shape=tuple(shape), order=order, mask=None)


def _width(value: Value) -> int:
    width = value.size(-1)
    assert isinstance(width, int)
    return width


@layer("Dot")
def _dot(use: Use) -> Value:
    """Sum the products over one axis of each source; the result of two vectors has an axis of size 1."""
    values = [use.body.at(one, None) for one in use.values]
    if len(values) != 2:
        use.layer.refuse("wrong-arity", "it joins two tensors")
    axes = use.layer.integers("axes")
    axes = axes * 2 if len(axes) == 1 else axes
    if len(axes) != 2 or any(a % one.rank == 0 for a, one in zip(axes, values, strict=True)):
        raise Unsupported("its axes are not one of each source")
    normalize = use.layer.flag("normalize")
    if [one.rank for one in values] == [2, 2]:
        entry: dict[str, Any] = {"merge": "cosine" if normalize else "dot"}
        found = use.add(entry, [one.source for one in values], suffix="_product")
        return Value(use.add({"layer": "Unsqueeze", "dim": 1}, [found]), (1,))
    sides, shape, sources, letters = [], [], [], iter("abcdefg")
    for axis, value in zip(axes, values, strict=True):
        names = [
            "n",
            *("s" if one == axis % value.rank else next(letters) for one in range(1, value.rank)),
        ]
        sides.append(names)
        shape += [one for name, one in zip(names[1:], value.shape, strict=True) if name != "s"]
        unit = {"layer": "Normalize", "dim": axis % value.rank, "eps": 1e-6}
        sources.append(use.body.helper(value, "unit", unit) if normalize else value.source)
    result = ["n", *(name for names in sides for name in names[1:] if name != "s")]
    equation = f"{' '.join(sides[0])}, {' '.join(sides[1])} -> {' '.join(result)}"
    node = use.add({"merge": "einsum", "equation": equation}, sources)
    return Value(node, tuple(shape))
