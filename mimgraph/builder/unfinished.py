"""Declare the graph that leads to a handle, for a notebook, or to a call that is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import cast

from mimgraph.builder.declare_body import BodyOutput, graph_of
from mimgraph.builder.declare_layer import declare_apply
from mimgraph.builder.records import Reference
from mimgraph.builder.user_line import user_line
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


def handle_html(handle: Reference) -> str:
    """Return the picture of the graph that computes the handle, with the handle in words below
    it."""
    return notebook.handle_html(_in_words(handle), _leading_to(handle))


def _leading_to(handle: Reference) -> TypedGraph | None:
    """Return the graph that computes a handle, even one that may be missing; None if there is none,
    as inside a block."""
    try:
        declared = _declared([*_handles(handle)])
        if declared is None:
            return None
        # an output may not be missing, so all inputs are given here
        inputs = tuple(replace(one, optional=False) for one in declared.inputs)
        typed = infer(replace(declared, inputs=inputs), Report())
    except SpecError:
        return None
    if typed is None:
        return None
    optional = frozenset(one.name for one in declared.inputs if one.optional)
    return replace(typed, body=replace(typed.body, optional=optional))


def _declared(ends: Sequence[Reference]) -> ir.Graph | None:
    """Return the graph that computes some handles; None if there are none, or one is inside a block."""
    if not ends or any(handle.record.trace is not None for handle in ends):
        return None
    outputs = [BodyOutput(f"end{number}", handle) for number, handle in enumerate(ends)]
    return graph_of(outputs, "Unfinished", user_line()).graph


def _in_words(handle: Reference) -> str:
    """Return the handle in words, each result with its port: `score: Linear, (N, 1) float32`."""
    record = handle.record
    called = record.layer.layer if isinstance(record.layer, EachCall) else record.layer
    made = record.made.op_name if isinstance(record.made, TypedNode) else "Input"
    op = made if called is None else called.label
    types = {"": handle.typed()} if _is_one(handle) else record.results
    shown = (f"{port} {type_} {type_.dtype}".lstrip() for port, type_ in types.items())
    name = record.label if handle.port is None else f"{record.label}.{handle.port}"
    return f"{name}: {op}, {', '.join(shown)}"


def _is_one(handle: Reference) -> bool:
    return handle.port is not None or handle.record.default is not None


def faulty_call(
    layer: object, sources: Iterable[tuple[str | None, object]], wanted: str, span: Span
) -> WrongGraph | None:
    """Return the graph that computes the sources of a call, each with the argument that it fills if that
    is named, and the call as a node; None if there is no such graph, as inside a block."""
    given = [(key, handle) for key, source in sources for handle in _handles(source)]
    try:
        known = _declared([handle for _, handle in given])
    except SpecError:
        return None
    if known is None:
        return None
    read = [
        one.source._replace(argument=key)
        for one, (key, _) in zip(known.outputs, given, strict=True)
    ]
    taken = {one.name for one in known.inputs} | {one.name for one in known.nodes}
    name = free_name(wanted, taken)
    node = ir.Node(name, span, _operation(layer, span), tuple(read))
    return WrongGraph(replace(known, nodes=(*known.nodes, node), outputs=()), name)


def _handles(source: object) -> Iterator[Reference]:
    """Yield the handles in the source of a call: itself, its results, or those in a list."""
    if isinstance(source, Reference) and _is_one(source):
        yield source
    elif isinstance(source, Reference | list | tuple):
        # a handle of several results unpacks into them
        for one in cast("Iterable[object]", source):
            yield from _handles(one)


def _operation(layer: object, span: Span) -> Apply | None:
    """Return the declared layer; None if it cannot be declared, or is made of others."""
    try:
        return (
            declare_apply(layer.without_sources(), span) if isinstance(layer, LayerCall) else None
        )
    except SpecError:
        return None
