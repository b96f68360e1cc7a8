"""TimeDistributed: a layer or model at every index of the first axis."""

from __future__ import annotations

from mimgraph.importer.foreign.keras.axes import wanted
from mimgraph.importer.foreign.keras.body import Body
from mimgraph.importer.foreign.keras.config import MODELS, flat, parse_model, wrapped
from mimgraph.importer.foreign.keras.convert import convert, inner_body, result
from mimgraph.importer.foreign.keras.options import Layer
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
    inner = inner_body(use, {})
    step = value._replace(shape=value.shape[1:], channel=channel, mask=None)
    step = step._replace(source=inner.add_input("x", {}))
    found = _at_a_step(own, path, step, inner)
    source = value.source
    if found.source != step.source:
        source = _folded(use, value, inner, found)
    shape, at = (value.shape[0], *found.shape), found.channel
    outer = None if at is None else at + 1
    return found._replace(source=source, shape=shape, channel=outer, mask=value.mask)


def _at_a_step(own: Layer, path: str, step: Value, inner: Body) -> Value:
    """Return the result of the layer or model at one index of the axis."""
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
    return results[0]


def _folded(use: Use, value: Value, inner: Body, found: Value) -> str:
    """Add a node that does what `inner` does at every index: its one layer, or a block."""
    _, block, written = as_block(inner, [found])
    weights, names = written.weights, list(block["nodes"])
    node = block["nodes"][names[0]]
    if len(names) == 1 and "layer" in node:
        entry = {key: option for key, option in node.items() if key != "from"}
        weights = {key.removeprefix(f"{names[0]}."): weight for key, weight in weights.items()}
    else:
        entry = {"block": use.body.shared.block(use.layer.name, block)}
    source = use.add({**entry, "over": 1}, value, weights)
    use.body.notes += [note._replace(node=source) for note in written.notes]
    return source
