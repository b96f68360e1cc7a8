"""The shape pass: types every node of a graph in running order, and a block once a distinct use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

from mimgraph.diagnostics import Label, Report
from mimgraph.infer.advice.unknown_names import Elsewhere, Names
from mimgraph.infer.declared import check_blocks, check_nodes_text, input_types, params
from mimgraph.infer.named_ops import choose
from mimgraph.infer.nodes.apply import Expansion, apply_op, finish
from mimgraph.infer.nodes.block_use import (
    Times,
    bind_pattern,
    block_params,
    columns_of,
    default_params,
    find_block,
    given_params,
    origins_of,
    repeats,
)
from mimgraph.infer.nodes.each import by_port, given, is_given_twice
from mimgraph.infer.nodes.optional import (
    check_handed_on,
    check_inputs,
    check_item,
    check_output,
    conditional,
    handed_on,
    left_out,
    missing_from,
    settled,
    unconditional,
)
from mimgraph.infer.nodes.sharing import check_shared, missing_in_shares, owner, sharing
from mimgraph.infer.nodes.sources import (
    ask_for_port,
    ask_item_for_port,
    feed,
    item_label,
    item_taking,
    known_types,
    match,
    resolve,
    unknown_port,
)
from mimgraph.infer.options import Origins, compute, has_faulty, layered
from mimgraph.infer.scope import Context, Fed, Site, State
from mimgraph.infer.structure import check_scope, scope_of
from mimgraph.ir.dim import Size
from mimgraph.ir.expression import identity, plain
from mimgraph.ir.graph import (
    FAULTY,
    OTHERS,
    Apply,
    Block,
    Call,
    Chain,
    Each,
    Graph,
    Node,
    Output,
    Repeat,
    Share,
    Source,
    Take,
)
from mimgraph.ir.presence import ALWAYS, Presence
from mimgraph.ir.typed import (
    Body,
    Leaf,
    Repeated,
    Sequence,
    Shared,
    TypedGraph,
    TypedNode,
    TypedOperation,
    Use,
    Value,
    results_of,
)
from mimgraph.ir.typed import Each as TypedEach
from mimgraph.ir.types import DTYPES, TensorType, strongest
from mimgraph.ops import registry


def infer(graph: Graph, report: Report) -> TypedGraph | None:
    """Check the whole graph and type it; None, with every fault in the report, if it is wrong."""
    before = len(report.diagnostics)
    state = State({}, report)
    state.params = params(state, graph.params)
    graph = choose(graph, state.params, report)
    state.blocks = graph.blocks
    names = Names(graph)
    check_blocks(state, names)
    if report.diagnostics and not (graph.inputs and graph.nodes):
        # unread, so no source can be resolved: tell what the text of the nodes alone says
        check_nodes_text(state, graph.nodes, {**state.params, OTHERS: FAULTY}, "")
        return None
    scope = check_scope(
        *(graph.inputs, graph.nodes, graph.outputs, report),
        elsewhere=Elsewhere(names),
        lost=graph.lost,
    )
    types, sizes = input_types(state, graph.inputs)
    optional = frozenset(one.name for one in graph.inputs if one.optional)
    always = check_inputs(state, graph.inputs)
    context = Context({**state.params, **sizes}, types, scope, "", optional=optional)
    found = _type_nodes(state, context, graph.outputs)
    _check_outputs(state, graph.outputs, found)
    for fed in found.values() if always else ():
        check_output(state, fed)
    outputs = _outputs(found)
    if len(report.diagnostics) > before or outputs is None:
        report.drop_spoken_of()
        return None
    training = frozenset(output.name for output in graph.outputs if output.only_training)
    body = Body(
        *("", state.params, {}, {}, _known(types), *_typed(context), *outputs),
        doc=graph.doc,
        optional=optional,
        training=training,
    )
    docs = {declared.name: declared.doc for declared in graph.inputs if declared.doc}
    output_docs = {output.name: output.doc for output in graph.outputs if output.doc}
    return TypedGraph(graph.name, body, docs, output_docs, strongest(state.constraints))


def _check_outputs(state: State, outputs: Iterable[Output], found: Mapping[str, Fed]) -> None:
    """The state that recurrent layers hand on is no tensor, so no output; an output is always there,
    one of them in eval too."""
    declared = tuple(outputs)
    if declared and all(output.only_training for output in declared):
        message = "every output is for training only, so the model returns nothing in eval"
        help = "leave only: training out of one of them"
        state.fault("bad-option", message, declared[0].span, help=help)
    for fed in found.values():
        if fed.type is not None and fed.type.dtype not in DTYPES:
            help = "name its ports hidden and, of an LSTM, cell: those are tensors"
            message = f"{fed.text} is a recurrent state, and an output must be a tensor"
            state.fault("dtype-mismatch", message, fed.source.span, help=help)


# bodies


def _type_nodes(state: State, context: Context, outputs: Iterable[Output]) -> dict[str, Fed]:
    """Type every node of a body in running order; its outputs, resolved."""
    for node in context.scope.order:
        context.typed[node.name] = type_node(state, context, node)
        state.count(1, node.span)
    # nodes on a cycle, and what they feed, have no types: tell what their text alone says
    if len(context.typed) < len(context.scope.nodes):
        beyond = [n for name, n in context.scope.nodes.items() if name not in context.typed]
        check_nodes_text(state, beyond, context.env, context.path)
    if shares := sharing(context):
        check_shared(state, context, shares)
        for name, optional in missing_in_shares(
            context, shares
        ).items():  # the body that all of them run
            context.typed[name] = type_node(state, context, context.scope.nodes[name], optional)
    return {o.name: resolve(state, context, o.source, "") for o in outputs}


def _outputs(found: Mapping[str, Fed]) -> tuple[dict[str, Value], Mapping[str, TensorType]] | None:
    """The values of a body's outputs, and the types of its results, if they are all known."""
    types = known_types(found)
    if types is None:
        return None
    values = {name: fed.value for name, fed in found.items()}
    return values, results_of(types)


