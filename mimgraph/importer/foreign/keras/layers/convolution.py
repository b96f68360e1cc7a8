"""Convolutions: kernels have the two channels last in Keras, and first in torch."""

from __future__ import annotations

from typing import Any

from mimgraph.importer.foreign.keras import arrays
from mimgraph.importer.foreign.keras.layers.activations import activated
from mimgraph.importer.foreign.keras.layers.padding import pad_list, same, short, steps, windows
from mimgraph.importer.foreign.keras.rules import Unsupported, Use, layer
from mimgraph.importer.foreign.keras.value import Size, Value, Weight


def spatial(use: Use, value: Value, count: int) -> Value:
    """Return the value with channels first for a layer over `count` axes; refuse another rank."""
    if value.rank != count + 2:
        use.layer.refuse("rank-mismatch", f"it takes {count + 2} axes and is given {value.rank}")
    first = use.layer.options.get("data_format") == "channels_first"
    return use.body.at(value, None if first else 1)


def places(value: Value) -> list[Size]:
    """Return the sizes of the axes behind the channels, which are first here."""
    return value.ours[1:]


def result_of(value: Value, channels: Size, sizes: list[Size]) -> Value:
    """Return the value with another number of channels and other sizes."""
    ours = [channels, *sizes]
    value = value._replace(mask=None)
    if value.channel is None:  # Keras has them first too
        return value._replace(shape=tuple(ours))
    return value._replace(shape=(*ours[1:], ours[0]))


def _windowed(use: Use, value: Value, count: int) -> tuple[Value, dict[str, Any], list[Size]]:
    """Return the value, padded if torch cannot, the options of the window, and the sizes after it."""
    own = use.layer
    kernel, strides = own.sizes("kernel_size", count), own.sizes("strides", count, 1)
    dilation = own.sizes("dilation_rate", count, 1)
    reach, sizes = windows(kernel, dilation), places(value)
    how = own.text("padding", "valid").lower()
    pads = [(0, 0)] * count
    if how == "same":
        pads = same(own, sizes, reach, strides)
    elif how == "causal" and count == 1:
        pads = [(reach[0] - 1, 0)]
    elif how != "valid":
        own.refuse("bad-option", f"padding must be valid, same or causal, not {how!r}")
    options: dict[str, Any] = {"kernel_size": short(kernel)}
    if set(strides) != {1}:
        options["stride"] = short(strides)
    if any(before != after for before, after in pads):
        entry = {"layer": f"ZeroPad{count}d", "padding": pad_list(pads)}
        value = value._replace(source=use.body.helper(value, "pad", entry))
    elif any(before for before, _ in pads):
        options["padding"] = short([before for before, _ in pads])
    if set(dilation) != {1}:
        options["dilation"] = short(dilation)
    after = [
        steps(one, window, stride, sum(pair))
        for one, window, stride, pair in zip(sizes, reach, strides, pads, strict=True)
    ]
    return value, options, after


@layer("Conv1D", "Conv2D", "Conv3D")
def _convolution(use: Use) -> Value:
    count = int(use.layer.kind[-2])
    value = spatial(use, use.value, count)
    value, options, sizes = _windowed(use, value, count)
    filters, groups = use.layer.integer("filters"), use.layer.integer("groups", 1)
    result = result_of(value, filters, sizes)
    entry = {"layer": f"Conv{count}d", "out_channels": filters, **options}
    if groups != 1:
        entry["groups"] = groups
    entry, weights = _biased(use, entry, {"weight": use.weight(0, arrays.convolution)}, 1)
    return result._replace(source=use.add(activated(use.layer, result, entry), value, weights))


def _biased(
    use: Use, entry: dict[str, Any], weights: dict[str, Weight], number: int
) -> tuple[dict[str, Any], dict[str, Weight]]:
    """Return the options and weights of a layer with its bias, or without."""
    if use.layer.flag("use_bias", True):
        return entry, {**weights, "bias": use.weight(number)}
    return {**entry, "bias": False}, weights


