"""TimeDistributed: a layer or model at every index of the first axis."""

from __future__ import annotations

from typing import Any

from mimgraph.importer.foreign.keras.axes import wanted
from mimgraph.importer.foreign.keras.body import Body, Shared
from mimgraph.importer.foreign.keras.config import MODELS, flat, parse_model, wrapped
from mimgraph.importer.foreign.keras.convert import convert, result
from mimgraph.importer.foreign.keras.rules import Unsupported, Use, layer
from mimgraph.importer.foreign.keras.spec import as_block
from mimgraph.importer.foreign.keras.value import Value

# layers that do the same whatever axes stand before the last
_ANY_RANK = ("Dense", "Dropout", "Activation", "ReLU", "LeakyReLU", "ELU", "LayerNormalization")


@layer("TimeDistributed")
def _time_distributed(use: Use) -> Value:
    """Fold the axis into the batch by `over: 1`, which a Dense does not need."""
    own = wrapped(use.layer, "layer")._replace(name=use.layer.name)
    path = f"{use.path}/layer"
    value = use.body.plain(use.value)
    if value.rank < 3:
        use.layer.refuse("rank-mismatch", "it needs an axis of steps")
    if own.kind in _ANY_RANK and own.is_keras and own.options.get("axis", -1) in (-1, [-1]):
        (same,) = result(use._replace(layer=own, path=path))
        return same._replace(mask=value.mask)
    channel = wanted(wrapped(use.layer, "layer"), value.rank - 1)
    value = use.body.at(value, None if channel is None else channel + 1)
    shared = use.body.shared
    scratch = Shared(shared.config, dict(shared.blocks))
    inner = Body(shared if use.body.shares is None else scratch, set())
    step = value._replace(source="x", shape=value.shape[1:], channel=channel, mask=None)
    step = step._replace(source=inner.add_input("x", {}))
    if own.kind in MODELS:
        model = parse_model(own.entry, own.file, path.count("/layer") + 1)
        refs = flat(model.inputs)
        if len(refs) != 1:
            raise Unsupported("it holds a model of several inputs")
        results = convert(model, inner, f"{path}/", {refs[0].layer: step})
    else:
        results = [*result(Use(own, path, (step,), {}, inner))]
    if len(results) != 1:
        raise Unsupported("it holds a layer of several results")
    _, block, weights = as_block(inner, results)
    entry: dict[str, Any] = {"over": 1}
    (name, *more) = block["nodes"]
    node = block["nodes"][name]
    if not more and "layer" in node:
        node.pop("from")
        entry = {**node, **entry}
        weights = {key.removeprefix(f"{name}."): weight for key, weight in weights.items()}
    else:
        entry = {"block": shared.block(use.layer.name, block), **entry}
    (found,) = results
    outer = None if found.channel is None else found.channel + 1
    source = use.add(entry, value, weights)
    return found._replace(
        source=source, shape=(value.shape[0], *found.shape), channel=outer, mask=value.mask
    )
