"""Attention in several heads, and dot-product attention without weights."""

from __future__ import annotations

from functools import partial
from typing import Any

from mimgraph.importer.foreign.keras.rules import Unsupported, Use, layer, values_in
from mimgraph.importer.foreign.keras.value import Array, Value, Weight

_CALL = ("query", "value", "key", "query_mask", "value_mask", "key_mask", "attention_mask")
_DENSE = {"query": "query_dense", "key": "key_dense", "value": "value_dense"}


def _arguments(use: Use) -> dict[str, Value]:
    """Return the tensors of the call by the names of its arguments."""
    given = dict(zip(_CALL, use.args, strict=False)) | {k: use.kwargs.get(k) for k in _CALL[3:]}
    given |= {name: use.kwargs[name] for name in _CALL[:3] if name in use.kwargs}
    found = {name: value for name, value in given.items() if isinstance(value, Value)}
    if "query" not in found or "value" not in found:
        use.layer.refuse("wrong-arity", "it needs a query and a value")
    found.setdefault("key", found["value"])
    for name in ("query", "value", "key"):
        found[name] = use.body.at(found[name], None)
        if found[name].rank != 3:
            raise Unsupported("its tensors have more than one axis of steps")
    return found


@layer("MultiHeadAttention")
def _heads(use: Use) -> Value | tuple[Value, ...]:
    """Add torch's layer if the heads together are as wide as the query, else a block that computes it."""
    own, given = use.layer, _arguments(use)
    axes = own.options.get("attention_axes")
    if (
        axes not in (None, [1], 1)
        or own.options.get("use_gate")
        or own.options.get("sliding_window")
    ):
        raise Unsupported("it has attention_axes, a gate or a sliding window")
    if "query_mask" in given or "key_mask" in given:
        raise Unsupported("it is given a mask of the query or key")
    heads, width = own.integer("num_heads"), own.integer("key_dim")
    depth = own.integer("value_dim", width)
    if min(heads, width, depth) < 1:
        own.refuse("bad-option", "num_heads, key_dim and value_dim must be at least 1")
    query = given["query"]
    mask = _mask(use, given)
    scores = use.kwargs.get("return_attention_scores") is True
    simple = heads * width == query.size(-1) and depth == width and not (mask or scores)
    if simple and own.options.get("output_shape") is None:
        return _layer(use, given)
    node, out = _block(use, given, mask, scores)
    result = query._replace(source=node, shape=(query.shape[0], out))
    if not scores:
        return result
    weights = Value(f"{node}.weights", (heads, query.shape[0], given["key"].shape[0]))
    return result._replace(source=f"{node}.output"), weights


def _mask(use: Use, given: dict[str, Value]) -> str | None:
    """Return the source of the mask, true where attention is allowed: (N, S), or (N, 1, T, S)."""
    if "attention_mask" in given:
        mask = given["attention_mask"]
        if mask.rank != 3:
            raise Unsupported("its attention_mask is not (N, T, S)")
        if mask.dtype != "bool":
            mask = mask._replace(
                source=use.body.helper(mask, "bool", {"layer": "Cast", "dtype": "bool"})
            )
        return use.body.helper(mask, "heads", {"layer": "Unsqueeze", "dim": 1})
    if "value_mask" in given:
        return given["value_mask"].source
    if given["value"].mask:
        use.note(
            "mask", f"{use.layer.name} attends to no masked step; masked steps of the query differ"
        )
    return given["value"].mask


def _packed(*arrays: Array) -> Array:
    """Return the kernels of query, key and value as torch's one weight."""
    import numpy as np

    return np.concatenate([_in(array) for array in arrays])


def _in(array: Array) -> Array:
    """Return the weight of a Linear from a kernel (in, heads, width), or its bias."""
    return array.reshape(-1) if array.ndim < 3 else array.reshape(array.shape[0], -1).T


def _out(array: Array) -> Array:
    """Return the weight of a Linear from a kernel (heads, width, out)."""
    return array.reshape(-1, array.shape[-1]).T