def _typed(context: Context) -> tuple[tuple[TypedNode, ...], tuple[TypedNode, ...]]:
    """The typed nodes as written, and as they run."""
    typed = context.typed
    running = tuple([node for node in typed.values() if node is not None])
    if list(typed) == list(context.scope.nodes):
        return running, running
    written = (typed.get(name) for name in context.scope.nodes)
    return tuple([node for node in written if node is not None]), running


def _known(types: Mapping[str, TensorType | None]) -> dict[str, TensorType]:
    return {name: type_ for name, type_ in types.items() if type_ is not None}


# nodes


def type_node(
    state: State, context: Context, node: Node, optional: frozenset[str] = frozenset()
) -> TypedNode | None:
    """One node typed, its block to go without these inputs too; None where something is faulty or
    unknown."""
    path = context.path + node.name
    fed = None if node.sources is None else feed(state, context, node.sources, path)
    if isinstance(node.operation, Each):
        return _each(state, context, node, node.operation, fed or ())
    return _node(state, context, node, fed, path, optional)


def _node(
    state: State,
    context: Context,
    node: Node,
    fed: tuple[Fed, ...] | None,
    path: str,
    optional: frozenset[str] = frozenset(),
) -> TypedNode | None:
    """A node fed so, its module its own or shared."""
    owned = owner(state, context, node, path)
    if owned is None or owned.declared.operation is None:
        return None
    if context.typed.get(owned.name, owned) is None:  # what it shares is faulty
        return None
    site = Site(context, node, path, fed, owned.declared.take, optional)
    typed = _operation(state, site, owned.declared)
    if fed is None:
        _missing_from(state, site, owned.declared)
    if typed is not None and not (fed and unconditional(fed)):
        typed = settled(state, site, typed)
        if typed is not None and any(one.presence != ALWAYS for one in fed or ()):
            typed = _with_less(state, site, owned.declared, typed)
    if typed is None or owned.declared is node:
        return typed
    shared = Shared(owned.name, typed.operation, owned.item)
    return replace(typed, name=node.name, operation=shared, declared=node)


def _with_less(state: State, site: Site, node: Node, typed: TypedNode) -> TypedNode | None:
    """The node also as it is without the masks, lengths and states that may be missing."""
    if not isinstance(typed.operation, Leaf):
        return typed
    by_value = {one.value: one for one in site.fed or ()}
    fed = {key: by_value[value] for key, value in typed.arguments.items()}
    named = {
        key: one._replace(source=one.source._replace(argument=key if len(fed) > 1 else None))
        for key, one in fed.items()
    }
    at_times: dict[Presence, set[str]] = {}
    for key in conditional(typed, fed):
        at_times.setdefault(fed[key].presence, set()).add(key)
    without: dict[frozenset[str], TypedNode] = {}
    for size in range(1, len(at_times) + 1):
        for groups in combinations(at_times.values(), size):
            gone = frozenset().union(*groups)
            rest = tuple(one for key, one in named.items() if key not in gone)
            less = _operation(state, site._replace(fed=rest), node)
            if less is None:
                return None
            without[gone] = less
    return replace(typed, without=without)


