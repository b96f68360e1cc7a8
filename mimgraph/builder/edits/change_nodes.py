"""Replace, insert, rewire and remove nodes, and cut a graph off at some of its results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from mimgraph.builder.block_call import BlockCall, ScanCall
from mimgraph.builder.declare_layer import declare_apply
from mimgraph.builder.edits.edit import (
    Edit,
    EditedGraph,
    Place,
    Scope,
    check_one_result,
    find,
    unknown_name,
    used_blocks,
)
from mimgraph.builder.names import Names, check_name
from mimgraph.builder.records import CallContext
from mimgraph.builder.sequential import HasLayer, Sequential, item_help
from mimgraph.builder.trace import as_written
from mimgraph.builder.user_line import raise_at_call
from mimgraph.diagnostics import Report, SpecError
from mimgraph.infer.declared import params
from mimgraph.infer.evaluation import in_block, in_nodes
from mimgraph.infer.graph import Given, GivenGroup, Made
from mimgraph.infer.rewrites import choose
from mimgraph.infer.structure import needed_for, outer_shares, shared_around, shared_by
from mimgraph.ir.declared_graph import (
    AppliedOperation,
    Apply,
    BlockInput,
    Call,
    Chain,
    Each,
    Graph,
    Input,
    Node,
    Output,
    Source,
)
from mimgraph.ir.declared_values import Option
from mimgraph.ir.names import free_name
from mimgraph.ir.rewrite import Rewriter
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ops import registry
from mimgraph.ops.layer_call import LayerCall, is_source
from mimgraph.support.arguments import as_names, as_texts, shown


def replace_node(graph: Graph, typed: TypedGraph, path: object, layer: object) -> EditedGraph:
    """Return the graph with another layer or merge in place of the one at the path."""
    edit, new = Edit(graph, typed), as_layer(layer)
    place = find(edit, path)
    node = place.node
    scope = place.scope.with_node(node.name, *replaced(edit, place.scope, node, new))
    return edit.changed(place.around, scope)


def replaced(edit: Edit, scope: Scope, node: Node, layer: Layer) -> tuple[Node, ...]:
    """Return the node with another layer; for an item of a seq, several if the layer is a `Sequential`.

    It keeps its name and sources, and `take` and `over` unless the layer has its own; the weights of
    the layer are new, so it is frozen only if it says so.
    """
    sources = input_of_item(scope, node.name) if scope.is_seq else node.sources
    if not sources:
        message = f"{scope.path}{node.name} has no source, and {layer.label} needs one"
        raise edit.fault("wrong-arity", message, "build the graph again for another tensor")
    if node.has_branches:
        sources = (sources[0]._replace(argument=None, argument_span=None),)
    new = declare(edit, scope, node.name, _looped(edit, node, layer), sources)
    words = layer.keywords
    changed = replace(
        node,
        operation=_operation(edit, node, new),
        sources=node.sources if scope.is_seq or node.has_branches else new.sources,
        take=new.take if "take" in words else node.take,
        over=new.over if "over" in words else node.over,
        freeze=new.freeze,
        training=new.training,
        span=edit.span,
        whole=None,
    )
    changed = with_named_value(edit, changed)
    return tuple(in_seq(edit, changed)) if scope.is_seq else (changed,)


def in_seq(edit: Edit, item: Node) -> Iterator[Node]:
    """Yield an item of a seq; the items of a `Sequential` become items of the seq around it."""
    if not isinstance(item.operation, Chain):
        yield item
        return
    words = item.take, item.over, item.freeze or None, item.training
    if any(word is not None for word in words):
        message = "a Sequential in a Sequential becomes items of it, and cannot have options"
        raise edit.fault("bad-option", message, "give take, over, freeze, ... to its items")
    for inner in item.operation.items:
        yield replace(inner, sources=item.sources)


def _looped(edit: Edit, node: Node, layer: Layer) -> Layer:
    """Return a block that takes the place of one in a scan as a scan."""
    old = node.applied
    if not isinstance(layer, BlockCall) or not isinstance(old, Call) or old.scan is None:
        return layer
    scan = old.scan
    axes = {name: edit.value(axis) for name, axis in scan.axes.items()}
    return ScanCall(layer, axes if scan.axis is None else edit.value(scan.axis), scan.carry)


def _operation(edit: Edit, node: Node, new: Node) -> AppliedOperation | Each | None:
    """Return the operation of the new node, applied to each source or step as the old one was."""
    operation, old, whole = new.applied, node.applied, node.operation
    if isinstance(operation, Call) and operation.scan is not None and isinstance(old, Call):
        operation = replace(operation, scan=old.scan)
    if operation is None or not isinstance(whole, Each):
        return operation
    return replace(whole, operation=operation, options=_kept_with(edit, whole, operation))


def _kept_with(edit: Edit, each: Each, operation: AppliedOperation) -> Mapping[str, Option]:
    """Return the options in `with` that the new operation has and does not give itself."""
    known: Mapping[str, object] = {}
    if isinstance(operation, Apply):
        op = registry.find(operation.kind, operation.name)
        known = {} if op is None else op.options
        first = op.lone_option if op is not None and operation.lone is not None else None
    elif isinstance(operation, Call):
        known = edit.made[operation.block].params
        first = next(iter(known), None) if operation.lone is not None else None
    else:
        first = None
    taken = {*operation.named, first}
    return {k: option for k, option in each.options.items() if k in known and k not in taken}


def with_named_value(edit: Edit, item: Node) -> Node:
    """Return an item as `Linear: {out_features: 64, activation: ReLU}`: a value is alone, or has a
    name."""
    apply = item.applied
    if not isinstance(apply, Apply) or apply.lone is None:
        return item
    has_words = item.take is not None or item.over is not None or item.freeze is not False
    if not (has_words or apply.options or apply.activation is not None):
        return item
    op = registry.find(apply.kind, edit.resolved(apply.name))
    if op is None or op.lone_option is None:  # which is a fault of its own
        return item
    options = {op.lone_option: apply.lone, **apply.options}
    return item.with_applied(replace(apply, options=options, lone=None))


def insert(
    graph: Graph, typed: TypedGraph, path: object, layer: object, name: object
) -> EditedGraph:
    """Return the graph with a layer on the result at the path, which all its readers read instead."""
    edit, new = Edit(graph, typed), as_layer(layer)
    place = find(edit, path, takes_results=True)
    if place.scope.is_seq:
        return edit.changed(place.around, _in_seq(edit, place, new, name))
    node_name = _name(edit, place.scope, new, name)
    scope, reads = place.scope, place.scope.reading(place.name, place.port)
    _check_readers(edit, place)
    result = Source(place.name, place.port, edit.span)
    added = declare(edit, scope, node_name, new, (result,))
    scope = scope.rewired(reads, Source(node_name, None, edit.span))
    before = [node.name for node in scope.nodes].index(place.name) + 1 if _is_node(place) else 0
    return edit.changed(
        place.around, scope.with_nodes((*scope.nodes[:before], added, *scope.nodes[before:]))
    )


def _is_node(place: Place) -> bool:
    return place.scope.find(place.name) is not None


def _in_seq(edit: Edit, place: Place, layer: Layer, name: object) -> Scope:
    """Return the seq with the layer as a new item after the one at the place."""
    if name is not None:
        help = "remove name: the name of an item is its position"
        raise edit.fault(
            "bad-name", f"{place.path} is an item of a Sequential, as the new one is", help
        )
    scope, item = place.scope, place.node
    source = Source(item.name, None, item.span)
    added = declare(edit, scope, str(int(item.name) + 1), layer, (source,))
    without_source = replace(added, sources=())
    return scope.with_node(item.name, item, *in_seq(edit, without_source))


def _name(edit: Edit, scope: Scope, layer: Layer, name: object) -> str:
    """Return the name of the new node: the user's, or a free one as Python gives."""
    everywhere = (edit.graph.nodes, *(block.nodes for block in edit.graph.blocks.values()))
    shares = (shared_by(node) for nodes in everywhere for node in nodes)
    # a node of such a name would hide the one outside that a block shares
    shared = {share.target for share in shares if share is not None}
    if name is None:
        return Names({*scope.names, *shared}).unique(layer.stem)
    check_name(name, edit.span)
    assert isinstance(name, str)
    if name in scope.names or (scope.path and name in shared):
        message = f"an input or node is called {name} already"
        raise edit.fault("duplicate-name", message, "give the new node another name")
    return name


