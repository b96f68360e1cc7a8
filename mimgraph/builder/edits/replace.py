"""Replace the layer or merge of a node by another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mimgraph.builder.blocks.call import BlockCall
from mimgraph.builder.blocks.scan import ScanCall
from mimgraph.builder.edits.edit import Edit, EditedGraph
from mimgraph.builder.edits.lone_value import with_named_value
from mimgraph.builder.edits.new_layers import Layer, as_layer, declare, input_of_item
from mimgraph.builder.edits.paths import find
from mimgraph.builder.edits.scope import Scope
from mimgraph.ir.declared.graph import Graph, Node
from mimgraph.ir.declared.operations import AppliedOperation, Apply, Call, Chain, Each
from mimgraph.ir.declared.values import Option
from mimgraph.ir.typed.graph import TypedGraph
from mimgraph.ops import registry
from mimgraph.support.frozen_data import replace


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
