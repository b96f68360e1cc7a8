"""Type the body of one use of a block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

from mimgraph.diagnostics import Label
from mimgraph.infer.block_inputs import bind_pattern, fits_inputs, left_out_types
from mimgraph.infer.block_params import block_params, default_params, origins_of
from mimgraph.infer.evaluation import layered
from mimgraph.infer.left_out import nodes_that_run
from mimgraph.infer.sources import known_types
from mimgraph.infer.state import Context, Fed, Site
from mimgraph.ir.declared_graph import Block, BlockInput, Call, Output
from mimgraph.ir.dim import Size
from mimgraph.ir.expression import identity, plain
from mimgraph.ir.typed_graph import NEVER, Body, TypedNode, results_of
from mimgraph.ir.types import TensorType

# types the nodes of a body and returns its outputs; an argument of block.py, which node.py imports
TypeNodes: TypeAlias = Callable[[Context, Iterable[Output]], dict[str, Fed]]


def body_of(
    context: Context,
    outputs: Mapping[str, Fed],
    family: str,
    params: Mapping[str, Any],
    defaults: Mapping[str, Any],
    dims: Mapping[str, Any],
    doc: str,
    *,
    is_chain: bool = False,
    training: frozenset[str] = frozenset(),
    batch_dims: Mapping[str, int] | None = None,
) -> Body | None:
    """Return the body of a context whose nodes are typed; None if the type of an output is unknown."""
    nodes, order = _typed_nodes(context)
    if context.left_out or NEVER in [node.presence for node in order]:
        kept = nodes_that_run(context, family, outputs)
        if kept is None:
            return None
        nodes, order = (
            tuple([kept[node.name] for node in some if node.name in kept])
            for some in (nodes, order)
        )
    types = known_types(outputs)
    if types is None:
        return None
    inputs = {name: type_ for name, type_ in context.inputs.items() if type_ is not None}
    values = {name: fed.value for name, fed in outputs.items()}
    return Body(
        *(family, params, defaults, dims, inputs, nodes, order, values, results_of(types)),
        is_chain=is_chain,
        doc=doc,
        optional=context.optional,
        training=training,
        batch_dims=batch_dims or {},
    )


def _typed_nodes(context: Context) -> tuple[tuple[TypedNode, ...], tuple[TypedNode, ...]]:
    """Return the typed nodes in the order of the text, and in the order in which they run."""
    typed = context.typed
    running = tuple([node for node in typed.values() if node is not None])
    if list(typed) == list(context.scope.nodes):
        return running, running
    written = (typed.get(name) for name in context.scope.nodes)
    return tuple([node for node in written if node is not None]), running


# Type the body of one use of a block.


class Using(NamedTuple):
    """A call of a block with its node, and the function that types the nodes of a body; nothing feeds
    the inputs that are `absent`."""

    site: Site
    call: Call
    block: Block
    type_nodes: TypeNodes
    absent: Mapping[str, BlockInput]


def type_use(
    using: Using,
    arguments: Mapping[str, Any],
    fed: Mapping[str, Fed],
    types: Mapping[str, TensorType],
    optional: frozenset[str],
    time: int = 0,
) -> Body | None:
    """Return the body of a block for these params and input types, typed once for equal ones; the
    `optional` inputs may be missing, and `time` is the number of the repeat."""
    site, call, block, _, absent = using
    state = site.state
    state.budget.write(4 * len(block.params), site.node.span)
    given = block_params(state, block, {n: plain(value) for n, value in arguments.items()})
    fits = fits_inputs(site, block, fed, absent, given)
    dims = bind_pattern(site, block, fed, given) if fits else None
    if dims is None:
        return None
    left_out: dict[str, TensorType | None] = {}
    sizes: Mapping[str, Size] = dims
    if absent:
        left_out, sizes = left_out_types(site, absent.values(), fed, given, dims)
    optional |= site.optional
    pasts = tuple([type_.past for type_ in types.values()])  # equality of types ignores it
    around = site.context
    lenders = tuple([around.scope_of(name) for name in state.outer.get(call.block, ())])
    values = tuple(map(identity, given.values()))
    without = tuple(left_out.items())
    key = (call.block, *values, tuple(types.items()), pasts, optional, lenders, without)
    if key in state.memory.bodies:
        body, nodes = state.memory.bodies[key]
        state.budget.count(nodes, site.node.span)
        return body
    before, faults = state.budget.nodes, len(state.report.diagnostics)
    label = Label(call.span, f"used here as {site.node.name}" if site.node.name else "used here")
    # the one node of a chain block has no name, so that the paths of its items start with the block's
    path = block.family if block.is_chain else f"{block.family}."
    context = Context(
        *(state, layered(sizes, given, state.params), types, state.memory.scopes[call.block], path),
        uses=(label,),
        optional=optional,
        origins=origins_of(around, call, block, time),
        around=around,
        left_out=left_out,
    )
    if left_out:
        context.as_given = replace(
            context,
            state=state.of_unrun(),
            inputs={**types, **left_out},
            left_out={},
        )
    state.budget.enter(call.span)
    outputs = using.type_nodes(context, block.outputs)
    defaults = default_params(state, call.block, block)
    body = body_of(
        *(context, outputs, block.family, given, defaults, dims, block.doc), is_chain=block.is_chain
    )
    state.budget.depth -= 1
    if body is None:
        state.memory.unfinished.setdefault(call, context)
    if body is None and left_out and len(state.report.diagnostics) == faults:
        _report_unknown(site, call, block, left_out)
    state.memory.bodies[key] = body, state.budget.nodes - before
    return body


def _report_unknown(site: Site, call: Call, block: Block, left_out: Iterable[str]) -> None:
    """Report a block that cannot be typed without the inputs that a use leaves out."""
    names = " and ".join(left_out)
    message = f"{block.family} has a node that needs {names}, which is left out here"
    help = f"feed {names}, or declare it with its shape: {names}: {{shape: [...], optional: true}}"
    labels = (Label(block.span, "the block"),)
    site.fault("optional-source", message, call.span, labels=labels, help=help)
