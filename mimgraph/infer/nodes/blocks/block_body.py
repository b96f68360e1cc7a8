"""Type the body of one use of a block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from mimgraph.diagnostics import Label
from mimgraph.infer.evaluation import layered
from mimgraph.infer.nodes.blocks.block_use import block_params, default_params, origins_of
from mimgraph.infer.nodes.blocks.input_check import fits_inputs
from mimgraph.infer.nodes.blocks.left_out_types import left_out_types
from mimgraph.infer.nodes.blocks.pattern import bind_pattern
from mimgraph.infer.nodes.body import TypeNodes, body_of
from mimgraph.infer.scope import Context, Fed, Site
from mimgraph.ir.declared.graph import Block, BlockInput
from mimgraph.ir.declared.operations import Call
from mimgraph.ir.dims.dim import Size
from mimgraph.ir.expression import identity, plain
from mimgraph.ir.typed.graph import Body
from mimgraph.ir.types import TensorType


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
    state.write(4 * len(block.params), site.node.span)
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
    if key in state.bodies:
        body, nodes = state.bodies[key]
        state.count(nodes, site.node.span)
        return body
    before, faults = state.expanded, len(state.report.diagnostics)
    label = Label(call.span, f"used here as {site.node.name}" if site.node.name else "used here")
    # the one node of a chain block has no name, so that the paths of its items start with the block's
    path = block.family if block.is_chain else f"{block.family}."
    context = Context(
        *(state, layered(sizes, given, state.params), types, state.scopes[call.block], path),
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
    state.enter(call.span)
    outputs = using.type_nodes(context, block.outputs)
    defaults = default_params(state, call.block, block)
    body = body_of(
        *(context, outputs, block.family, given, defaults, dims, block.doc), is_chain=block.is_chain
    )
    state.depth -= 1
    if body is None:
        state.unfinished.setdefault(call, context)
    if body is None and left_out and len(state.report.diagnostics) == faults:
        _report_unknown(site, call, block, left_out)
    state.bodies[key] = body, state.expanded - before
    return body


def _report_unknown(site: Site, call: Call, block: Block, left_out: Iterable[str]) -> None:
    """Report a block that cannot be typed without the inputs that a use leaves out."""
    names = " and ".join(left_out)
    message = f"{block.family} has a node that needs {names}, which is left out here"
    help = f"feed {names}, or declare it with its shape: {names}: {{shape: [...], optional: true}}"
    labels = (Label(block.span, "the block"),)
    site.fault("optional-source", message, call.span, labels=labels, help=help)
