"""Declare the graph around a call that is refused, so that its known part can be drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mimgraph.builder.declare_graph import declare_graph
from mimgraph.builder.declare_layer import declare_apply
from mimgraph.builder.handles.tensor import Tensor
from mimgraph.diagnostics import SpecError
from mimgraph.ir.declared import graph as ir
from mimgraph.ir.declared.operations import Apply
from mimgraph.ir.names import free_name
from mimgraph.ops.layer_call import LayerCall
from mimgraph.picture.faulty.sketch import WrongGraph
from mimgraph.source import Span
from mimgraph.support.frozen_data import replace


def faulty_call(
    layer: object, sources: Iterable[tuple[str | None, object]], wanted: str, span: Span
) -> WrongGraph | None:
    """Return the graph that computes the sources of a call, each with the argument that it fills if that
    is named, and the call as a node; None if there is no such graph, as inside a block."""
    given = [(key, handle) for key, source in sources for handle in _handles(source)]
    ends = {f"end{number}": handle for number, (_, handle) in enumerate(given)}
    try:
        known = declare_graph(ends, "Unfinished", "")
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
