"""Find the input sizes that can change a result's size by which a block's function decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mimgraph.builder.declare_body import DeclaredBody, declare_body
from mimgraph.builder.declare_layer import option
from mimgraph.builder.handles.records import Record
from mimgraph.builder.handles.tensor import Tensor
from mimgraph.builder.outputs import Output
from mimgraph.builder.tracing.trace import Result, Trace
from mimgraph.diagnostics import Report, SpecError
from mimgraph.infer.graph import Given, infer_node
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_graph import Call
from mimgraph.ir.dim import Dim, symbol
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ir.types import TensorType
from mimgraph.source import Span


def deciding_axes(trace: Trace, inputs: Mapping[str, Record], span: Span) -> set[str]:
    """Return the axes of inputs whose size can change the size of a result by which Python code
    decided.

    Other axes may have any size: with symbols as their sizes, the nodes before those results are
    legal, and the results have the same sizes.
    """
    fixed = {
        axis
        for name in trace.sizes
        for axis, size in trace.axes(name).items()
        if not isinstance(size, Dim) and axis not in trace.decided_by
    }
    if trace.sizes.keys() != inputs.keys():  # a group has no axes of its own to open
        return fixed
    try:
        body, block = _leading_to(trace, inputs, span)
    except SpecError:  # two nodes may have one name, if the outputs need only one of them
        return fixed

    def results_are_the_same(open_axes: set[str]) -> bool:
        nodes = _typed(body, block, _opened(trace, inputs, open_axes))
        return nodes is not None and all(
            _is_same(result, nodes[body.names[result.record]]) for result in trace.results
        )

    if results_are_the_same(fixed):
        return set()
    free: set[str] = set()
    for axis in sorted(fixed):
        if results_are_the_same({*free, axis}):
            free.add(axis)
    return fixed - free


def _leading_to(
    trace: Trace, inputs: Mapping[str, Record], span: Span
) -> tuple[DeclaredBody, ir.Block]:
    """Return the body with the nodes before the results, and a block of it with the values as
    defaults."""
    records = dict.fromkeys(result.record for result in trace.results)
    ends = [("", Output(_one_result(record))) for record in records]
    body = declare_body(ends, inputs.values(), trace, span)
    block = ir.Block(
        trace.family,
        span,
        {name: option(value, span) for name, value in trace.params.items()},
        tuple(ir.BlockInput(name, span, trace.pattern(name, span)) for name in inputs),
        body.nodes,
        body.outputs,
    )
    return body, block


def _one_result(record: Record) -> Tensor:
    """Return the default result of a call, or else its first."""
    return Tensor(record, None if record.default is not None else next(iter(record.results)))


def _opened(
    trace: Trace, inputs: Mapping[str, Record], open_axes: set[str]
) -> Mapping[str, TensorType]:
    """Return the types of the inputs with symbols at the open axes; a user's size cannot have such
    a name."""
    found = {}
    for name, record in inputs.items():
        dims = [
            symbol(f"?{axis}") if axis in open_axes else size
            for axis, size in trace.axes(name).items()
        ]
        found[name] = replace(record.results[""], dims=tuple(dims))
    return found


def _typed(
    body: DeclaredBody, block: ir.Block, types: Mapping[str, TensorType]
) -> Mapping[str, TypedNode] | None:
    """Return the nodes of a block typed for these inputs; None if one does not fit."""
    span = block.span
    sources = tuple(ir.Source(name, None, span) for name in types)
    node = ir.Node("use", span, Call("", span, {}, None, None), sources)
    made = {one.name: Given(one, types[one.name]) for one in block.inputs}
    report = Report()
    typed = infer_node(node, made, report, {**body.blocks, "": block})
    if typed is None or report.diagnostics:
        return None
    (inner,) = typed.operation.bodies
    return {one.name: one for one in inner.nodes}


def _is_same(result: Result, node: TypedNode) -> bool:
    """Return whether a result, or each result of a call, has the same sizes as in the run."""
    before, now = result.record.results, node.results
    if result.port is None or result.axis is None:
        return before.keys() == now.keys() and all(
            before[port].dims == now[port].dims for port in before
        )
    if result.port not in before or result.port not in now:  # a weight of the layer
        return False
    return before[result.port].dims[result.axis] == now[result.port].dims[result.axis]
