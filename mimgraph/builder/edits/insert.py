"""Insert a layer between a result and all that reads it."""

from __future__ import annotations

from mimgraph.builder.edits.edit import Edit, EditedGraph
from mimgraph.builder.edits.new_layers import Layer, as_layer, declare, stem
from mimgraph.builder.edits.paths import Place, check_one_result, find
from mimgraph.builder.edits.replace import in_seq
from mimgraph.builder.edits.scope import Scope
from mimgraph.builder.node_names import Names, check_name
from mimgraph.infer.outer_shares import shared_by
from mimgraph.ir.declared.graph import Graph, Source
from mimgraph.ir.typed.graph import TypedGraph
from mimgraph.support.frozen_data import replace


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
