"""Merges that weigh, gate or modulate one source by others: gates, experts, film."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from mimgraph.ir.code import (
    Code,
    Comprehension,
    Name,
    Operand,
    Tuple,
    by_position,
    call,
    named_constant,
)
from mimgraph.ir.declared_graph import Block
from mimgraph.ir.lowering import INPUT, MODULE, Lowering, module
from mimgraph.ir.option_types import Depth, Positive
from mimgraph.ir.types import TensorType
from mimgraph.ops.layer_call import merge, part
from mimgraph.ops.merges.agreement import operands, same_dtypes, same_shapes
from mimgraph.ops.merges.elementwise import Missing
from mimgraph.ops.merges.sketch import (
    Sketch,
    last,
    named_inputs,
    numbered,
    rank_fault,
    widths,
    widths_of_vectors,
)
from mimgraph.ops.op import Sources
from mimgraph.ops.rule_helpers import axis_index, bad_option, floating, known, weighted


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


# Define the mixtures of experts: several networks on the same features, weighted by gates.


@merge(family="experts")
def moe(
    sources: Sources,
    /,
    out_features: Positive,
    *,
    num_experts: Depth = 4,
    hidden_features: Positive | None = None,
    bias: bool = True,
) -> Block:
    """Experts on all sources, weighted by a softmax gate: n x (N, *, D_i) -> (N, *, out_features).

    A dense mixture (Jacobs et al. 1991) of x = [x0, ..., xn]: the sum over the experts of
    softmax(W x)_i * expert_i(x). An expert is a Linear; with `hidden_features` it is two of them
    with a ReLU between.

    Example:
        image: [32]
        text: [16]
        {merge: moe, from: [image, text], out_features: 8}
    """
    sketch = Sketch("MixtureOfExperts", *named_inputs(sources), doc="A dense mixture of experts.")
    options = {"out_features": out_features, "hidden_features": hidden_features, "bias": bias}
    mixture = _Mixture(sketch, sources, "moe", num_experts, **options)
    return sketch.block(mixture.gated("gate", "mixed"))


@merge(family="experts")
def mmoe(
    sources: Sources,
    /,
    out_features: Positive,
    *,
    tasks: tuple[str, ...],
    num_experts: Depth = 4,
    hidden_features: Positive | None = None,
    bias: bool = True,
) -> Block:
    """Shared experts, weighted by a separate gate for each task: n x (N, *, D_i) -> a port a task.

    Multi-gate mixture of experts (Ma et al. 2018), without the towers: each of `tasks` names a port
    (N, *, out_features). The experts are as in `moe`.

    Example:
        user: [32]
        item: [16]
        {merge: mmoe, from: [user, item], out_features: 8, tasks: [click, like]}
    """
    _check_tasks(tasks)
    doc = "Multi-gate mixture of experts (Ma et al. 2018)."
    sketch = Sketch("MultiGateMixtureOfExperts", *named_inputs(sources), doc=doc)
    options = {"out_features": out_features, "hidden_features": hidden_features, "bias": bias}
    mixture = _Mixture(sketch, sources, "mmoe", num_experts, **options)
    ports = {task: mixture.gated(f"gate_{task}", f"mixed_{task}") for task in tasks}
    return sketch.block(**ports)


def _check_tasks(tasks: tuple[str, ...]) -> None:
    """Refuse tasks that cannot be the names of ports and modules."""
    if len(tasks) < 2 or len(set(tasks)) < len(tasks):
        raise bad_option("tasks", "tasks lists two names or more, each once")
    for task in tasks:
        if not (task.isascii() and task.isidentifier()):
            raise bad_option("tasks", f"{task!r} cannot name a port", "letters, digits and _")


class _Mixture:
    """Adds experts and gates on the concatenated sources to a sketch."""

    def __init__(
        self,
        sketch: Sketch,
        sources: Sources,
        name: str,
        num_experts: int,
        **options: Any,
    ) -> None:
        widths(operands(sources, name, least=1), name)
        self.sketch = sketch
        self.num_experts = num_experts
        self.letters = "tuvw"[: len(sources[0].dims) - 1]
        self.x = sketch.inputs[0]
        if len(sources) > 1:
            self.x = sketch.merge("joined", "concat", sketch.inputs, dim=last(sources[0]))
        sketch.part("experts", "experts", self.x, num_experts=num_experts, **options)

    def gated(self, gate: str, result: str) -> str:
        """Add a gate and the sum of the experts weighted by it; return the sum."""
        softmax = ("Softmax", {"dim": -1})
        self.sketch.layer(gate, "Linear", self.x, out_features=self.num_experts, activation=softmax)
        equation = f"n{self.letters}e,n{self.letters}eo->n{self.letters}o"
        return self.sketch.merge(result, "einsum", (gate, "experts"), equation=equation)


@part()
def experts(
    input: TensorType,
    /,
    num_experts: int,
    out_features: int,
    hidden_features: int | None,
    bias: bool,
) -> Lowering:
    """Networks of the same form on one source: (N, *, D) -> (N, *, num_experts, out_features)."""
    *lead, size = input
    in_features = known(size, "in_features")
    sizes = [in_features, *([hidden_features] if hidden_features else []), out_features]
    linears = [_linear(a, b, bias) for a, b in itertools.pairwise(sizes)]
    made = linears[0]
    if hidden_features:
        made = call("nn.Sequential", linears[0], call("nn.ReLU"), linears[1])
    times = call("range", named_constant("num_experts", num_experts))
    each = Comprehension(call(Name("expert"), INPUT), ("expert",), MODULE)
    return Lowering(
        input.like(*lead, num_experts, out_features),
        module(
            "ModuleList",
            _weights(num_experts, sizes, bias),
            modules=Comprehension(made, ("_",), times),
        ),
        call=call("torch.stack", each, named_constant("dim", len(lead) + 1)),
        products=tuple(
            (num_experts, *input.shape[:-1], a, b) for a, b in itertools.pairwise(sizes)
        ),
    )


def _linear(in_features: int, out_features: int, bias: bool) -> Code:
    """Return the code `nn.Linear(32, 64)`."""
    sizes = by_position(in_features=in_features, out_features=out_features)
    return call("nn.Linear", *sizes, **({} if bias else {"bias": False}))


def _weights(count: int, sizes: list[int], bias: bool) -> dict[str, tuple[int, ...]]:
    """Return the weights of all experts; each is a Linear, or a Sequential with Linears 0 and 2."""
    found: dict[str, tuple[int, ...]] = {}
    for expert in range(count):
        for index, (before, after) in enumerate(itertools.pairwise(sizes)):
            key = f"{expert}." if len(sizes) == 2 else f"{expert}.{2 * index}."
            found[f"{key}weight"] = (after, before)
            if bias:
                found[f"{key}bias"] = (after,)
    return found


# Define fusions in which one source scales the features of another.


class FilmInputs(NamedTuple):
    x: TensorType
    condition: TensorType


@merge(family="modulation")
def film(inputs: FilmInputs, /, *, dim: int = 1, bias: bool = True) -> Block:
    """Each channel of `x` scaled and shifted depending on `condition`: (N, C, *), (N, E) -> (N, C, *).

    Feature-wise linear modulation (Perez et al. 2018): gamma(condition) * x + beta(condition), where
    gamma and beta are Linears. `dim` is the axis of the channels, -1 for tokens (N, T, D).

    Example:
        image: [16, 8, 8]
        question: [32]
        {merge: film, from: {x: image, condition: question}}
    """
    x, condition = inputs
    weighted(x, "film", "x")
    if not x.dims or not x.batched:
        raise rank_fault(x, "film takes x (N, C, *)", "x")
    widths_of_vectors({"condition": condition}, "film")
    axis = axis_index(x, dim)
    channels = known(x.dims[axis], "the number of channels", "x")
    sketch = Sketch(
        "FiLM", "x", "condition", doc="Feature-wise linear modulation (Perez et al. 2018)."
    )
    for name in ("gamma", "beta"):
        sketch.layer(name, "Linear", "condition", out_features=channels, bias=bias)
    shape = [channels if index == axis else 1 for index in range(len(x.dims))]
    if len(shape) == 1:
        return sketch.block(sketch.formula("modulated", "gamma * x + beta"))
    scale = sketch.layer("scale", "Reshape", "gamma", shape=shape)
    shift = sketch.layer("shift", "Reshape", "beta", shape=shape)
    return sketch.block(sketch.formula("modulated", f"{scale} * x + {shift}"))


class ExciteInputs(NamedTuple):
    a: TensorType
    b: TensorType


@merge(ports=("a", "b"), family="modulation")
def squeeze_excite(inputs: ExciteInputs, /, *, reduction: Positive = 4, bias: bool = True) -> Block:
    """Two feature maps, channels scaled by gates of both: (N, C, *), (N, D, *) -> the same two.

    The multimodal transfer module (Joze et al. 2020): Z = relu(W [mean(a), mean(b)]) with the means
    over all axes behind the channels and (C + D) // `reduction` features; the ports `a` and `b` are
    a * 2 sigmoid(W_a Z) and b * 2 sigmoid(W_b Z).

    Example:
        rgb: [16, 8, 8]
        depth: [8, 4, 4]
        {merge: squeeze_excite, from: [rgb, depth]}
    """
    channels = {}
    for key, x in inputs._asdict().items():
        weighted(x, "squeeze_excite", key)
        if not x.dims or not x.batched:
            raise rank_fault(x, "squeeze_excite takes (N, C, *)", key)
        channels[key] = known(x.dims[0], "the number of channels", key)
    squeezed = sum(channels.values()) // reduction
    if not squeezed:
        total = sum(channels.values())
        raise bad_option("reduction", f"reduction {reduction} leaves nothing of {total} channels")
    doc = "Multimodal transfer module (Joze et al. 2020)."
    sketch = Sketch("SqueezeExcite", "a", "b", doc=doc)
    means = tuple(_mean(sketch, key, len(x.dims)) for key, x in inputs._asdict().items())
    joined = sketch.merge("joined", "concat", means)
    linear = {"out_features": squeezed, "bias": bias}
    sketch.layer("squeeze", "Linear", joined, activation="ReLU", **linear)
    for key, x in inputs._asdict().items():
        excite, size = f"excite_{key}", channels[key]
        sketch.layer(
            excite, "Linear", "squeeze", out_features=size, bias=bias, activation="Sigmoid"
        )
        if len(x.dims) > 1:
            shape = [size, *(1 for _ in x.dims[1:])]
            excite = sketch.layer(f"scale_{key}", "Reshape", excite, shape=shape)
        sketch.formula(f"scaled_{key}", f"2 * {excite} * {key}")
    return sketch.block(a="scaled_a", b="scaled_b")


def _mean(sketch: Sketch, key: str, axes: int) -> str:
    """Add the mean of each channel over all axes behind it."""
    if axes == 1:
        return key
    return sketch.layer(f"mean_{key}", "Mean", key, dim=list(range(2, axes + 1)))
