"""Find the types of the inputs of a block that a use leaves out.

A `Fill` of what they feed has the shape that it would have if they were given.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mimgraph.infer.evaluation import Evaluation, compute, layered
from mimgraph.infer.linear_sizes import linear_size
from mimgraph.infer.scope import Fed, Site
from mimgraph.ir.declared.graph import BlockInput
from mimgraph.ir.declared.sizes import LinearSize
from mimgraph.ir.declared.values import FAULTY
from mimgraph.ir.dims.dim import Dim, DimOverflow, Size, symbol, symbols
from mimgraph.ir.expression import plain
from mimgraph.ir.names import free_name
from mimgraph.ir.types import TensorType

Types = dict[str, TensorType | None]


def left_out_types(
    site: Site,
    absent: Collection[BlockInput],
    fed: Mapping[str, Fed],
    params: Mapping[str, Any],
    dims: Mapping[str, Size],
) -> tuple[Types, Mapping[str, Size]]:
    """Return the types of the `absent` inputs, which a use leaves out, None where they are unknown, and the sizes
    of all named dimensions; a name that is bound by no source stays a name."""
    types = [one.type for one in fed.values() if one.type is not None]
    taken = {name for type_ in types for dim in type_.dims for name in symbols(dim)}
    names = [name for one in absent if one.pattern for name in one.pattern.names]
    sizes = {name: symbol(free_name(name, taken)) for name in names} | {**dims}
    at = Evaluation(layered(params, site.state.params), site.state.report, site.path)
    found: Types = {}
    for one in absent:
        source = site.left_out.get(one.name)
        known = None if source is None else source.type
        found[one.name] = known or _declared_type(one, at, sizes)
    return found, sizes


def _declared_type(one: BlockInput, at: Evaluation, sizes: Mapping[str, Size]) -> TensorType | None:
    """Return the type that an input declares; None if it declares no shape."""
    if one.pattern is None:
        return None
    try:
        dims = [_size(dim, span, at, sizes) for dim, span in zip(*one.pattern, strict=True)]
    except DimOverflow:
        return None
    vocab, declared = None, one.declared
    if declared is not None and declared.vocab is not None:
        vocab = plain(compute(declared.vocab.value, at))
    known = tuple([size for size in dims if size is not None])
    if vocab is FAULTY or len(known) < len(dims):
        return None
    return TensorType(known, "float32" if declared is None else declared.dtype, vocab)


def _size(dim: Any, span: Any, at: Evaluation, sizes: Mapping[str, Size]) -> Size | None:
    """Return a size of a pattern; None if it is faulty."""
    if isinstance(dim, str):
        return sizes[dim]
    if isinstance(dim, LinearSize):
        line = linear_size(dim, span, at)
        return None if line is None else line.at(sizes[dim.name])
    found = plain(compute(dim, at))
    return found if isinstance(found, int | Dim) else None
