"""Define weighted sums of sources: by learned scalars, or by gates computed from all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mimgraph.ir.code import Operand, Tuple, call
from mimgraph.ir.declared_graph import Block
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.option_types import Positive
from mimgraph.ops.merges.arithmetic.agreement import operands, same_dtypes, same_shapes
from mimgraph.ops.merges.arithmetic.elementwise import Missing
from mimgraph.ops.merges.fusion.features import last, numbered, widths
from mimgraph.ops.merges.fusion.sketch import Sketch
from mimgraph.ops.registry import merge, part
from mimgraph.ops.rule_helpers import floating
from mimgraph.ops.signature import Sources


@merge(family="gates", alone="Identity")
def weighted_sum(sources: Sources, /, *, softmax: bool = True, missing: Missing = None) -> Block:
    """A sum with one learned weight a source, by default through a softmax: n x (N, *) -> (N, *).

    The scalar mix of ELMo (Peters et al. 2018) without its scale. The weights start equal: a mean
    with `softmax`, else a plain sum. `missing: skip` leaves out missing optional sources; the softmax
    is then over the weights of the others.

    Example:
        a: [64]
        b: [64]
        {merge: weighted_sum, from: [a, b]}
    """
    named = operands(sources, "weighted_sum")
    for key, x in named.items():
        floating(x, "weighted_sum", key)
    same_dtypes(named, "weighted_sum")
    same_shapes(named, "weighted_sum needs equal shapes")
    names = numbered(len(sources))
    sketch = Sketch("WeightedSum", *names, doc="A sum with one learned weight for each input.")
    if softmax:
        normalised = ("Softmax", {"dim": 0})
        sketch.parameter("weight", len(sources), init="zeros", activation=normalised)
    else:
        sketch.parameter("weight", len(sources), init="ones")
    for index in range(len(sources)):
        sketch.layer(f"w{index}", "Select", "weight", dim=0, index=index)
    weights = numbered(len(sources), "w")
    if missing is None:
        return sketch.block(_weighted(sketch, weights, names))
    return sketch.block(sketch.part("fused", "weigh", (*weights, *names), softmax=softmax))


@part()
def weigh(sources: Sources, /, *, softmax: bool, missing: Missing = "skip") -> Lowering:
    """The weighted sum, or mean, of the given tensors; the sources are the weights, then the tensors."""
    half = len(sources) // 2
    keys = [Operand(str(index)) for index in range(len(sources))]
    name = "_weighted_mean" if softmax else "_weighted_sum"
    fused = call(name, Tuple(tuple(keys[:half])), Tuple(tuple(keys[half:])))
    return Lowering(sources[half], call=fused, skipping=fused)


@merge(family="gates")
def gated(
    sources: Sources,
    /,
    out_features: Positive,
    *,
    gate: Literal["sigmoid", "softmax"] = "sigmoid",
    bias: bool = True,
) -> Block:
    """The sum of tanh projections, each multiplied by a gate: n x (N, *, D_i) -> (N, *, out_features).

    The gated multimodal unit (Arevalo et al. 2017). Of two sources z = sigmoid(Wz [x0, x1]) and
    h = z * tanh(W0 x0) + (1 - z) * tanh(W1 x1); of more, each has a gate z_i = sigmoid(Wz_i [x0, ..., xn])
    of its own. With `gate: softmax` the gates of the sources sum to 1 for each feature.

    Example:
        image: [128]
        text: [64]
        {merge: gated, from: [image, text], out_features: 32}
    """
    named = operands(sources, "gated")
    widths(named, "gated")
    names = numbered(len(sources))
    doc = "Gated multimodal unit (Arevalo et al. 2017)."
    sketch = Sketch("GatedUnit", *names, doc=doc)
    linear = {"out_features": out_features, "bias": bias}
    hidden = numbered(len(sources), "hidden")
    for name, projected in zip(names, hidden, strict=True):
        sketch.layer(projected, "Linear", name, activation="Tanh", **linear)
    joined = sketch.merge("joined", "concat", names, dim=last(sources[0]))
    if gate == "softmax":
        return sketch.block(_softmax_gates(sketch, joined, hidden, linear, len(sources[0].dims)))
    if len(sources) == 2:
        sketch.layer("gate", "Linear", joined, activation="Sigmoid", **linear)
        return sketch.block(sketch.formula("fused", "gate * hidden0 + (1 - gate) * hidden1"))
    gates = numbered(len(sources), "gate")
    for name in gates:
        sketch.layer(name, "Linear", joined, activation="Sigmoid", **linear)
    return sketch.block(_weighted(sketch, gates, hidden))


def _softmax_gates(
    sketch: Sketch, joined: str, hidden: tuple[str, ...], linear: Mapping[str, object], rank: int
) -> str:
    """Add the sum of the sources weighted by a softmax over them for each feature."""
    scores = numbered(len(hidden), "score")
    for name in scores:
        sketch.layer(name, "Linear", joined, **linear)
    sketch.merge("gates", "stack", scores, dim=rank, activation=("Softmax", {"dim": rank}))
    sketch.merge("hidden", "stack", hidden, dim=rank)
    sketch.merge("weighed", "multiply", ("gates", "hidden"))
    return sketch.layer("fused", "Sum", "weighed", dim=rank)


def _weighted(sketch: Sketch, weights: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Add the formula `w0 * x0 + w1 * x1`."""
    products = (f"{weight} * {value}" for weight, value in zip(weights, values, strict=True))
    return sketch.formula("fused", " + ".join(products))
