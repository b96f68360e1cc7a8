"""Make a body from its typed nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from mimgraph.infer.nodes.left_out import nodes_that_run
from mimgraph.infer.nodes.sources import known_types
from mimgraph.infer.scope import Context, Fed
from mimgraph.ir.declared.graph import Output
from mimgraph.ir.presence import NEVER
from mimgraph.ir.typed.graph import Body, TypedNode, results_of

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
