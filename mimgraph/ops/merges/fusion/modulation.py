"""Define fusions in which one source scales the features of another."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.ir.declared_graph import Block
from mimgraph.ir.option_types import Positive
from mimgraph.ir.types import TensorType
from mimgraph.ops.merges.fusion.features import rank_fault, vectors
from mimgraph.ops.merges.fusion.sketch import Sketch
from mimgraph.ops.registry import merge
from mimgraph.ops.rule_helpers import axis_index, bad_option, known, weighted


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
    vectors({"condition": condition}, "film")
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
