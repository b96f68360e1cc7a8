"""Pooling over windows, and over all places."""

from __future__ import annotations

from typing import Any

from mimgraph.importer.foreign.keras.layers.convolution import places, result_of, spatial
from mimgraph.importer.foreign.keras.layers.padding import same, short, steps
from mimgraph.importer.foreign.keras.rules import Use, layer, mask_of
from mimgraph.importer.foreign.keras.value import Size, Value


@layer(
    *("MaxPooling1D", "MaxPooling2D", "MaxPooling3D"),
    *("AveragePooling1D", "AveragePooling2D", "AveragePooling3D"),
)
def _pooling(use: Use) -> Value:
    """A window that "same" makes longer at the end is torch's `ceil_mode`, which pads nothing."""
    own, count = use.layer, int(use.layer.kind[-2])
    value = spatial(use, use.value, count)
    sizes = places(value)
    pool = own.sizes("pool_size", count, 2)
    strides = own.sizes("strides", count) if own.options.get("strides") is not None else pool
    is_max = own.kind.startswith("Max")
    entry: dict[str, Any] = {"layer": f"{'Max' if is_max else 'Avg'}Pool{count}d"}
    entry["kernel_size"] = short(pool)
    if strides != pool:
        entry["stride"] = short(strides)
    pads = [(0, 0)] * count
    if own.text("padding", "valid").lower() == "same":
        is_open = not all(isinstance(one, int) for one in sizes)
        half = is_open and pool == strides == [2] * count  # pads at the end, if at all
        pads = [(0, 1)] * count if half else same(own, sizes, pool, strides)
        if any(before for before, _ in pads):
            entry["padding"] = short([before for before, _ in pads])
        if any(before != after for before, after in pads):
            entry["ceil_mode"] = True
        if any(after for _, after in pads) and not is_max:
            entry["count_include_pad"] = False
        after: list[Size] = [
            -(-one // stride) if isinstance(one, int) else one if stride == 1 else None
            for one, stride in zip(sizes, strides, strict=True)
        ]
    else:
        after = [steps(*triple, 0) for triple in zip(sizes, pool, strides, strict=True)]
    result = result_of(value, value.ours[0], after)
    return result._replace(source=use.add(entry, value))


@layer(
    *("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D"),
    *("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D"),
)
def _global_pooling(use: Use) -> Value:
    """A mean or maximum over the places, where the channels are at any axis."""
    own, value = use.layer, use.body.plain(use.value)
    count = int(own.kind[-2])
    if value.rank != count + 2:
        own.refuse("rank-mismatch", f"it takes {count + 2} axes and is given {value.rank}")
    first = own.options.get("data_format") == "channels_first"
    theirs = range(2, value.rank) if first else range(1, value.rank - 1)
    dims = sorted(value.axes.index(axis) for axis in theirs)
    keep = own.flag("keepdims")
    is_max = "Max" in own.kind
    channels = value.shape[0 if first else -1]
    ones = (1,) * count
    shape = (channels,) if not keep else (channels, *ones) if first else (*ones, channels)
    result = value._replace(shape=shape, mask=None, channel=value.channel if keep else None)
    mask = mask_of(use, value)
    if mask and not first and not keep and not is_max:
        sources = {"input": value.source, "mask": mask}
        return result._replace(source=use.add({"merge": "mean_pool"}, sources))
    entry = {"layer": "Max" if is_max else "Mean", "dim": short(dims) if count == 1 else dims}
    if keep:
        entry["keepdim"] = True
    return result._replace(source=use.add(entry, value))