def _each(
    state: State, context: Context, node: Node, each: Each, fed: tuple[Fed, ...]
) -> TypedNode | None:
    """One operation on every source: an item for each, which gives the port of its name."""
    path = context.path + node.name
    if not fed:
        help = "write each: [...], a list of inputs and nodes"
        state.fault("wrong-arity", f"{node.name} needs a source", node.span, path, help=help)
        return None
    sources = by_port(state, fed, path)
    columns = columns_of(state, context, each.options, len(fed), path, "source")
    if is_given_twice(state, each, path) or sources is None or columns is None:
        return None
    items = []
    for position, (port, one) in enumerate(sources.items()):
        operation = given(each, columns, position)
        if isinstance(operation, Share) and operation.item is None:
            target = context.scope.nodes.get(operation.target)
            if target is not None and isinstance(target.operation, Each):
                operation = replace(operation, item=port)
        item = Node(port, node.span, operation, (one.source,), node.take)
        typed = _node(state, context, item, (one,), f"{path}.{port}")
        if typed is not None and typed.type is None:
            ports = tuple(typed.results)
            help = f"choose one of the ports {', '.join(ports)}: take: {ports[0]}"
            ask_for_port(state, node.name, node.span, ports, path, help)
            return None
        items.append(typed)
    state.count(len(items), node.span)
    whole = [item for item in items if item is not None]
    if len(whole) < len(items):
        return None
    arguments = {item.name: next(iter(item.arguments.values())) for item in whole}
    results = {item.name: item.type for item in whole if item.type is not None}
    return TypedNode(
        node.name,
        TypedEach(tuple(whole)),
        arguments,
        results,
        None,
        node,
        presences={item.name: item.presence_of(item.default or "") for item in whole},
        is_own=all(item.is_own for item in whole),
    )


def _operation(state: State, site: Site, node: Node) -> TypedNode | None:
    """What `node` does, done at the site."""
    operation = node.operation
    if isinstance(operation, Apply):
        applied = apply_op(state, site, operation)
        if isinstance(applied, Expansion):
            return _expanded(state, site, operation, applied)
        return applied
    if isinstance(operation, Chain):
        return _chain(state, site, operation)
    return _call(state, site, operation) if isinstance(operation, Call) else None


def _missing_from(state: State, site: Site, node: Node) -> None:
    """Report that `from` is missing, unless an unknown option may be it, or there are no sources."""
    operation = node.operation
    if isinstance(operation, Apply) and operation.kind == "tensor":
        return  # a tensor of the model itself
    if isinstance(operation, Apply):
        bound = state.bound.get(operation)
        if bound is None or bound.faulty:
            return
    if isinstance(operation, Call) and not state.calls.get(operation, False):
        return
    help = "write from: NAME, an input or a node; only the items of a seq need none"
    name = site.node.name
    state.fault("missing-key", f"{name} needs from", site.node.span, site.path, help=help)


# chains


def _chain(state: State, site: Site, chain: Chain) -> TypedNode | None:
    """Items in a row: an unknown type silences the rest, but their options are checked."""
    matched = match(state, site, "seq", ("input",), frozenset())
    first = matched["input"] if matched else None
    value, type_ = (first.value, first.type) if first else (Value("", ""), None)
    text, producer = (first.text, first.producer) if first else ("", site.node.span)
    state.count(max(len(chain.items) - 1, 0), site.node.span)  # beside the node itself
    items: list[TypedNode] = []
    for item in chain.items:
        path = f"{site.path}.{item.name}" if site.path else item.name
        # the item's name stands for its source
        source = Source(text, None, item.span)
        fed = None if type_ is None else (Fed(value, type_, source, producer),)
        typed = _operation(state, Site(site.context, item, path, fed, item.take), item)
        type_ = None
        if typed is None:
            continue
        items.append(typed)
        if not check_item(state, item, path, typed):
            return None
        type_ = typed.type
        if type_ is None:
            ask_item_for_port(state, item, tuple(typed.results), path)
            return None
        value, text, producer = Value(item.name, typed.default or ""), item.name, item.span
    if first is None or first.type is None or len(items) < len(chain.items):
        return None
    if site.take is not None:
        _taken_from_seq(state, site, site.take, items)
        return None
    last = items[-1].type if items else first.type
    results = {} if last is None else {"": last}
    return TypedNode(
        site.node.name, Sequence(tuple(items)), {"input": first.value}, results, "", site.node
    )


