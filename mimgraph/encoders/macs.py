"""Count the multiply-accumulates of a model of a library, by runs on torch's meta device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from mimgraph.encoders.cache import remembered
from mimgraph.encoders.probe import Model, made, question
from mimgraph.ir.dim import symbol, symbols
from mimgraph.ir.lowering import Lazy, Product
from mimgraph.ir.types import BATCH, TensorType
from mimgraph.ops.op import OpFault

# Sizes at which the work is counted, in steps of the first one; the last ones check the formula.
POINTS = (4, 8, 12, 6, 10)


def macs(model: Model, sources: Mapping[str, TensorType]) -> Lazy[tuple[Product, ...] | None]:
    """Return the multiply-accumulates of a call with these sources in the order of the model's arguments.

    They are known where all sizes are numbers, and with one name of a size, T, where they are
    a + b*T + c*T^2, as of transformers.
    """
    types = tuple(sources.values())
    key = (model.name, repr(model.options), tuple(map(str, types)))
    return Lazy(key, partial(_products, model, types))


def _products(model: Model, types: Sequence[TensorType]) -> tuple[Product, ...] | None:
    """Return the number of each power of the size with a name, of one sample; None if there is no formula."""
    names = sorted({name for type_ in types for dim in type_.dims for name in symbols(dim)})
    if len(names) > 1 or any(not type_.batched for type_ in types):
        return None
    shapes = [[[str(dim) for dim in type_.dims], type_.dtype] for type_ in types]
    try:
        asked = question(model, {"macs": shapes})
    except OpFault:  # the library is not installed, as its weights are about to say
        return None
    kept = remembered(asked, lambda: {"powers": _powers(model, types, names)})
    if kept["powers"] is None:
        return None
    size = [*map(symbol, names)]
    return tuple((BATCH, number, *size * power) for power, number in enumerate(kept["powers"]))


def _powers(model: Model, types: Sequence[TensorType], names: Sequence[str]) -> list[int] | None:
    """Return the multiply-accumulates of each power of the size; None if there is no such formula, or the
    model does not run without data."""
    from mimgraph.encoders import without_weights  # imports torch

    points = POINTS if names else POINTS[:1]
    try:
        module = made(model)
        counts = {
            size: without_weights.macs(module, types, {"N": 1, **dict.fromkeys(names, size)})
            for size in points
        }
    except Exception:  # noqa: BLE001 - a library's code may raise anything
        return None
    return _fitted(counts) if names else [*counts.values()]


def _fitted(counts: Mapping[int, int]) -> list[int] | None:
    """Return the coefficients of the polynomial of degree 2 through these values; None if there is none."""
    step = POINTS[0]
    first, second, third = (counts[size] for size in POINTS[:3])
    square, rest = divmod(third - 2 * second + first, 2 * step * step)
    line, other = divmod(second - first - 3 * square * step * step, step)
    powers = [first - line * step - square * step * step, line, square]
    exact = not rest and not other and min(powers) >= 0
    holds = all(powers[0] + line * s + square * s * s == found for s, found in counts.items())
    return powers if exact and holds else None
