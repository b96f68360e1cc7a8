"""What leads to a handle, as far as it is built; and the handle in words."""

from __future__ import annotations

from dataclasses import replace

from mimgraph.builder.declare_graph import declare_graph
from mimgraph.builder.record import Tensor
from mimgraph.diagnostics import Report, SpecError
from mimgraph.infer.graph import infer
from mimgraph.ir.typed import TypedGraph
from mimgraph.ops.registry import EachCall


def leading_to(handle: Tensor) -> TypedGraph | None:
    """The graph that ends in a handle, also where that may be missing; None where there is none,
    as inside a block."""
    ends = {"end": handle} if _is_one(handle) else {f"end{i}": p for i, p in enumerate(handle)}
    try:
        declared = declare_graph(ends, "Unfinished", "")
        # what is left out matters to outputs only
        inputs = tuple(replace(one, optional=False) for one in declared.inputs)
        typed = infer(replace(declared, inputs=inputs), Report())
    except SpecError:
        return None
    if typed is None:
        return None
    optional = frozenset(one.name for one in declared.inputs if one.optional)
    return replace(typed, body=replace(typed.body, optional=optional))


def in_words(handle: Tensor) -> str:
    """`score: Linear, (N, 1) float32`, of several results each with its port."""
    record = handle.record
    called = record.recipe.layer if isinstance(record.recipe, EachCall) else record.recipe
    op = "Input" if called is None else called.label
    types = {"": handle.typed()} if _is_one(handle) else record.results
    shown = (f"{port} {type_} {type_.dtype}".lstrip() for port, type_ in types.items())
    name = record.label if handle.port is None else f"{record.label}.{handle.port}"
    return f"{name}: {op}, {', '.join(shown)}"


def _is_one(handle: Tensor) -> bool:
    return handle.port is not None or handle.record.default is not None
