"""Remove a node, so that all that reads it reads its source."""

from __future__ import annotations

from mimgraph.builder.edits.edit import Edit, EditedGraph
from mimgraph.builder.edits.paths import Place, find
from mimgraph.infer.outer_shares import outer_shares, shared_around, shared_by
from mimgraph.ir.declared.graph import Graph, Source
from mimgraph.ir.typed.graph import TypedGraph


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
    _check_readers(edit, place)
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


def _check_readers(edit: Edit, place: Place) -> None:
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
