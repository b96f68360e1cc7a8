"""Declare the graph that leads to a handle, for a notebook, or to a call that is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mimgraph.builder.declare_graph import declare_graph
from mimgraph.builder.declare_layer import declare_apply
from mimgraph.builder.tensor import Tensor
from mimgraph.diagnostics import Report, SpecError
from mimgraph.infer.graph import infer
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_graph import Apply
from mimgraph.ir.names import free_name
from mimgraph.ir.typed_graph import TypedGraph, TypedNode
from mimgraph.ops.layer_call import EachCall, LayerCall
from mimgraph.picture import notebook
from mimgraph.picture.faulty.sketch import WrongGraph
from mimgraph.source import Span


def handle_html(handle: Tensor) -> str:
    """Return the picture of the graph that computes the handle, with the handle in words below
    it."""
    return notebook.handle_html(_in_words(handle), _leading_to(handle))


def _leading_to(handle: Tensor) -> TypedGraph | None:
    """Return the graph that computes a handle, even one that may be missing; None if there is none,
    as inside a block."""
    ends = {"end": handle} if _is_one(handle) else {f"end{i}": p for i, p in enumerate(handle)}
    try:
        declared = declare_graph(ends, "Unfinished", "").graph
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


def faulty_call(
    layer: object, sources: Iterable[tuple[str | None, object]], wanted: str, span: Span
) -> WrongGraph | None:
    """Return the graph that computes the sources of a call, each with the argument that it fills if that
    is named, and the call as a node; None if there is no such graph, as inside a block."""
    given = [(key, handle) for key, source in sources for handle in _handles(source)]
    ends = {f"end{number}": handle for number, (_, handle) in enumerate(given)}
    try:
        known = declare_graph(ends, "Unfinished", "").graph
    except SpecError:
        return None
    read = [
        one.source._replace(argument=key)
        for one, (key, _) in zip(known.outputs, given, strict=True)
    ]
    taken = {one.name for one in known.inputs} | {one.name for one in known.nodes}
    name = free_name(wanted, taken)
    node = ir.Node(name, span, _operation(layer, span), tuple(read))
    return WrongGraph(replace(known, nodes=(*known.nodes, node), outputs=()), name)


def _handles(source: object) -> Iterator[Tensor]:
    """Yield the handles in the source of a call: itself, its results, or those in a list."""
    if isinstance(source, Tensor) and (
        source.port is not None or source.record.default is not None
    ):
        yield source
    elif isinstance(source, Tensor | list | tuple):
        for one in source:
            yield from _handles(one)


def _operation(layer: object, span: Span) -> Apply | None:
    """Return the declared layer; None if it cannot be declared, or is made of others."""
    try:
        return (
            declare_apply(layer.without_sources(), span) if isinstance(layer, LayerCall) else None
        )
    except SpecError:
        return None
