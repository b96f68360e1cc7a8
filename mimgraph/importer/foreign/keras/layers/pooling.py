"""Pooling over windows, and over all places."""

from __future__ import annotations

from typing import Any

from mimgraph.importer.foreign.keras.layers.convolution import places, result_of, spatial
from mimgraph.importer.foreign.keras.layers.padding import pad_list, same, short, steps
from mimgraph.importer.foreign.keras.rules import Use, layer, mask_of
from mimgraph.importer.foreign.keras.value import Size, Value


@layer(
    *("MaxPooling1D", "MaxPooling2D", "MaxPooling3D"),
    *("AveragePooling1D", "AveragePooling2D", "AveragePooling3D"),
)
def _pooling(use: Use) -> Value:
    """Pool windows over the places, with the padding of Keras."""
    own, count = use.layer, int(use.layer.kind[-2])
    value = spatial(use, use.value, count)
    sizes = places(value)
    pool = own.sizes("pool_size", count, 2)
    strides = own.sizes("strides", count) if own.options.get("strides") is not None else pool
    entry: dict[str, Any] = {"layer": f"{'Max' if own.kind[0] == 'M' else 'Avg'}Pool{count}d"}
    entry["kernel_size"] = short(pool)
    if strides != pool:
        entry["stride"] = short(strides)
    if own.text("padding", "valid").lower() != "same":
        after = [steps(*triple, 0) for triple in zip(sizes, pool, strides, strict=True)]
        return result_of(value, value.ours[0], after)._replace(source=use.add(entry, value))
    after = [
        -(-one // stride) if isinstance(one, int) else one if stride == 1 else None
        for one, stride in zip(sizes, strides, strict=True)
    ]
    pads = _same(use, sizes, pool, strides)
    return result_of(value, value.ours[0], after)._replace(
        source=_padded(use, value, entry, pads, strides)
    )


def _same(
    use: Use, sizes: list[Size], pool: list[int], strides: list[int]
) -> list[tuple[int, int]]:
    """Return the padding of each axis; halving pads at the end if at all, whatever the size."""
    is_open = not all(isinstance(one, int) for one in sizes)
    if is_open and pool == strides == [2] * len(pool):
        return [(0, 1)] * len(pool)
    return same(use.layer, sizes, pool, strides)


def _padded(
    use: Use, value: Value, entry: dict[str, Any], pads: list[tuple[int, int]], strides: list[int]
) -> str:
    """Add a pooling with padding that may be one longer at the end.

    With a stride that is torch's `ceil_mode`. Without one, both ends are padded so, and the first
    window is cut off.
    """
    pairs = [*zip(pads, strides, strict=True)]
    cuts = [int(step == 1 and before != after) for (before, after), step in pairs]
    padding = [after if cut else before for (before, after), cut in zip(pads, cuts, strict=True)]
    if any(padding):
        entry["padding"] = short(padding)
    if any(before != after and step != 1 for (before, after), step in pairs):
        entry["ceil_mode"] = True
    if any(after for _, after in pads) and entry["layer"].startswith("Avg"):
        entry["count_include_pad"] = False
    if not any(cuts):
        return use.add(entry, value)
    whole = use.add(entry, value, suffix="_full")
    crop = pad_list([(-cut, 0) for cut in cuts])
    return use.add({"layer": f"ZeroPad{len(cuts)}d", "padding": crop}, [whole])


@layer(
    *("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D"),
    *("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D"),
)
def _global_pooling(use: Use) -> Value:
    """Reduce all places to their mean or maximum, wherever the channels are."""
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
