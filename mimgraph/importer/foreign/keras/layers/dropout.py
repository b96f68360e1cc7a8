"""Dropout and noise, which act in training only."""

from __future__ import annotations

from typing import Any

from mimgraph.importer.foreign.keras.rules import Use, layer
from mimgraph.importer.foreign.keras.value import Value

_OURS = {
    "Dropout": "Dropout",
    "AlphaDropout": "AlphaDropout",
    "SpatialDropout1D": "Dropout1d",
    "SpatialDropout2D": "Dropout2d",
    "SpatialDropout3D": "Dropout3d",
}


@layer("Dropout", "AlphaDropout")
def _dropout(use: Use) -> Value:
    noise = use.layer.options.get("noise_shape")
    if noise == [None] + [1] * (use.value.rank - 1):
        return drop_path(use, use.layer.number("rate"))
    if noise is not None:
        use.note(
            "noise_shape", f"{use.layer.name} drops each element alone, without its noise_shape"
        )
    return _added(use, use.value)


@layer("StochasticDepth")
def _stochastic_depth(use: Use) -> Value:
    return drop_path(use, use.layer.number("drop_path_rate"))


def drop_path(use: Use, rate: float) -> Value:
    """Return the value with whole samples dropped."""
    return use.value._replace(source=use.add({"layer": "DropPath", "p": rate}, use.value))


@layer("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D")
def _spatial_dropout(use: Use) -> Value:
    value = use.value
    if use.layer.options.get("data_format") != "channels_first":
        value = use.body.at(value, 1)
    return _added(use, value)


def _added(use: Use, value: Value) -> Value:
    rate = use.layer.number("rate")
    entry: dict[str, Any] = {"layer": _OURS[use.layer.kind], **({"p": rate} if rate != 0.5 else {})}
    return value._replace(source=use.add(entry, value))


@layer(
    *("GaussianDropout", "GaussianNoise", "ActivityRegularization", "RandomBrightness"),
    *("RandomContrast", "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom"),
)
def _training_only(use: Use) -> Value:
    """Leave out a layer that does nothing when the model is used."""
    message = f"{use.layer.name} ({use.layer.kind}), which acts in training only, is left out"
    use.note("training only", message)
    return use.value


@layer("Masking")
def _masking(use: Use) -> Value:
    value = use.body.at(use.value, None)
    if value.rank != 3:
        use.note("mask", f"the mask of {use.layer.name} is left out: its tensor is not (N, T, C)")
        return value
    expr = f"x != {use.layer.number('mask_value', 0.0)!r}"
    differs = use.body.helper(
        value, "differs", {"merge": "formula", "expr": expr}, {"x": value.source}
    )
    total = {"layer": "Sum", "dim": -1, "keepdim": True}
    counted = use.body.helper(value, "counts", total, [differs])
    kept = use.body.helper(value, "kept", {"merge": "formula", "expr": "x > 0"}, {"x": counted})
    mask = use.body.helper(value, "mask", {"layer": "Squeeze", "dim": -1}, [kept])
    entry = {"merge": "formula", "expr": "x * step", "broadcast": True}
    source = use.add(entry, {"x": value.source, "step": kept})
    return value._replace(source=source, mask=mask)


@layer("Identity")
def _identity(use: Use) -> Value:
    return use.value