def _check_readers(edit: Edit, place: Place) -> None:
    """Raise an error for a result that nothing reads, or that is read with others as `emb.*`."""
    scope, typed = place.scope, place.scope.typed.get(place.name)
    check_one_result(edit, place)
    reads = scope.reading(place.name, place.port)
    for source in scope.sources():
        is_group = source.name == place.name and source.port == "*"
        if is_group and (typed is None or "" not in typed.results):
            message = f"{source.text} reads all results of {place.path} together"
            help = "nothing can be inserted for one of them: name the sources one by one first"
            raise edit.fault("unknown-port", message, help, source.span)
    if not any(map(reads, scope.sources())):
        what = place.path if place.port is None else f"{place.path}.{place.port}"
        message = f"nothing reads {what}, so no layer fits between it and its readers"
        results = typed.results if typed is not None else {}
        read = [one.port for one in scope.sources() if one.name == place.name]
        help = "".join(repr(f"{place.path}.{port}") for port in read[:1] if port in results)
        raise edit.fault("unused-node", message, help and f"name the result that is read: {help}")


def rewire(graph: Graph, typed: TypedGraph, path: object, from_: object) -> EditedGraph:
    """Return the graph in which the node at the path reads these sources; what only the old ones needed
    is gone."""
    edit = Edit(graph, typed)
    place = find(edit, path)
    scope, node = place.scope, place.node
    if scope.is_seq:
        message = f"{place.path} is an item of a Sequential, which reads the item before it"
        raise edit.fault("unknown-source", message, f"rewire {scope.path[:-1]!r} as a whole")
    if isinstance(from_, Mapping):
        named = as_texts("from_", from_, '{"query": "text", "key": "image"}')
        sources = [_source(edit, scope, name, argument) for argument, name in named.items()]
    else:
        sources = [_source(edit, scope, name, None) for name in as_names("from_", from_)]
    changed = replace(node, sources=tuple(sources), span=edit.span, whole=None)
    scope = scope.with_node(node.name, changed)
    if not place.around:
        scope = needed_by(edit, scope, [output.source for output in scope.outputs])
    return edit.changed(place.around, scope)


