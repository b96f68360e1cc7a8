"""Describe a handle for a notebook: in words, and with a picture of the graph that computes it."""

from __future__ import annotations

from mimgraph.builder.declare_graph import declare_graph
from mimgraph.builder.handles.tensor import Tensor
from mimgraph.diagnostics import Report, SpecError
from mimgraph.infer.graph import infer
from mimgraph.ir.typed.graph import TypedGraph, TypedNode
from mimgraph.ops.layer_call import EachCall
from mimgraph.picture import notebook
from mimgraph.support.frozen_data import replace


def handle_html(handle: Tensor) -> str:
    """Return the picture of the graph that computes the handle, with the handle in words below
    it."""
    return notebook.handle_html(_in_words(handle), _leading_to(handle))


def _leading_to(handle: Tensor) -> TypedGraph | None:
    """Return the graph that computes a handle, even one that may be missing; None if there is none,
    as inside a block."""
    ends = {"end": handle} if _is_one(handle) else {f"end{i}": p for i, p in enumerate(handle)}
    try:
        declared = declare_graph(ends, "Unfinished", "")
        # an output may not be missing, so all inputs are given here
        inputs = tuple(replace(one, optional=False) for one in declared.inputs)
        typed = infer(replace(declared, inputs=inputs), Report())
    except SpecError:
        return None
    if typed is None:
        return None
    optional = frozenset(one.name for one in declared.inputs if one.optional)
    return replace(typed, body=replace(typed.body, optional=optional))


def _in_words(handle: Tensor) -> str:
    """Return the handle in words, each result with its port: `score: Linear, (N, 1) float32`."""
    record = handle.record
    called = record.layer.layer if isinstance(record.layer, EachCall) else record.layer
    made = record.made.op_name if isinstance(record.made, TypedNode) else "Input"
    op = made if called is None else called.label
    types = {"": handle.typed()} if _is_one(handle) else record.results
    shown = (f"{port} {type_} {type_.dtype}".lstrip() for port, type_ in types.items())
    name = record.label if handle.port is None else f"{record.label}.{handle.port}"
    return f"{name}: {op}, {', '.join(shown)}"


def _is_one(handle: Tensor) -> bool:
    return handle.port is not None or handle.record.default is not None
