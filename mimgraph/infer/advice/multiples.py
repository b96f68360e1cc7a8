"""Find the help for sources whose sizes agree if the sizes of the inputs are multiples of a number."""

from __future__ import annotations

from math import lcm

from mimgraph.infer.advice.rule_trial import Trial
from mimgraph.ir.dims.compare import period
from mimgraph.ir.dims.dim import DimOverflow, Size, substitute, symbol, symbols
from mimgraph.ir.types import TensorType
from mimgraph.support.frozen_data import replace

LARGEST = 1024  # the largest factor that is proposed


def multiples(trial: Trial) -> str:
    """Return the help that makes the halves of `H//2` exact, `2*H` in place of `H`, if the rule then accepts the
    sources; else ""."""
    factors: dict[str, int] = {}
    for size in (size for type_ in trial.types.values() for size in type_.dims):
        for name in symbols(size) - {"N", *trial.context.state.summands}:
            factors[name] = lcm(factors.get(name, 1), period(size))
    factors = {name: factor for name, factor in sorted(factors.items()) if factor > 1}
    if not factors or max(factors.values()) > LARGEST:
        return ""
    sizes = {name: factor * symbol(name) for name, factor in factors.items()}
    try:
        exact = {key: _filled(type_, sizes) for key, type_ in trial.types.items()}
    except DimOverflow:
        return ""
    if trial.ask(exact) is None:
        return ""
    first, *others = (f"{name} of {factor}" for name, factor in factors.items())
    always = " and ".join((first.replace(" of", " is always a multiple of"), *others))
    written = " and ".join(f"{size} for {name}" for name, size in sizes.items())
    return f"if {always}, write {written} in the shapes of the inputs"


def _filled(type_: TensorType, sizes: dict[str, Size]) -> TensorType:
    """Return a type with multiples in place of names."""
    return replace(type_, dims=tuple(substitute(dim, sizes) for dim in type_.dims))
