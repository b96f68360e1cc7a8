"""Change nodes by a rule, at any depth: every ReLU to a GELU."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import is_
from typing import Any, TypeAlias

from mimgraph.builder.edits.change_nodes import replaced
from mimgraph.builder.edits.edit import Edit, EditedGraph
from mimgraph.builder.edits.new_layers import NewLayer, as_layer, is_layer
from mimgraph.builder.edits.options import optioned
from mimgraph.builder.edits.scope import Scope
from mimgraph.inspection.node import Node as SeenNode
from mimgraph.inspection.node import Nodes
from mimgraph.inspection.nodes import nodes
from mimgraph.ir.declared_graph import Graph, Node, Share
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ir.typed_operations import Repeated, unwrap
from mimgraph.support.arguments import as_mapping, wrong
from mimgraph.support.entry_point import call_users

Answer: TypeAlias = NewLayer | Mapping[str, Any] | SeenNode | None
Rule: TypeAlias = Callable[[SeenNode], Answer]


def map_nodes(graph: Graph, typed: TypedGraph, rule: Rule) -> EditedGraph:
    """Return the graph with every node changed as the rule says."""
    if not callable(rule) or isinstance(rule, type):
        raise wrong("the rule", "a function of a node", rule)
    edit = Edit(graph, typed)
    whole = _mapped(edit, edit.whole, nodes(typed), rule)
    return EditedGraph(graph, typed) if whole is edit.whole else edit.checked(whole)


def _mapped(edit: Edit, scope: Scope, seen: Nodes, rule: Rule) -> Scope:
    """Return the scope with its nodes changed; itself if none is."""
    found = [_changed(edit, scope, node, seen, rule) for node in scope.nodes]
    flat = tuple([node for nodes in found for node in nodes])
    same = len(flat) == len(scope.nodes) and all(map(is_, flat, scope.nodes))
    return scope if same else scope.with_nodes(flat)


def _changed(edit: Edit, scope: Scope, node: Node, seen: Nodes, rule: Rule) -> tuple[Node, ...]:
    """Return a node changed by the rule, else with the nodes inside it changed; a share follows the
    node that it shares."""
    if isinstance(node.applied, Share) or node.name not in scope.typed:
        return (node,)
    record = seen[node.name]
    answer = call_users(rule, record)
    if isinstance(answer, Mapping):
        options = as_mapping("what the rule returns", answer, '{"activation": "GELU"}')
        return (optioned(edit, scope, node, options),)
    if answer is not None and answer is not record:
        if not is_layer(answer):
            wants = "None, a layer or merge such as layers.GELU(), or a dict of options"
            raise wrong(f"what the rule returns for {record.path}", wants, answer)
        return replaced(edit, scope, node, as_layer(answer))
    inner = edit.inside(scope, node)
    if inner is None:
        return (node,)
    changed = _mapped(edit, inner, _inside(scope, record), rule)
    return (node,) if changed is inner else (edit.with_inside(node, changed),)


def _inside(scope: Scope, record: SeenNode) -> Nodes:
    """Return the records inside a node, of repeats and of an `each` the records in the first."""
    operation = unwrap(scope.typed[record.name].operation)
    found = record.nodes
    is_list = isinstance(operation, Repeated) and not operation.shared
    if operation.branches or (is_list and operation.bodies):
        return found[next(iter(found))].nodes
    return found