def _source(edit: Edit, scope: Scope, text: str, argument: str | None) -> Source:
    """Return an input, node or port of the scope as a source."""
    name, _, port = text.partition(".")
    if name not in scope.names:
        raise unknown_name(edit, scope, name, takes_results=True)
    return Source(name, port or None, edit.span, argument)


def remove(graph: Graph, typed: TypedGraph, path: object) -> EditedGraph:
    """Return the graph without the node at the path; its readers read the source of the node."""
    edit = Edit(graph, typed)
    place = find(edit, path)
    scope, name = place.scope, place.name
    if scope.is_seq:
        if len(scope.nodes) == 1:
            message = f"{place.path} is the only item of its Sequential"
            raise edit.fault("missing-key", message, f"remove {scope.path[:-1]!r} as a whole")
        return edit.changed(place.around, scope.with_node(name))
    source = _sole_source(edit, place)
    _check_removable(edit, place)
    scope = scope.rewired(scope.reading(name, None), source).with_node(name)
    return edit.changed(place.around, scope)


def _sole_source(edit: Edit, place: Place) -> Source:
    """Return the one source of the node; raise an error if it has none or several."""
    sources = place.node.sources or ()
    read = {(source.name, source.port) for source in sources}
    if len(read) == 1 and sources[0].port != "*":
        return sources[0]
    if not read:
        message = f"{place.path} has no source that its readers could read in its place"
    else:
        texts = ", ".join(dict.fromkeys(source.text for source in sources))
        message = f"{place.path} has several sources: {texts}"
    help = f"replace it: graph.replace({place.path!r}, ...)"
    raise edit.fault("wrong-arity", message, help, place.node.span)


def _check_removable(edit: Edit, place: Place) -> None:
    """Raise an error for a reader of another result of the node, and for a node that shares its
    module."""
    scope, name = place.scope, place.name
    reads = scope.reading(name, None)
    for source in scope.sources():
        if source.name == name and not reads(source):
            message = f"{source.text} is read, and it would be gone"
            raise edit.fault("unknown-port", message, f"replace {place.path!r}", source.span)
    for node in scope.nodes:
        share = shared_by(node)
        if share is not None and share.target == name:
            message = f"{scope.path}{node.name} shares the module of {place.path}"
            help = f"replace or remove {scope.path}{node.name} first"
            raise edit.fault("unknown-source", message, help, share.span)
    outer = outer_shares(edit.graph.blocks, [node.name for node in scope.nodes])
    user = next((node for node in scope.nodes if name in shared_around(node, outer)), None)
    if user is not None:
        message = f"a block that {scope.path}{user.name} uses shares the module of {place.path}"
        raise edit.fault("unknown-source", message, f"replace {place.path!r}", user.span)


