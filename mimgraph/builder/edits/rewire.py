"""Let a node read other sources."""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.builder.edits.edit import Edit, EditedGraph
from mimgraph.builder.edits.paths import find, unknown_name
from mimgraph.builder.edits.scope import Scope
from mimgraph.builder.edits.upto import needed_by
from mimgraph.ir.declared.graph import Graph, Source
from mimgraph.ir.typed.graph import TypedGraph
from mimgraph.support.arguments import as_names, as_texts
from mimgraph.support.frozen_data import replace


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