def _layer(use: Use, given: dict[str, Value]) -> Value:
    """Add torch's MultiheadAttention."""
    own = use.layer
    query, key, value = (given[name] for name in ("query", "key", "value"))
    entry: dict[str, Any] = {"layer": "MultiheadAttention", "num_heads": own.integer("num_heads")}
    if own.number("dropout", 0.0):
        entry["dropout"] = own.number("dropout")
    if not own.flag("use_bias", True):
        entry["bias"] = False
    if use.kwargs.get("use_causal_mask") is True:
        entry["is_causal"] = True
    kernels = [use.array(f"{_DENSE[name]}/vars/0") for name in ("query", "key", "value")]
    weights = {"in_proj_weight": Weight(tuple(kernels), _packed)}
    if query.size(-1) != key.size(-1) or query.size(-1) != value.size(-1):
        names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        weights = {name: Weight((path,), _in) for name, path in zip(names, kernels, strict=True)}
    weights["out_proj.weight"] = use.weight("output_dense/vars/0", _out)
    if own.flag("use_bias", True):
        biases = [path.removesuffix("0") + "1" for path in kernels]
        weights["in_proj_bias"] = Weight(tuple(biases), _packed)
        weights["out_proj.bias"] = use.weight("output_dense/vars/1")
    sources: Any = {"query": query.source, "key": key.source, "value": value.source}
    if query.source == key.source == value.source:
        sources = [query.source]
    elif key.source == value.source:
        del sources["value"]
    return query._replace(source=use.add(entry, sources, weights))


def _block(use: Use, given: dict[str, Value], mask: str | None, scores: bool) -> tuple[str, int]:
    """Add a block that computes the heads, and return its node and the width of the result."""
    own, shared = use.layer, use.body.shared
    heads, width = own.integer("num_heads"), own.integer("key_dim")
    depth = own.integer("value_dim", width)
    wanted = own.options.get("output_shape")
    out = given["query"].size(-1) if wanted is None else wanted
    out = out[0] if isinstance(out, list) and len(out) == 1 else out
    if type(out) is not int:
        raise Unsupported("its output_shape has several axes")
    bias = {} if own.flag("use_bias", True) else {"bias": False}
    nodes: dict[str, Any] = {}
    for name, size in (("query", width), ("key", width), ("value", depth)):
        split = {"pattern": "n l (h d) -> n h l d", "sizes": {"h": heads}}
        linear = {"Linear": {"out_features": heads * size, **bias}}
        nodes[f"{name}_heads"] = {"from": name, "seq": [linear, {"Rearrange": split}]}
    fed = {"query": "query_heads", "key": "key_heads", "value": "value_heads"}
    attend: dict[str, Any] = {
        "merge": "attention",
        "from": fed | ({"mask": "mask"} if mask else {}),
    }
    if own.number("dropout", 0.0):
        attend["dropout_p"] = own.number("dropout")
    if use.kwargs.get("use_causal_mask") is True:
        attend["is_causal"] = True
    join = [{"Rearrange": "n h l d -> n l (h d)"}, {"Linear": {"out_features": out, **bias}}]
    nodes |= {"attended": attend, "output": {"from": "attended", "seq": join}}
    outputs = {"output": "output", "weights": "attended.weights"} if scores else "output"
    sources = {name: given[name].source for name in ("query", "key", "value")}
    sources |= {"mask": mask} if mask else {}
    block = {"inputs": list(sources), "nodes": nodes, "outputs": outputs}
    weights: dict[str, Weight] = {}
    for name, dense in _DENSE.items():
        weights |= _linear(use, f"{name}_heads.0", dense, _in)
    weights |= _linear(use, "output.1", "output_dense", _out)
    entry = {"block": shared.block(f"{own.name}_heads", block)}
    return use.add(entry, sources, weights), out


def _linear(use: Use, ours: str, theirs: str, make: Any) -> dict[str, Weight]:
    found = {f"{ours}.weight": use.weight(f"{theirs}/vars/0", make)}
    if use.layer.flag("use_bias", True):
        found[f"{ours}.bias"] = use.weight(f"{theirs}/vars/1", partial(_flat))
    return found


def _flat(array: Array) -> Array:
    return array.reshape(-1)


@layer("Attention")
def _attention(use: Use) -> Value | tuple[Value, ...]:
    """Attend by products, which Keras does not scale."""
    own = use.layer
    if own.flag("use_scale") or own.options.get("score_mode", "dot") != "dot":
        raise Unsupported("it has a learned scale, or does not score by products")
    values = values_in(use.args)
    if len(values) not in (2, 3) or use.kwargs.get("mask") is not None:
        raise Unsupported("it has a mask, or not two or three sources")
    query, value, *key = (use.body.at(one, None) for one in values)
    sources = {"query": query.source, "key": (key or [value])[0].source, "value": value.source}
    if value.mask:
        sources["mask"] = value.mask
    entry: dict[str, Any] = {"merge": "attention", "scale": 1.0}
    if own.number("dropout", 0.0):
        entry["dropout_p"] = own.number("dropout")
    if use.kwargs.get("use_causal_mask") is True:
        entry["is_causal"] = True
    node = use.add(entry, sources)
    result = query._replace(source=node, shape=(*query.shape[:-1], value.shape[-1]))
    if use.kwargs.get("return_attention_scores") is not True:
        return result
    weights = Value(f"{node}.weights", (query.shape[0], value.shape[0]))
    return result._replace(source=f"{node}.output"), weights
