"""Make the modules of torch, and those that join or split maps, whose nodes are no blocks of the library."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from mimgraph.importer.foreign.located import refuse
from mimgraph.importer.foreign.ultralytics.arguments import LARGEST
from mimgraph.importer.foreign.ultralytics.made import Made, Result
from mimgraph.ops.registry import find
from mimgraph.source import Span

OURS = ("weight_norm", "spectral_norm")  # options that torch's constructors lack
POOLS = ("MaxPool2d", "AvgPool2d", "LPPool2d")


def torch_layer(name: str, given: list[Any], channels: int, span: Span) -> Made:
    """Return a layer of torch.nn with the arguments of its constructor by position."""
    op = find("layer", name)
    if op is None or op.family.startswith("shape"):
        refuse("unknown-layer", f"torch.nn has no layer {name:.40} that can be read", span)
    if name == "BatchNorm2d":
        options = {"eps": "$bn_eps", "momentum": "$bn_momentum"}
        return Made({"layer": name, **options}, channels)
    inferred = [one.name for one in op.options.values() if one.inferred]
    others = [key for key in op.options if key not in (*OURS, *inferred)]
    order = [*inferred, *others]
    if len(given) > len(order):
        refuse("wrong-arity", f"{name} takes {', '.join(order)}; {len(given)} are given", span)
    options = {
        key: value
        for key, value in zip(order, given, strict=False)
        if value != op.options[key].default and key != "inplace"
    }
    return Made({"layer": name, **options}, channels, _stride(name, options))


def _stride(name: str, options: dict[str, Any]) -> Fraction:
    """Return by how much a layer of torch divides the height."""
    factor: Any = 1
    if name == "Upsample":
        factor = options.get("scale_factor", 1)
    elif name in POOLS:
        factor = options.get("stride", options.get("kernel_size", 1))
    elif name == "Conv2d":
        factor = options.get("stride", 1)
    if isinstance(factor, list):
        factor = factor[0] if factor else 1
    if not isinstance(factor, int | float) or not 0 < factor < 1 << 20:
        return Fraction(1)
    exact = Fraction(factor).limit_denominator(64) or Fraction(1)
    return 1 / exact if name == "Upsample" else exact


def split(given: list[Any], span: Span) -> tuple[int, ...]:
    """Return the channels into which CBLinear, a convolution of kernel 1, splits its result."""
    match given:
        case [[*parts]] if parts and all(type(one) is int and 0 < one <= LARGEST for one in parts):
            return tuple(parts)
    refuse("bad-option", "CBLinear is read with one argument, a list of channels", span)


def fuse(sources: list[Result], given: list[Any], span: Span) -> tuple[Made, list[str]]:
    """Return CBFuse, which adds parts of the results of CBLinear, resized, to a map; and its sources."""
    match given:
        case [[*indices]] if len(indices) == len(sources) - 1:
            pass
        case _:
            message = "CBFuse takes a list with the part of each of its sources but the last"
            refuse("bad-option", message, span)
    for index, one in zip(indices, sources, strict=False):
        if type(index) is not int or not 0 <= index < len(one.parts):
            refuse("unknown-port", f"{one.source} has no part {index!r:.40}", span)
    names = [f"x{index}" for index in range(len(indices))]
    nodes: dict[str, Any] = {
        f"{name}_resized": {"merge": "resize_like", "from": [name, "map"], "mode": "nearest"}
        for name in names
    }
    nodes["sum"] = {"merge": "add", "from": [*nodes, "map"]}
    name = f"CBFuse{len(names)}"
    block = {"inputs": [*names, "map"], "nodes": nodes, "outputs": "sum"}
    last = sources[-1]
    parts = [f"{one.source}.{index}" for one, index in zip(sources, indices, strict=False)]
    return Made({"block": name}, last.channels, blocks={name: block}), [*parts, last.source]
