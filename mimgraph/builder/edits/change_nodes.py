"""Replace, insert, rewire and remove nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mimgraph.builder.blocks.call import BlockCall
from mimgraph.builder.blocks.scan import ScanCall
from mimgraph.builder.edits.edit import Edit, EditedGraph
from mimgraph.builder.edits.new_layers import Layer, as_layer, declare, input_of_item, stem
from mimgraph.builder.edits.paths import Place, check_one_result, find, unknown_name
from mimgraph.builder.edits.scope import Scope
from mimgraph.builder.edits.upto import needed_by
from mimgraph.builder.node_names import Names, check_name
from mimgraph.infer.structure import outer_shares, shared_around, shared_by
from mimgraph.ir.declared_graph import (
    AppliedOperation,
    Apply,
    Call,
    Chain,
    Each,
    Graph,
    Node,
    Source,
)
from mimgraph.ir.declared_values import Option
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ops import registry
from mimgraph.support.arguments import as_names, as_texts


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
        raise edit.fault("wrong-arity", message, "build the graph anew for another tensor")
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
        message = "a Sequential in a seq becomes items of it, and cannot have words of its own"
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
        help = "leave name out: the name of an item is its position"
        raise edit.fault("bad-name", f"{place.path} is an item of a seq, as the new one is", help)
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
        return Names({*scope.names, *shared}).unique(stem(layer))
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
        message = f"nothing reads {what}, so no layer can stand between it and its readers"
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
        message = f"{place.path} is an item of a seq, which reads the item before it"
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
            message = f"{place.path} is the only item of its seq"
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
