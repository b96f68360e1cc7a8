"""Share one module between calls of a layer: in one body, or in a block that calls a layer from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from mimgraph.builder.names import Names
from mimgraph.builder.records import CallContext, Layer, Record
from mimgraph.builder.trace import Trace
from mimgraph.builder.user_line import spec_error
from mimgraph.diagnostics import SpecError
from mimgraph.infer.graph import Given, GivenGroup
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_graph import Share
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ir.typed_operations import unwrap
from mimgraph.ir.typed_walks import used_bodies
from mimgraph.source import Span
from mimgraph.support.objects import unique_key


def outer_call(layer: Layer, trace: Trace | None) -> Record | None:
    """Return the first call of a layer with weights in the graph or block that calls the function of
    this block; None if there is none."""
    while trace is not None:
        trace = trace.outer
        found = layer.uses.get(trace)
        if isinstance(found, Record) and isinstance(found.made, TypedNode):
            return found.lender or (found if found.made.operation.has_state else None)
    return None


def has_blocks(record: Record) -> bool:
    """Return whether a call is of a block, or of a layer that has one: no block can share it."""
    assert isinstance(record.made, TypedNode)
    return any(True for _ in used_bodies(unwrap(record.made.operation)))


def placeholder(record: Record) -> str:
    """Return the name of an outer call in a block until its graph names it; no node can have it."""
    record.key = record.key or unique_key()
    return f"{record.stem} {record.key}"


def lent_to(context: CallContext, borrowed: Mapping[str, Record]) -> CallContext:
    """Return the context with the outer calls that blocks share."""
    return context._replace(lent={**context.lent, **borrowed})


def stand_in(record: Record, records: Iterable[Record]) -> Record:
    """Return the first of these calls of the layer of a shared call: the layer may have been called in
    another graph before."""
    assert record.layer is not None
    uses = record.layer.uses
    alike = (one for one in records if one.layer is not None and one.layer.uses is uses)
    return next(alike, record)


def lent(records: Iterable[Record], trace: Trace | None) -> tuple[dict[str, Record], list[Record]]:
    """Return the outer calls that these records share, by placeholder, and of all shared calls those
    that are made in this body."""
    every: dict[str, Record] = {}
    for record in records:
        every |= record.borrowed
    outer = {name: one for name, one in every.items() if one.trace is not trace}
    return outer, [one for one in every.values() if one.trace is trace and not has_blocks(one)]


def check_called_once(records: Sequence[Record], trace: Trace | None) -> None:
    """Raise an error for a block that is called in this body and in a block inside it: it would be two
    modules."""
    users = {one: record for record in records for one in record.borrowed.values()}
    for one, user in users.items():
        if one.trace is not trace or not has_blocks(one):
            continue
        here = stand_in(one, records)
        if here in records:
            message = (
                f"{here.label} is called inside {user.label} too, where it would be another module"
            )
            help = (
                "call it only outside, and give the block its result; or make another for the block"
            )
            raise spec_error("bad-option", message, here.span, help)


def check_inputs_known(shared: Iterable[Record], found: set[Record], span: Span) -> None:
    """Raise an error for a shared call of another graph: it reads an input that nothing else reads."""
    for record in shared:
        stack, seen = [record], set[Record]()
        while stack:
            one = stack.pop()
            if one in seen or one in found:
                continue
            seen.add(one)
            if isinstance(one.made, Given | GivenGroup):
                message = f"a block shares {record.label}, which was called on {one.label} of another graph"
                help = "call the layer in this graph first, or make another"
                raise spec_error("unknown-source", message, span, help)
            stack += [source.record for _, source in one.sources]


def names_of_shared(
    shared: Iterable[Record], blocks: Iterable[ir.Block], taken: set[str]
) -> dict[Record, str]:
    """Return the names of calls that blocks share: none is that of a node in a block, which would hide
    it."""
    inner = {node.name for block in blocks for node in block.nodes}
    names = Names(taken | inner)
    found: dict[Record, str] = {}
    for record in shared:
        if record.name in inner:
            message = f"{record.name} is also a node of a block, which shares the outer one"
            raise spec_error("duplicate-name", message, record.span, "give one another name")
        found[record] = record.name or names.unique(record.stem)
    return found


def with_names(blocks: Mapping[str, ir.Block], names: Mapping[Record, str]) -> dict[str, ir.Block]:
    """Return the blocks with the names of the calls that they share in place of placeholders."""
    targets = {placeholder(record): name for record, name in names.items()}
    if not targets:
        return dict(blocks)
    return {
        key: replace(block, nodes=tuple([_with_target(node, targets) for node in block.nodes]))
        for key, block in blocks.items()
    }


def _with_target(node: ir.Node, targets: Mapping[str, str]) -> ir.Node:
    """Return the node; one that shares a call with a placeholder names it."""
    share = node.applied
    if not isinstance(share, Share) or share.target not in targets:
        return node
    return node.with_applied(replace(share, target=targets[share.target]))


def optional_given(
    layer: Layer | None, sources: Iterable[tuple[str | None, object]]
) -> AbstractSet[str]:
    """Return the optional inputs that a call gives, by name or by position."""
    if layer is None or not layer.optional:
        return frozenset()
    named = zip(layer.argument_names, sources, strict=False)
    return {key or name for name, (key, _) in named} & layer.optional


def used_already(layer: object, span: Span) -> SpecError:
    """Return the error for a layer that would become two modules, or one module with two keys."""
    message = f"{layer!r} is used already, and in a Sequential it would have weights of its own"
    return spec_error("bad-option", message, span, "make another, or call the Sequential twice")
