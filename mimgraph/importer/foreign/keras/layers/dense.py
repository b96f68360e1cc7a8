"""Dense, EinsumDense and Embedding."""

from __future__ import annotations

import re
from functools import partial

from mimgraph.importer.foreign.keras import arrays
from mimgraph.importer.foreign.keras.layers.activations import activated
from mimgraph.importer.foreign.keras.rules import Unsupported, Use, layer
from mimgraph.importer.foreign.keras.value import Value, size


@layer("Dense")
def _dense(use: Use) -> Value:
    """Transpose the kernel (in, out); its rows follow the features of a flat value."""
    if "lora_rank" in use.layer.options or use.layer.options.get("quantization_config"):
        raise Unsupported("it has a LoRA or is quantized")
    value = use.value if use.value.order else use.body.at(use.value, None)
    units = use.layer.integer("units")
    bias = use.layer.flag("use_bias", True)
    weights = {"weight": use.weight(0, partial(arrays.linear, value=value))}
    if bias:
        weights["bias"] = use.weight(1)
    result = value._replace(shape=(*value.shape[:-1], units), order=None)
    entry = {"layer": "Linear", "out_features": units, **({} if bias else {"bias": False})}
    entry = activated(use.layer, result, entry)
    return result._replace(source=use.add(entry, value, weights))


@layer("EinsumDense")
def _einsum_dense(use: Use) -> Value:
    """Add a Linear if the equation multiplies the last axis by a matrix: `abc,cd->abd`."""
    equation = use.layer.text("equation").replace(" ", "")
    found = re.fullmatch(r"([a-z.]+)([a-z]),\2([a-z])->\1\3", equation)
    bias_axes = use.layer.options.get("bias_axes")
    if found is None or bias_axes not in (None, found[3]):
        raise Unsupported(f"its equation {equation} is not that of a Dense")
    value = use.body.at(use.value, None)
    shape = use.layer.options.get("output_shape")
    units = shape[-1] if isinstance(shape, list) and shape else shape
    if type(units) is not int:
        raise Unsupported("the last size of its output_shape is open")
    weights = {"weight": use.weight(0, arrays.transposed)}
    if bias_axes:
        weights["bias"] = use.weight(1)
    result = value._replace(shape=(*value.shape[:-1], units))
    entry = {"layer": "Linear", "out_features": units, **({} if bias_axes else {"bias": False})}
    entry = activated(use.layer, result, entry)
    return result._replace(source=use.add(entry, value, weights))


@layer("Embedding")
def _embedding(use: Use) -> Value:
    """Cast floats, which Keras takes as indices too."""
    value = use.body.plain(use.value)
    if use.layer.options.get("lora_rank"):
        raise Unsupported("it has a LoRA")
    source, rows = value.source, use.layer.integer("input_dim")
    width = use.layer.integer("output_dim")
    declared = use.body.inputs.get(source, {})
    entry = {"layer": "Embedding", "embedding_dim": width}
    if "vocab" not in declared:
        entry["num_embeddings"] = rows
    if value.dtype not in ("int64", "int32"):
        source = use.body.helper(value, "index", {"layer": "Cast", "dtype": "int64"})
    node = use.add(entry, [source], {"weight": use.weight(0)})
    mask = None
    if use.layer.flag("mask_zero") and value.rank == 2:
        expr = {"merge": "formula", "expr": "x != 0"}
        mask = use.body.helper(value, "mask", expr, {"x": value.source})
    shape = (*(size(one) if isinstance(one, int) else one for one in value.shape), width)
    return Value(node, shape, mask=mask)