def _per_channel(use: Use, value: Value, options: dict[str, Any], count: int) -> dict[str, Any]:
    """Return the entry of a convolution with a group for each channel."""
    channels = value.ours[0]
    if not isinstance(channels, int):
        use.layer.refuse("symbolic-size", "the number of its channels is not known")
    out = channels * use.layer.integer("depth_multiplier", 1)
    return {"layer": f"Conv{count}d", "out_channels": out, **options, "groups": channels}


@layer("DepthwiseConv1D", "DepthwiseConv2D")
def _depthwise(use: Use) -> Value:
    count = int(use.layer.kind[-2])
    value = spatial(use, use.value, count)
    value, options, sizes = _windowed(use, value, count)
    entry = _per_channel(use, value, options, count)
    result = result_of(value, entry["out_channels"], sizes)
    entry, weights = _biased(use, entry, {"weight": use.weight(0, arrays.depthwise)}, 1)
    return result._replace(source=use.add(activated(use.layer, result, entry), value, weights))


@layer("SeparableConv1D", "SeparableConv2D")
def _separable(use: Use) -> Value:
    count = int(use.layer.kind[-2])
    value = spatial(use, use.value, count)
    value, options, sizes = _windowed(use, value, count)
    filters = use.layer.integer("filters")
    entry: dict[str, Any] = {**_per_channel(use, value, options, count), "bias": False}
    weights = {"weight": use.weight(0, arrays.depthwise)}
    middle = result_of(value, entry["out_channels"], sizes)
    middle = middle._replace(source=use.add(entry, value, weights, "_depthwise"))
    result = result_of(middle, filters, sizes)
    entry = {"layer": f"Conv{count}d", "out_channels": filters, "kernel_size": 1}
    entry, weights = _biased(use, entry, {"weight": use.weight(1, arrays.convolution)}, 2)
    return result._replace(source=use.add(activated(use.layer, result, entry), middle, weights))


@layer("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def _transposed(use: Use) -> Value:
    """Crop what the strided kernel adds at the ends, where torch cannot leave it out."""
    own, count = use.layer, int(use.layer.kind[4])
    value = spatial(use, use.value, count)
    kernel, strides = own.sizes("kernel_size", count), own.sizes("strides", count, 1)
    dilation, filters = own.sizes("dilation_rate", count, 1), own.integer("filters")
    if own.options.get("output_padding") is not None:
        raise Unsupported("it has an output_padding")
    reach, is_same = windows(kernel, dilation), own.text("padding", "valid").lower() == "same"
    crops, longer = [], []
    for window, stride in zip(reach, strides, strict=True):
        total = window - stride if is_same else min(window - stride, 0)
        crops.append((max(total, 0) // 2, max(total, 0) - max(total, 0) // 2))
        longer.append(max(-total, 0))
    entry: dict[str, Any] = {"layer": f"ConvTranspose{count}d", "out_channels": filters}
    entry |= {"kernel_size": short(kernel), "stride": short(strides)}
    even = all(before == after for before, after in crops)
    if even and any(before for before, _ in crops):
        entry["padding"] = short([before for before, _ in crops])
    if any(longer):
        entry["output_padding"] = short(longer)
    if set(dilation) != {1}:
        entry["dilation"] = short(dilation)
    sizes: list[Size] = [
        one * stride + (0 if is_same else max(window - stride, 0)) if isinstance(one, int) else None
        for one, stride, window in zip(places(value), strides, reach, strict=True)
    ]
    result = result_of(value, filters, sizes)
    entry, weights = _biased(use, entry, {"weight": use.weight(0, arrays.convolution)}, 1)
    entry = activated(own, result, entry)
    if even:
        return result._replace(source=use.add(entry, value, weights))
    full = use.add(entry, value, weights, "_full")
    pads = pad_list([(-before, -after) for before, after in crops])
    return result._replace(source=use.add({"layer": f"ZeroPad{count}d", "padding": pads}, [full]))