# Declare the layers and merges that an edit is given in Python.


NewLayer: TypeAlias = LayerCall | Sequential | BlockCall | HasLayer
Layer: TypeAlias = LayerCall | Sequential | BlockCall

# a size that is known only at run time is written as its expression, `$(2 * T)`
WRITTEN = Rewriter(option=lambda option: as_written(option, None))


def as_layer(given: object) -> Layer:
    """Return the argument as a layer or merge with its options; raise a `TypeError` for another."""
    if hasattr(given, "as_layer"):
        given = given.as_layer()
    if isinstance(given, Layer):
        return given
    wants = "an edit takes a layer or merge with its options, such as layers.GELU()"
    called = ': graph.rewire("joined", from_=["a", "b"]) gives a node other sources'
    help = called if is_source(given) else item_help(given)
    raise TypeError(f"{wants}, not {shown(given)}{help}")


def is_layer(given: object) -> bool:
    """Return whether the argument is a layer or merge with its options."""
    return isinstance(given, Layer) or hasattr(given, "as_layer")


def declare(edit: Edit, scope: Scope, name: str, layer: Layer, sources: tuple[Source, ...]) -> Node:
    """Return a node with a layer on these sources of the scope; the blocks that it uses are added to
    the edit."""
    fitted = _fitted(layer, sources)
    context = CallContext(name, scope.path, edit.span, fitted, {}, None)
    if isinstance(layer, LayerCall):
        if layer.option_sources:
            message = f"{layer.label} is given a source of another graph"
            raise edit.fault("unknown-source", message, "give only options: the sources stay")
        if scope.is_seq and layer.op.kind != "layer":
            message = f"{layer.label} is a {layer.op.kind}, and an item of a Sequential is a layer or block"
            help = f"replace the Sequential, {scope.path[:-1]!r}, as a whole"
            raise edit.fault("unknown-layer", message, help)
        apply = declare_apply(layer, edit.span, scope.is_seq)
        return WRITTEN.node(context.declare(apply, layer.keywords))
    made = {source.name: _made(edit, scope, name, source) for source in fitted}
    try:
        typed = layer.type_call(context._replace(made=made))
    except SpecError as error:  # at a source in the spec, or inside the function of a block
        raise_at_call(error.diagnostics, edit.span)
    if typed.borrowed:
        lent = next(iter(typed.borrowed.values()))
        message = f"{layer.label} shares {lent.label}, which is called outside of this graph"
        raise edit.fault("unknown-source", message, "make the layer inside the block")
    edit.made.update(typed.blocks)
    return WRITTEN.node(typed.node.declared)


def input_of_item(scope: Scope, item: str) -> tuple[Source, ...]:
    """Return the source of an item of a seq: the item before it."""
    before = str(int(item) - 1) if int(item) else "input"
    return (Source(before, None, scope.nodes[0].span),)