def _taken_from_seq(state: State, site: Site, take: Take, items: list[TypedNode]) -> None:
    """Report `take` on a node with `seq`, which has one result; the user may mean the last item's."""
    if items and take.port in items[-1].results:
        message = f"{site.node.name} has no port {take.port!r}"
        help = f"take it in the last item: {item_taking(items[-1].declared, take.port)}"
        state.fault("unknown-port", message, take.span, site.path, help=help)
        return
    unknown_port(state, site.node.name, take.port, take.span, (), site.path, True)


# blocks


def _call(state: State, site: Site, call: Call) -> TypedNode | None:
    """A use of a block, once or repeated."""
    block = find_block(state, call, site.node.span, site.path)
    if block is None:
        return None
    arguments = {
        name: compute(option.value, site.context.env, state.report, site.path)
        for name, option in given_params(call, block).items()
    }
    once = Times([{}], 1)
    times = repeats(state, site.context, call.repeat, site.path) if call.repeat else once
    keys = tuple(declared.name for declared in block.inputs)
    fed = match(state, site, block.family, keys, frozenset())
    faulty = has_faulty(arguments.values()) or call.block in state.recursive
    if fed is None or times is None or faulty or known_types(fed) is None:
        return None
    operation: TypedOperation
    if call.repeat is None:
        body = _use(state, site, call, block, arguments, fed)
        if body is None:
            return None
        operation, results = Use(body, arguments), body.results
    else:
        times = Times([{**arguments, **one} for one in times.given], times.number)
        repeated = _repeat(state, site, call, call.repeat, block, times, fed)
        if repeated is None:
            return None
        operation, results = repeated
    return _called(state, site, operation, results, fed)


def _expanded(state: State, site: Site, apply: Apply, expansion: Expansion) -> TypedNode | None:
    """A merge that is a block of other ops: typed as a use of it, its faults told at the node."""
    block, options, fed, activation = expansion
    inputs = dict(zip((declared.name for declared in block.inputs), fed.values(), strict=True))
    types = _known({name: one.type for name, one in inputs.items()})
    op = registry.find(apply.kind, apply.name)
    assert op is not None
    optional = site.optional | missing_from(op, inputs, options.get("missing") == "skip")
    given = {name: plain(value) for name, value in options.items()}
    pasts = tuple([type_.past for type_ in types.values()])
    key = (apply.name, identity(given), tuple(types.items()), pasts, optional)
    if key not in state.bodies:
        state.bodies[key] = _builtin_body(state, site, block, given, types, optional)
    body, nodes = state.bodies[key]
    state.count(nodes, site.node.span)
    if body is None:
        return None
    results = body.results
    default = "" if "" in results else None
    done = finish(state, site, apply.name, activation, results, default)
    if done is None:
        return None
    use = Use(body, options, apply.name, done.activation, done.activation_name)
    arguments = {name: one.value for name, one in inputs.items()}
    return TypedNode(site.node.name, use, arguments, done.results, done.default, site.node)


def _builtin_body(
    state: State,
    site: Site,
    block: Block,
    given: Mapping[str, Any],
    types: Mapping[str, TensorType],
    optional: frozenset[str],
) -> tuple[Body | None, int]:
    """The inside of a catalogue's block and the number of its nodes; what is wrong in it is wrong
    with the node that uses it."""
    inside = State(block.inner, Report(), state.params)
    check_blocks(inside)
    context = Context(given, types, scope_of(block), f"{block.family}.", optional=optional)
    outputs = _outputs(_type_nodes(inside, context, block.outputs))
    state.require(inside.constraints)
    for fault in inside.report.diagnostics[:1]:
        labels = tuple(
            Label(fed.producer, str(fed.type)) for fed in site.fed or () if fed.type is not None
        )
        state.fault(fault.code, fault.message, site.node.span, site.path, labels=labels)
    if outputs is None:
        return None, 0
    body = Body(
        *(block.family, given, {}, {}, types, *_typed(context), *outputs),
        doc=block.doc,
        optional=optional,
    )
    return body, inside.expanded


