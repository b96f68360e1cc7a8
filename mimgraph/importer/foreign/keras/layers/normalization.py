"""Normalisation over the batch, layers, groups, and by fixed statistics."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from mimgraph.importer.foreign.keras import arrays
from mimgraph.importer.foreign.keras.rules import Unsupported, Use, layer
from mimgraph.importer.foreign.keras.value import Array, Value, Weight

_EPSILON = 1e-7  # Keras' own, in Normalization


@layer("BatchNormalization")
def _batch_norm(use: Use) -> Value:
    """Convert the momentum: Keras' is the share of the old statistics, torch's the share of the new."""
    own, value = use.layer, use.value
    axis = _axis(use, value)
    if axis == value.rank - 1 and value.rank > 2:
        value = use.body.at(value, 1)
    elif axis != 1:
        raise Unsupported(f"it normalises along axis {axis}")
    entry: dict[str, Any] = {"layer": f"BatchNorm{max(value.rank - 2, 1)}d"}
    entry |= {"eps": own.number("epsilon", 1e-3), "momentum": 1 - own.number("momentum", 0.99)}
    entry["momentum"] = float(f"{entry['momentum']:.10g}")  # 0.01, not 0.010000000000000009
    flat = partial(arrays.rows, value=value)
    weights, scaled = _affine(use, entry, flat)
    weights["running_mean"] = use.weight(scaled, flat)
    weights["running_var"] = use.weight(scaled + 1, flat)
    weights["num_batches_tracked"] = arrays.COUNT
    return value._replace(source=use.add(entry, value, weights))


def _affine(
    use: Use, entry: dict[str, Any], make: Callable[[Array], Array]
) -> tuple[dict[str, Weight], int]:
    """Return the weights of scale and shift, and how many of them Keras has.

    Where Keras has one of the two, the other is ones or zeros; where it has none, so does the entry.
    """
    scale, center = use.layer.flag("scale", True), use.layer.flag("center", True)
    if not (scale or center):
        entry["affine"] = False
        return {}, 0
    first = use.array(0)
    missing = {
        "weight": Weight((first,), arrays.ones, False),
        "bias": Weight((first,), arrays.zeros, False),
    }
    has = [name for name, there in (("weight", scale), ("bias", center)) if there]
    found = {name: use.weight(number, make) for number, name in enumerate(has)}
    return missing | found, len(has)


def _axis(use: Use, value: Value) -> int:
    """Return the one axis of a layer, counted from the batch."""
    axis = use.layer.options.get("axis", -1)
    if isinstance(axis, list) and len(axis) == 1:
        axis = axis[0]
    if type(axis) is not int or not -value.rank <= axis < value.rank:
        raise Unsupported("it normalises along several axes")
    return axis % value.rank


@layer("LayerNormalization")
def _layer_norm(use: Use) -> Value:
    own, value = use.layer, use.body.at(use.value, None)
    axes = own.integers("axis")
    count = len(axes)
    if sorted(axis % value.rank for axis in axes) != list(range(value.rank - count, value.rank)):
        raise Unsupported(f"its axes {axes} are not the last ones")
    if own.options.get("rms_scaling"):
        raise Unsupported("it has rms_scaling: use RMSNormalization")
    entry: dict[str, Any] = {"layer": "LayerNorm", "eps": own.number("epsilon", 1e-3)}
    if count > 1:
        sizes = [value.size(axis) for axis in range(value.rank - count, value.rank)]
        if not all(isinstance(one, int) for one in sizes):
            own.refuse("symbolic-size", "a size that it normalises over is open")
        entry["normalized_shape"] = sizes
    scale, center = own.flag("scale", True), own.flag("center", True)
    weights: dict[str, Weight] = {}
    if scale or center:
        first = use.array(0)
        weights["weight"] = use.weight(0) if scale else Weight((first,), arrays.ones, False)
        if center:
            weights["bias"] = use.weight(int(scale))
        else:
            entry["bias"] = False
    else:
        entry["elementwise_affine"] = False
    return value._replace(source=use.add(entry, value, weights))


@layer("RMSNormalization")
def _rms_norm(use: Use) -> Value:
    value = use.body.at(use.value, None)
    if _axis(use, value) != value.rank - 1:
        raise Unsupported("it does not normalise the last axis")
    entry = {"layer": "RMSNorm", "eps": use.layer.number("epsilon", 1e-6)}
    return value._replace(source=use.add(entry, value, {"weight": use.weight(0)}))


@layer("GroupNormalization")
def _group_norm(use: Use) -> Value:
    own, value = use.layer, use.body.plain(use.value)
    if _axis(use, value) != value.rank - 1:
        raise Unsupported("its channels are not the last axis")
    value = use.body.at(value, 1)
    groups, channels = own.integer("groups", 32), value.size(-1)
    if groups == -1:
        if not isinstance(channels, int):
            own.refuse("symbolic-size", "the number of its channels is not known")
        groups = channels
    entry: dict[str, Any] = {"layer": "GroupNorm", "num_groups": groups}
    entry["eps"] = own.number("epsilon", 1e-3)
    weights, _ = _affine(use, entry, lambda array: array)
    return value._replace(source=use.add(entry, value, weights))


@layer("LayerScale")
def _layer_scale(use: Use) -> Value:
    """Multiply each channel by a learned factor, as ConvNeXt does."""
    value, width = use.body.plain(use.value), use.layer.integer("projection_dim")
    shape = per_channel(value, width)
    weight = use.weight(0, lambda array: array.reshape(shape))
    init = {"constant": {"val": use.layer.number("init_values")}}
    gamma = use.add({"parameter": shape, "init": init}, [], {"": weight}, "_gamma")
    entry = {"merge": "multiply", "broadcast": True}
    return value._replace(source=use.add(entry, [value.source, gamma]))


@layer("UnitNormalization")
def _unit_norm(use: Use) -> Value:
    value = use.body.plain(use.value)
    entry = {"layer": "Normalize", "dim": value.axis(_axis(use, value)), "eps": 1e-6}
    return value._replace(source=use.add(entry, value))


@layer("Normalization")
def _normalization(use: Use) -> Value:
    """Scale by fixed statistics, which are buffers: numbers of the config, or what `adapt` computed."""
    own, value = use.layer, use.body.plain(use.value)
    if own.flag("invert"):
        raise Unsupported("it is inverted")
    axis = own.options.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis not in (-1, value.rank - 1, None):
        raise Unsupported(f"its axis is {axis}")
    width = value.size(-1) if axis is not None else 1
    if not isinstance(width, int):
        own.refuse("symbolic-size", "the number of its channels is not known")
    mean = _statistic(use, value, "mean", 0, width)
    spread = _statistic(use, value, "variance", 1, width)
    entry = {"merge": "formula", "expr": "(x - mean) / std", "broadcast": True}
    sources = {"x": value.source, "mean": mean, "std": spread}
    return value._replace(source=use.add(entry, sources))


def _statistic(use: Use, value: Value, key: str, number: int, width: int) -> str:
    """Add a buffer with a statistic, and return its name; of the variance it has the square root."""
    is_mean, given = (
        key == "mean",
        use.layer.options.get(f"input_{key}", use.layer.options.get(key)),
    )
    shape = per_channel(value, width)
    init: Any = "zeros" if is_mean else "ones"
    weight = use.weight(number, partial(_shaped, shape=shape, is_mean=is_mean))
    if given is not None:
        import numpy as np

        try:
            numbers = np.asarray(given, "float64").reshape(-1)
        except (ValueError, TypeError):
            use.layer.refuse("wrong-type", f"{key} must be numbers")
        if numbers.size not in (1, width):
            use.layer.refuse(
                "shape-mismatch", f"{key} has {numbers.size} numbers for {width} channels"
            )
        full = _shaped(np.broadcast_to(numbers, (width,)), shape, is_mean)
        init, weight = full.tolist(), arrays.kept(full.tolist())
    entry = {"buffer": shape, "init": init}
    return use.add(entry, [], {"": weight}, "_mean" if is_mean else "_std")


def _shaped(array: Array, shape: list[int], is_mean: bool) -> Array:
    import numpy as np

    array = array if is_mean else np.maximum(np.sqrt(array), _EPSILON)
    return array.reshape(shape)


def per_channel(value: Value, width: int) -> list[int]:
    """Return the shape of a tensor without a batch that has a number for each channel of a value."""
    return [width if axis == value.rank - 1 else 1 for axis in value.axes[1:]]