def _fitted(layer: Layer, sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Return the sources with their names if all are names of arguments of the layer, else by
    position."""
    if isinstance(layer, LayerCall) and layer.op.inputs.kind == "named":
        return sources
    known = layer.argument_names
    if all(source.argument is None or source.argument in known for source in sources):
        return sources
    return tuple([source._replace(argument=None, argument_span=None) for source in sources])


def _made(edit: Edit, scope: Scope, name: str, source: Source) -> Made:
    """Return an input or node that a block reads, with its type."""
    typed, type_ = scope.typed.get(source.name), scope.types.get(source.name)
    if typed is not None and not scope.is_seq:
        return typed
    if typed is not None:
        type_ = typed.type
    inputs = (one for one in scope.inputs if one.name == source.name)
    declared = next(inputs, None) or BlockInput(source.name, source.span)
    if type_ is not None:
        return Given(declared, type_)
    members = {k: one for k, one in scope.types.items() if k.startswith(f"{source.name}.")}
    if members and isinstance(declared, BlockInput):
        return GivenGroup(declared, {k.partition(".")[2]: one for k, one in members.items()})
    message = f"the shape that {scope.path}{name} reads is not known"
    help = "its block is repeated zero times, so give a layer instead of a block"
    raise edit.fault("bad-option", message, help)


# Cut a graph off at some of its results, which become the outputs.


def upto(graph: Graph, typed: TypedGraph, *paths: object) -> EditedGraph:
    """Return the graph whose outputs are these results; what only others need is gone."""
    edit = Edit(graph, typed)
    if not paths:
        raise TypeError(f'upto takes the names of nodes, graph.upto("{graph.nodes[-1].name}")')
    sources = [_output_source(edit, path) for path in paths]
    twice = next((one for one in sources if sources.count(one) > 1), None)
    if twice is not None:
        raise edit.fault("duplicate-name", f"{twice.text} is given twice")
    whole = needed_by(edit, edit.whole, sources)
    return edit.checked(whole._replace(outputs=_outputs(sources)))


def needed_by(edit: Edit, whole: Scope, sources: list[Source]) -> Scope:
    """Return a graph without the nodes and inputs on which none of the sources depends."""
    needed = _needed(replace(edit.graph, nodes=whole.nodes), sources)
    nodes = tuple([node for node in whole.nodes if node.name in needed])
    inputs = tuple([one for one in whole.inputs if one.name in needed])
    _check_sizes(edit, nodes, inputs)
    if not inputs:
        names = " and ".join(source.text for source in sources)
        message = f"no input of the graph leads to {names}, and a graph has inputs"
        raise edit.fault("missing-key", message, "name a result that depends on an input too")
    if len(inputs) == 1 and isinstance(inputs[0], Input):  # the batch is read from it
        inputs = (replace(inputs[0], optional=False),)
    return whole._replace(nodes=nodes, inputs=inputs)


def _output_source(edit: Edit, path: object) -> Source:
    """Return the result at a path, which may not lead into a block."""
    if isinstance(path, str) and path in edit.typed.body.outputs.keys() - {*edit.whole.names}:
        value = edit.typed.body.outputs[path]
        name = ".".join(filter(None, value))
        message = f"{path} is an output, and no node"
        raise edit.fault("unknown-source", message, f"it is the result of {name}: write {name!r}")
    if isinstance(path, str):
        name, _, port = path.partition(".")
        made = edit.typed.body.by_name.get(name)
        if port and made is not None and port in made.results:
            return Source(name, port, edit.span)
    place = find(edit, path, takes_results=True)
    if place.around:
        outer = place.around[0][1].name
        message = f"{place.path} is inside {outer}, and its result is known only there"
        help = f"add it to the outputs of the block, or write {outer!r}"
        raise edit.fault("unknown-source", message, help)
    check_one_result(edit, place)
    return Source(place.name, place.port, edit.span)


def _needed(graph: Graph, sources: list[Source]) -> set[str]:
    """Return the names of the inputs and nodes on which the sources depend."""
    values = params(graph.params, Report())
    chosen = choose(graph, values, Report())
    shared = outer_shares(chosen.blocks, [node.name for node in chosen.nodes])
    return needed_for(chosen.nodes, [source.name for source in sources], shared)


def _check_sizes(
    edit: Edit, nodes: tuple[Node, ...], inputs: tuple[Input | BlockInput, ...]
) -> None:
    """Raise an error if nodes read a named size that only other inputs have: `$T` would be unknown, or
    a param of that name."""
    kept = {one.name for one in inputs}
    sizes = [{*one.shape.names} if one.shape else set() for one in edit.graph.inputs]
    sized = dict(zip((one.name for one in edit.graph.inputs), sizes, strict=True))
    lost = {size: name for name, own in sized.items() if name not in kept for size in own}
    lost = {size: name for size, name in lost.items() if all(size not in sized[k] for k in kept)}
    if not lost:
        return
    read = {*in_nodes(nodes)}
    used = used_blocks(replace(edit.graph, nodes=nodes), {}, edit.resolved)
    for block in (edit.graph.blocks[key] for key in used):
        read |= {*in_block(block)} - block.own_names
    size = next((size for size in lost if size in read), None)
    if size is not None:
        message = (
            f"a node reads the size {size} of the input {lost[size]}, which nothing else needs"
        )
        raise edit.fault(
            "unknown-param", message, f"name a result that depends on {lost[size]} too"
        )


def _outputs(sources: list[Source]) -> tuple[Output, ...]:
    """Return the outputs, called after the nodes; of several, a port is `lstm_last`."""
    if len(sources) == 1:
        (sole,) = sources
        return (Output(sole.name, sole, sole.span),)
    taken = {source.name for source in sources if source.port is None}
    found = []
    for source in sources:
        name = source.name
        if source.port is not None:
            name = free_name(f"{name}_{source.port}", taken)
            taken.add(name)
        found.append(Output(name, source, source.span))
    return tuple(found)
