"""Type the body of one use of a block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mimgraph.diagnostics import Label
from mimgraph.infer.block_inputs import bind_pattern, fits_inputs, left_out_types
from mimgraph.infer.block_params import block_params, origins_of
from mimgraph.infer.evaluation import layered
from mimgraph.infer.left_out import nodes_that_run
from mimgraph.infer.presence import MAX_OPTIONAL
from mimgraph.infer.sources import known_types
from mimgraph.infer.state import Context, Fed, Site
from mimgraph.ir.declared_graph import Block, BlockInput, Call
from mimgraph.ir.dim import Size
from mimgraph.ir.expression import identity, plain
from mimgraph.ir.typed_graph import NEVER, Body, results_of
from mimgraph.ir.types import TensorType


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
    typed = [(name, node) for name, node in context.typed.items() if node is not None]
    runs = dict(typed)
    if context.left_out or NEVER in [node.presence for _, node in typed]:
        kept = nodes_that_run(context, family, outputs)
        if kept is None:
            return None
        runs = {name: kept[name] for name in runs if name in kept}
    order = nodes = tuple(runs.values())
    if list(context.typed) != list(context.scope.nodes):  # the text has another order
        nodes = tuple([runs[name] for name in context.scope.nodes if name in runs])
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


# one use of a block


class BlockUse(NamedTuple):
    """A call of a block at a site; nothing feeds the inputs that are `absent`."""

    site: Site
    call: Call
    block: Block
    absent: Mapping[str, BlockInput]


class OpenedBody(NamedTuple):
    """The body of a block for one use, still to be typed: all `params` of the block, the `types` that
    its inputs are fed, the `dims` that the inputs name, and the `sizes` of all names."""

    use: BlockUse
    params: Mapping[str, Any]
    types: Mapping[str, TensorType]
    dims: Mapping[str, Size]
    sizes: Mapping[str, Size]
    optional: frozenset[str]
    left_out: Mapping[str, TensorType | None]

    @property
    def key(self) -> tuple[Any, ...]:
        """Return a key that is equal for equal bodies."""
        (site, call, _, _), types = self.use, self.types
        state = site.state
        pasts = tuple([type_.past for type_ in types.values()])  # equality of types ignores it
        lenders = [site.context.scope_of(name) for name in state.outer.get(call.block, ())]
        values, without = map(identity, self.params.values()), tuple(self.left_out.items())
        fed = (tuple(types.items()), pasts, self.optional, tuple(lenders), without)
        return (call.block, *values, *fed, state.is_unrun)

    def context(self, time: int) -> Context:
        """Return the context in which the nodes are typed; `time` is the number of the repeat."""
        site, call, block, _ = self.use
        state, name = site.state, site.node.name
        label = Label(call.span, f"used here as {name}" if name else "used here")
        # the one node of a chain block has no name, so that the paths of its items start with the block's
        path = block.family if block.is_chain else f"{block.family}."
        env, scope = layered(self.sizes, self.params, state.params), state.memory.scopes[call.block]
        return Context(
            *(state, env, self.types, scope, path),
            uses=(label,),
            optional=self.optional,
            origins=origins_of(site.context, call, block, time),
            around=site.context,
            left_out=self.left_out,
        )


def open_body(
    use: BlockUse,
    arguments: Mapping[str, Any],
    fed: Mapping[str, Fed],
    types: Mapping[str, TensorType],
    optional: frozenset[str],
) -> OpenedBody | None:
    """Return the body of a block for these params and input types; None if a source does not fit, which
    is reported."""
    site, _, block, absent = use
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
    return OpenedBody(use, given, types, dims, sizes, optional | site.joint.optional, left_out)


def with_kept(site: Site, block: Block, fed: Mapping[str, Fed]) -> dict[str, Fed]:
    """Return the sources of a block with those that are never given but are inputs of its module.

    Other nodes that share the module give them. Of several outputs one may be missing without an input,
    while the block must have the others.
    """
    kept = {name: one for name, one in site.joint.kept.items() if name not in fed}
    if len(block.outputs) > 1:
        left_out = {n: one for n, one in site.left_out.items() if one.type is not None}
        kept = {**left_out, **kept}
    if not kept:
        return {**fed}
    if len(kept) > MAX_OPTIONAL:
        message = f"more than {MAX_OPTIONAL} inputs that some uses leave out"
        site.fault("too-large", message, site.node.span)
        site.state.report.raise_if_any()  # computing their presences would take too long
    return in_order(block, {**fed, **kept})


def in_order(block: Block, fed: Mapping[str, Fed]) -> dict[str, Fed]:
    """Return the sources in the order of the inputs that they fill."""
    place = {name: position for position, name in enumerate(block.input_names)}
    return {name: fed[name] for name in sorted(fed, key=lambda n: place[n.partition(".")[0]])}


def report_unknown(use: BlockUse, left_out: Iterable[str]) -> None:
    """Report a block that cannot be typed without the inputs that a use leaves out."""
    family, names = use.block.family, " and ".join(left_out)
    message = f"{family} has a node that needs {names}, which is left out here"
    help = f"feed {names}, or declare it with its shape: {names}: {{shape: [...], optional: true}}"
    labels = (Label(use.block.span, "the block"),)
    use.site.fault("optional-source", message, use.call.span, labels=labels, help=help)
