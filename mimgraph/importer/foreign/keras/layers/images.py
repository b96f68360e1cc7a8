"""Scaling of pixels and of images."""

from __future__ import annotations

from typing import Any

from mimgraph.importer.foreign.keras.arrays import kept
from mimgraph.importer.foreign.keras.layers.convolution import places, result_of, spatial
from mimgraph.importer.foreign.keras.layers.normalization import per_channel
from mimgraph.importer.foreign.keras.layers.padding import short
from mimgraph.importer.foreign.keras.rules import Unsupported, Use, layer
from mimgraph.importer.foreign.keras.value import Size, Value


@layer("Rescaling")
def _rescaling(use: Use) -> Value:
    """Write a formula; numbers for each channel are buffers."""
    value = use.body.plain(use.value)
    scale, offset = _factor(use, value, "scale", 1.0), _factor(use, value, "offset", 0.0)
    sources = {"x": value.source}
    for name, given in (("scale", scale), ("offset", offset)):
        if isinstance(given, str):
            sources[name] = given
    factor = "scale" if isinstance(scale, str) else repr(scale)
    expr = f"x * {factor}"
    if isinstance(offset, str):
        expr += " + offset"
    elif offset:
        expr += f" {'-' if offset < 0 else '+'} {abs(offset)!r}"
    entry: dict[str, Any] = {"merge": "formula", "expr": expr}
    if len(sources) > 1:
        entry["broadcast"] = True
    return value._replace(source=use.add(entry, sources), dtype="float32")


def _factor(use: Use, value: Value, key: str, default: float) -> float | str:
    """Return a number, or the name of a buffer with a number for each channel."""
    import numpy as np

    given = use.layer.options.get(key, default)
    if not isinstance(given, list):
        return float(use.layer.number(key, default))
    numbers = all(type(one) in (int, float) for one in given)
    if not numbers or len(given) not in (1, value.size(-1)):
        use.layer.refuse("wrong-type", f"{key} must be a number, or one for each channel")
    shape = per_channel(value, len(given))
    nested = np.asarray(given, "float64").reshape(shape).tolist()
    return use.add({"buffer": shape, "init": nested}, [], {"": kept(nested)}, f"_{key}")


@layer("UpSampling1D", "UpSampling2D", "UpSampling3D")
def _upsampling(use: Use) -> Value:
    own, count = use.layer, int(use.layer.kind[-2])
    value = spatial(use, use.value, count)
    factors = own.sizes("size", count, 2)
    mode = own.options.get("interpolation", "nearest")
    if mode not in ("nearest", "bilinear"):
        raise Unsupported(f"its interpolation is {mode!r}")
    entry: dict[str, Any] = {"layer": "Upsample", "scale_factor": short(factors)}
    if mode == "bilinear":
        entry["mode"] = "bilinear"
    sizes: list[Size] = [
        one * factor if isinstance(one, int) else None
        for one, factor in zip(places(value), factors, strict=True)
    ]
    result = result_of(value, value.ours[0], sizes)
    return result._replace(source=use.add(entry, value))


@layer("Resizing")
def _resizing(use: Use) -> Value:
    own = use.layer
    mode = own.options.get("interpolation", "bilinear")
    if mode not in ("nearest", "bilinear") or any(
        own.options.get(key) for key in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias")
    ):
        raise Unsupported("it keeps the aspect, or interpolates otherwise than bilinear")
    value = spatial(use, use.value, 2)
    sizes = [own.integer("height"), own.integer("width")]
    entry: dict[str, Any] = {"layer": "Upsample", "size": sizes}
    if mode == "bilinear":
        entry["mode"] = "bilinear"
    result = result_of(value, value.ours[0], [*sizes])
    return result._replace(source=use.add(entry, value))