def _called(
    state: State,
    site: Site,
    operation: TypedOperation,
    results: Mapping[str, TensorType],
    fed: Mapping[str, Fed],
) -> TypedNode | None:
    """The typed node of a use; of several results only `take` makes one the default."""
    name = item_label(site.node) if site.node.sources == () else site.node.name
    done = finish(state, site, name, None, results, "" if "" in results else None)
    if done is None:
        return None
    arguments = {key: one.value for key, one in fed.items()}
    return TypedNode(site.node.name, operation, arguments, done.results, done.default, site.node)


def _repeat(
    state: State,
    site: Site,
    call: Call,
    repeat: Repeat,
    block: Block,
    times: Times,
    fed: Mapping[str, Fed],
) -> tuple[Repeated, Mapping[str, TensorType]] | None:
    """In a row: one output threads into the first input, several into the inputs of their names."""
    inputs, names = [i.name for i in block.inputs], [o.name for o in block.outputs]
    ports = (
        dict.fromkeys(inputs[:1], "") if len(names) == 1 else {n: n for n in names if n in inputs}
    )
    current = dict(fed)
    bodies: list[Body] = []
    results: Mapping[str, TensorType] = _known({p: fed[name].type for name, p in ports.items()})
    whole = fed[inputs[0]].presence
    for time, arguments in enumerate(times.given):
        body = _use(state, site, call, block, arguments, current, time)
        if body is None:
            return None
        bodies.append(body)
        results = body.results
        presences = handed_on(body, whole, {key: one.presence for key, one in current.items()})
        for name, port in ports.items():
            before, presence = current[name], presences[port or names[0]]
            if repeat.shared and not _same(before.type, results[port]):
                message = (
                    "a shared repeat needs equal shapes in and out:"
                    f" {before.type} gives {results[port]}"
                )
                help = "leave shared: true out, and each repeat has weights of its own"
                state.fault("shape-mismatch", message, repeat.span, site.path, help=help)
                return None
            if (repeat.shared or name == inputs[0]) and not check_handed_on(
                state, site, repeat.span, before, presence, repeat.shared
            ):
                return None
            current[name] = before._replace(type=results[port], presence=presence)
    given = tuple(times.given)
    repeated = Repeated(
        tuple(bodies), given, repeat.shared, tuple(ports), times.number, block.family
    )
    return repeated, results


def _same(one: TensorType | None, other: TensorType) -> bool:
    """Equal types, whatever the vocabulary."""
    return one is not None and one.cast(one.dtype) == other.cast(other.dtype)


def _use(
    state: State,
    site: Site,
    call: Call,
    block: Block,
    arguments: Mapping[str, Any],
    fed: Mapping[str, Fed],
    time: int = 0,
) -> Body | None:
    """Return the body of a block for these params and input types, inferred once for equal ones;
    `time` counts the times of a repeat."""
    state.write(4 * len(block.params), site.node.span)
    given = block_params(state, block, {n: plain(value) for n, value in arguments.items()})
    dims = bind_pattern(state, block, fed, given, site.path)
    if dims is None:
        return None
    types = known_types(fed)
    assert types is not None
    optional = left_out(fed) | site.optional
    pasts = tuple([type_.past for type_ in types.values()])  # equal types may differ in it
    key = (call.block, *map(identity, given.values()), tuple(types.values()), pasts, optional)
    if key in state.bodies:
        body, nodes = state.bodies[key]
        state.count(nodes, site.node.span)
        return body
    before = state.expanded
    label = Label(call.span, f"used here as {site.node.name}" if site.node.name else "used here")
    state.enter(call.span)
    origins = origins_of(site.context, call, block, time)
    body = _body(state, call.block, block, given, types, dims, label, optional, origins)
    state.depth -= 1
    state.bodies[key] = body, state.expanded - before
    return body


def _body(
    state: State,
    key: str,
    block: Block,
    given: Mapping[str, Any],
    types: Mapping[str, TensorType],
    dims: Mapping[str, Size],
    use: Label,
    optional: frozenset[str],
    origins: Origins,
) -> Body | None:
    """The inside of a block typed for one distinct use."""
    # a chain's one node has no name, so the items' paths start with the block's
    path = block.family if block.is_chain else f"{block.family}."
    env = layered(dims, given, state.params)
    context = Context(
        env, types, state.scopes[key], path, (use,), optional=optional, origins=origins
    )
    outputs = _outputs(_type_nodes(state, context, block.outputs))
    if outputs is None:
        return None
    defaults = default_params(state, key, block)
    typed = _typed(context)
    return Body(
        *(block.family, given, defaults, dims, types, *typed, *outputs),
        block.is_chain,
        block.doc,
        optional,
    )
