"""Decide for an input whether its channels come first, by the layers that read it."""

from __future__ import annotations

from mimgraph.importer.foreign.keras.config import MODELS, Model, flat, parse_model, wrapped
from mimgraph.importer.foreign.keras.options import Layer

# layers that do the same in either order, so that those behind them decide
_NEUTRAL = frozenset(
    [
        "Activation",
        "ActivityRegularization",
        "Add",
        "AlphaDropout",
        "Average",
        "Concatenate",
        "Cropping1D",
        "Cropping2D",
        "Cropping3D",
        "Dropout",
        "ELU",
        "GaussianDropout",
        "GaussianNoise",
        "LeakyReLU",
        "Maximum",
        "Minimum",
        "Multiply",
        "Normalization",
        "PReLU",
        "RandomBrightness",
        "RandomContrast",
        "RandomFlip",
        "RandomRotation",
        "RandomTranslation",
        "RandomZoom",
        "ReLU",
        "Rescaling",
        "Softmax",
        "SpatialDropout2D",
        "Subtract",
        "ZeroPadding1D",
        "ZeroPadding2D",
        "ZeroPadding3D",
        "Divide",
        "TrueDivide",
        "Power",
        "Cast",
    ]
)
_SPATIAL = ("Conv", "SeparableConv", "DepthwiseConv", "MaxPooling", "AveragePooling", "UpSampling")
_SPATIAL_WHOLE = (
    *("GlobalAveragePooling2D", "GlobalMaxPooling2D", "GlobalAveragePooling3D"),
    *("GlobalMaxPooling3D", "SpatialDropout2D", "SpatialDropout3D", "Resizing"),
)


def wanted_channel(model: Model, name: str, rank: int) -> int | None:
    """Return the axis where the first layers that read an input want its channels; None for the last."""
    if rank < 3:
        return None
    open_, seen = [name], {name}
    while open_:
        for layer in model.readers.get(open_.pop(0), []):
            if layer.kind not in _NEUTRAL:
                found = wanted(layer, rank)
                if found is not None:
                    return found
            elif layer.name not in seen:
                seen.add(layer.name)
                open_.append(layer.name)
    return None


def wanted(layer: Layer, rank: int) -> int | None:
    """Return where a layer wants the channels of its input."""
    if layer.kind == "TimeDistributed" and isinstance(layer.options.get("layer"), dict):
        inner = wanted(wrapped(layer, "layer"), rank - 1)
        return None if inner is None else inner + 1
    if layer.kind in MODELS and "layers" in layer.options:
        depth = 20  # a model of models as deep as this decides by itself
        model = parse_model(layer.entry, layer.file, depth)
        return wanted_channel(model, flat(model.inputs)[0].layer, rank)
    if layer.kind == "BatchNormalization":
        axis = layer.options.get("axis")
        return 1 if axis in (-1, rank - 1) else None
    spatial = layer.kind.startswith(_SPATIAL) or layer.kind in _SPATIAL_WHOLE
    first = layer.options.get("data_format") == "channels_first"
    return 1 if spatial and not first and not layer.kind.startswith("ConvLSTM") else None
