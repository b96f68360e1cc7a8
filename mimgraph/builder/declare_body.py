"""Declare the body of a graph or block: the nodes that its outputs depend on, in the order of calls."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from mimgraph.builder.declare_each import share
from mimgraph.builder.names import Names, content_key
from mimgraph.builder.records import Record, Reference, has_blocks, optional_given, placeholder
from mimgraph.builder.trace import Trace, rewriter_as_written
from mimgraph.builder.typed_calls import TypedCalls
from mimgraph.builder.user_line import raise_faults, spec_error
from mimgraph.diagnostics import Report
from mimgraph.infer.graph import Given, GivenGroup, infer_node
from mimgraph.infer.sharing import have_same_nodes
from mimgraph.infer.structure import unique
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_graph import Call, Share
from mimgraph.ir.declared_values import Option
from mimgraph.ir.rewrite import Rewriter, with_keys
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.source import Span


class BodyOutput(NamedTuple):
    """An output of a graph or block; the name "" stands for that of the node."""

    name: str
    handle: Reference
    doc: str = ""
    training_only: bool = False
    batch_dim: int | None = None


class GraphOfCalls(NamedTuple):
    """A graph that Python declares, and the calls that have typed nodes of it."""

    graph: ir.Graph
    calls: TypedCalls


def graph_of(outputs: Sequence[BodyOutput], name: str, span: Span) -> GraphOfCalls:
    """Return the graph that computes these outputs, with its blocks named."""
    body = declare_body(outputs, (), None, span)
    keys, blocks = _named(body.blocks)
    graph = ir.Graph(
        name,
        span,
        inputs=tuple(i for i in body.inputs if isinstance(i, ir.Input)),
        blocks=blocks,
        nodes=with_keys(body.nodes, keys),
        outputs=body.outputs,
    )
    return GraphOfCalls(graph, TypedCalls(body.names, graph.nodes))


def _named(blocks: Mapping[str, ir.Block]) -> tuple[dict[str, str], dict[str, ir.Block]]:
    """Return the name of each block by its key, and the blocks by name; equal blocks become one.

    The second block of a family is `residual_2`, a family of its own as its class `Residual2` is, so
    that the graph emits the same source as its dump: copies of a model find their classes by it.
    """
    names = Names(first_number=2)
    keys: dict[str, str] = {}
    known: dict[Hashable, str] = {}
    found: dict[str, ir.Block] = {}
    for key, block in blocks.items():
        named = replace(block, nodes=with_keys(block.nodes, keys))
        content = content_key(named)
        if content not in known:
            name = known[content] = names.unique(block.family)
            found[name] = replace(named, family=name)
        keys[key] = known[content]
    return keys, found


class DeclaredBody(NamedTuple):
    """The nodes and outputs of a graph or block, the blocks that they use, inner ones first, and the
    outer calls that these share."""

    inputs: tuple[ir.Input | ir.BlockInput, ...]
    nodes: tuple[ir.Node, ...]
    outputs: tuple[ir.Output, ...]
    blocks: Mapping[str, ir.Block]
    names: Mapping[Record, str]
    borrowed: Mapping[str, Record]


def declare_body(
    outputs: Sequence[BodyOutput],
    inputs: Iterable[Record],
    trace: Trace | None,
    span: Span,
) -> DeclaredBody:
    """Return the body with all `inputs` and the nodes before the outputs."""
    records = _reachable([output.handle for output in outputs], inputs, trace, span)
    _check_called_once(records, trace)
    borrowed, shared = _lent(records, trace)
    owners = {record: _stand_in(record, records) for record in shared}
    names = _names(records, list(owners.values()))
    firsts: dict[int, Record] = {}
    blocks: dict[str, ir.Block] = {}
    nodes = []
    joined = calls_as_one(records, names)
    as_written = rewriter_as_written(trace)
    for record in records:
        first = record
        if record.layer is not None:
            first = firsts.setdefault(id(record.layer.uses), record)
        blocks |= joined[first].blocks if first in joined else record.blocks
        if record.layer is not None:
            nodes.append(_node(record, first, names, as_written, trace, joined.get(record)))
        elif isinstance(record.made, TypedNode):  # of an existing graph
            nodes.append(record.made.declared)
    found = DeclaredBody(
        tuple(
            record.made.declared
            for record in records
            if isinstance(record.made, Given | GivenGroup)
        ),
        tuple(nodes),
        tuple(_output(output, names, span) for output in outputs),
        _with_names(blocks, {record: names[owner] for record, owner in owners.items()}),
        names,
        borrowed,
    )
    _check_graphs(records, span)
    if len({*names.values()}) < len(names):
        report = Report()
        unique(found.inputs, found.nodes, report, f"{trace.family}." if trace else "")
        raise_faults(report, span)
    return found


def _check_graphs(records: Iterable[Record], span: Span) -> None:
    """Raise an error for a name that both a part of an existing graph and another handle have."""
    if not [record for record in records if record.graph]:
        return
    known: dict[str, Record] = {}
    for record in records:
        first = known.setdefault(record.name or "", record)
        if first is record or not record.name or not (first.graph or record.graph):
            continue
        graph = first.graph or record.graph
        if first.graph and record.graph:
            message = f"two graphs have a part {record.name}: {first.graph} and {record.graph}"
            help = f'rename one of them, graph.rename("{record.name}", ...), or call one graph as a layer'
        elif isinstance(record.made, TypedNode):
            message = f"{record.name} is the name of a new node, and of a node of {graph}"
            help = "give the new one another name"
        else:
            message = f"there are two inputs {record.name}: the handle, and that of {graph}"
            help = (
                f'take it from the graph, graph["{record.name}"], or give the new one another name'
            )
        raise spec_error("duplicate-name", message, span, help)


def _reachable(
    outputs: Iterable[Reference], inputs: Iterable[Record], trace: Trace | None, span: Span
) -> list[Record]:
    """Return every record that the outputs depend on, in the order of calls, with the calls that blocks
    share."""
    found = set(inputs)
    stack = [reference.record for reference in outputs]
    while stack:
        while stack:
            record = stack.pop()
            if record not in found:
                found.add(record)
                stack += [source.record for _, source in record.sources]
                stack += record.needs
        _, shared = _lent(found, trace)
        shared = [_stand_in(record, found) for record in shared]
        _check_inputs_known(shared, found, span)
        stack = [record for record in shared if record not in found]
    return sorted(found, key=lambda record: record.number)


def _names(records: list[Record], shared: list[Record]) -> dict[Record, str]:
    """Return the name of each record: the user's, or a new one that is not taken; of those that blocks
    share, one that no node of these blocks has."""
    taken = {record.name for record in records if record.name}
    sharing = (record for record in records if record.borrowed)
    inner = [block for record in sharing for block in record.blocks.values()]
    found = _names_of_shared(shared, inner, taken)
    names = Names({*taken, *found.values()})
    return {r: found.get(r) or r.name or names.unique(r.stem) for r in records}


def _node(
    record: Record,
    first: Record,
    names: Mapping[Record, str],
    as_written: Rewriter,
    trace: Trace | None,
    joined: OneBlock | None,
) -> ir.Node:
    """Declare one call; a later call of the same layer shares the module of the first.

    The calls that share it may be `joined` in a block that has the inputs of all of them.
    """
    span = record.span
    sources = tuple(
        [
            ir.Source(names[source.record], source.port, span, key, span if key else None)
            for key, source in record.sources
        ]
    )
    if record is not first:
        return ir.Node(names[record], span, share(record.layer, names[first], span), sources)
    assert record.layer is not None
    first_call = record.layer.uses[trace]  # the layer may be used in other graphs as well
    assert isinstance(first_call, Record)
    if first_call is not record and not _is_share(record):
        first_call = record  # which may leave out other inputs than the call of another graph
    if first_call.lender is not None:
        shared = share(record.layer, placeholder(first_call.lender), span)
        return ir.Node(names[record], span, shared, sources)
    assert isinstance(first_call.made, TypedNode)
    declared = joined.declared if joined else first_call.made.declared
    declared = as_written.node(declared)
    return ir.Node(
        *(names[record], span, declared.operation, sources, declared.take, declared.freeze),
        over=declared.over,
        training=declared.training,
    )


def _is_share(record: Record) -> bool:
    """Return whether a call was typed as a further call of its layer."""
    made = record.made
    return not isinstance(made, TypedNode) or isinstance(made.declared.applied, Share)


def _output(output: BodyOutput, names: Mapping[Record, str], span: Span) -> ir.Output:
    node = names[output.handle.record]
    source = ir.Source(node, output.handle.port, span)
    moved = None if output.batch_dim is None else Option(output.batch_dim, span, span)
    return ir.Output(
        *(output.name or node, source, span, output.training_only, output.doc), batch_dim=moved
    )


# Find the calls that blocks share from this body, and name them.


def _lent(records: Iterable[Record], trace: Trace | None) -> tuple[dict[str, Record], list[Record]]:
    """Return the outer calls that these records share, by placeholder, and of all shared calls those
    that are made in this body."""
    every: dict[str, Record] = {}
    for record in records:
        every |= record.borrowed
    outer = {name: one for name, one in every.items() if one.trace is not trace}
    return outer, [one for one in every.values() if one.trace is trace and not has_blocks(one)]


def _stand_in(record: Record, records: Iterable[Record]) -> Record:
    """Return the first of these calls of the layer of a shared call: the layer may have been called in
    another graph before."""
    assert record.layer is not None
    uses = record.layer.uses
    alike = (one for one in records if one.layer is not None and one.layer.uses is uses)
    return next(alike, record)


def _check_called_once(records: Sequence[Record], trace: Trace | None) -> None:
    """Raise an error for a block that is called in this body and in a block inside it: it would be two
    modules."""
    users = {one: record for record in records for one in record.borrowed.values()}
    for one, user in users.items():
        if one.trace is not trace or not has_blocks(one):
            continue
        here = _stand_in(one, records)
        if here in records:
            message = (
                f"{here.label} is called inside {user.label} too, where it would be another module"
            )
            help = (
                "call it only outside, and give the block its result; or make another for the block"
            )
            raise spec_error("bad-option", message, here.span, help)


def _check_inputs_known(shared: Iterable[Record], found: set[Record], span: Span) -> None:
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


def _names_of_shared(
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


def _with_names(blocks: Mapping[str, ir.Block], names: Mapping[Record, str]) -> dict[str, ir.Block]:
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


# Let calls of one block function share a module though some of them leave an input out.
#
# The function ran with the input for one call and with None for another. They share a module if
# the block of the first call, used without the input, has the nodes that the second run declared.


class OneBlock(NamedTuple):
    """The node of the call that gives the most inputs, and the blocks that it uses; others use the
    same without some of its inputs."""

    declared: ir.Node
    blocks: Mapping[str, ir.Block]


def calls_as_one(records: Iterable[Record], names: Mapping[Record, str]) -> dict[Record, OneBlock]:
    """Return what to declare for the first of the calls that share a module and leave out different
    inputs of a function; raise an error if one forward cannot serve them."""
    groups: dict[int, list[Record]] = {}
    for record in records:
        if record.layer is not None and record.layer.optional:
            groups.setdefault(id(record.layer.uses), []).append(record)
    # a graph, or a block of a spec, declares one block for all calls
    mixed = (group for group in groups.values() if len({(*one.blocks,) for one in group}) > 1)
    return {group[0]: _as_one(group, names) for group in mixed}


def _as_one(group: list[Record], names: Mapping[Record, str]) -> OneBlock:
    """Return what to declare for calls that leave out different inputs."""
    fullest = max(group, key=lambda one: len(optional_given(one.layer, one.sources)))
    given = optional_given(fullest.layer, fullest.sources)
    left_out = given - set[str]().intersection(*(_given(one) for one in group))
    declared, key = fullest.made.declared, [*fullest.blocks][-1]
    assert isinstance(declared, ir.Node)
    whole = fullest.blocks[key]
    inputs = tuple(replace(i, optional=i.optional or i.name in left_out) for i in whole.inputs)
    found = OneBlock(declared, {**fullest.blocks, key: replace(whole, inputs=inputs)})
    for record in group:
        if [*record.blocks] != [*fullest.blocks] and not _fits(found, record, names):
            raise _refusal(fullest, record, names)
    return found


def _given(record: Record) -> set[str]:
    return {*optional_given(record.layer, record.sources)}


def _fits(one: OneBlock, record: Record, names: Mapping[Record, str]) -> bool:
    """Return whether the block without the inputs that a call leaves out is the one that the function
    declared for that call."""
    typed, span, report = record.made, record.span, Report()
    if not isinstance(typed, TypedNode) or not isinstance(one.declared.operation, Call):
        return False
    sources = tuple(
        ir.Source(names[source.record], source.port, span, key, span if key else None)
        for key, source in record.sources
    )
    node = replace(one.declared, name=typed.name, sources=sources)
    made = {names[source.record]: source.record.made for _, source in record.sources}
    found = infer_node(node, made, report, one.blocks)
    return found is not None and not report.diagnostics and have_same_nodes(found.typed, typed)


def _refusal(fullest: Record, record: Record, names: Mapping[Record, str]) -> Exception:
    """Return the error for calls that need different forwards."""
    odd = min(_given(fullest) ^ _given(record))
    calls = (fullest, record) if odd in _given(fullest) else (record, fullest)
    given, without = (names[one] for one in calls)
    message = f"{given} is called with {odd} and {without} without it, and the function declares"
    message += " other nodes then, so they cannot share weights"
    help = f"call a block of its own: {record.layer!r}(...)"
    return spec_error("wrong-arity", message, record.span, help)
