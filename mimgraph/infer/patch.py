"""Infer a legal graph again in which some nodes changed: type these, and what reads results that changed.

What is not sure to give the same as `infer` is refused: the graph must then be inferred anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from heapq import heapify, heappop, heappush

from mimgraph.diagnostics import Report, SpecError
from mimgraph.infer.graph import closed
from mimgraph.infer.kept_types import Needs, measured, producers, same_results
from mimgraph.infer.named_ops import choose
from mimgraph.infer.nodes.node import type_node
from mimgraph.infer.nodes.sources import resolve
from mimgraph.infer.scope import MAX_LENGTH, MAX_NODES, Context, State
from mimgraph.infer.structure import Scope
from mimgraph.infer.training_words import with_words_as_options
from mimgraph.ir.declared.graph import Graph, Node, operations
from mimgraph.ir.declared.operations import Apply, Chain
from mimgraph.ir.names import name_fault
from mimgraph.ir.presence import ALWAYS
from mimgraph.ir.typed.graph import TypedGraph, TypedNode
from mimgraph.ir.typed.operations import Shared
from mimgraph.ops import registry
from mimgraph.ops.custom.module_signature import Registered
from mimgraph.support.frozen_data import data, replace

Readers = Mapping[str, Sequence[str]]  # the nodes that read each input and node


@data(eq=False)
class Inferred:
    """A legal graph, the context in which it was typed, what each node needs, and who reads what."""

    declared: Graph
    typed: TypedGraph
    context: Context
    needs: Mapping[str, Needs]
    readers: Readers


def patchable(
    declared: Graph, typed: TypedGraph, context: Context, needs: Mapping[str, Needs]
) -> Inferred | None:
    """Return what was inferred of a graph whose nodes may be changed one by one; None if one node may
    concern others that do not read it, or the graph follows from more than its text."""
    state, nodes = context.state, context.scope.nodes
    is_plain = declared.limits is None and not (declared.spaces or declared.renamed or state.outer)
    are_in_order = [*map(id, context.scope.order)] == [*map(id, nodes.values())]
    if not is_plain or not are_in_order or None in context.typed.values():
        return None
    if len(declared.nodes) != len(nodes) or needs.keys() != nodes.keys():
        return None
    bodies = [nodes.values(), *(block.nodes for block in state.blocks.values())]
    if not all(map(_follow_from_text, bodies)) or any(map(_shares, typed.body.single_nodes)):
        return None
    readers: dict[str, list[str]] = {}
    for name, node in nodes.items():
        for source in _read_by(node):
            readers.setdefault(source, []).append(name)
    return Inferred(declared, typed, context, needs, readers)


def _follow_from_text(nodes: Iterable[Node]) -> bool:
    """Return whether the types of nodes follow from text alone: no class of the user's, and no file, is
    asked, which may change."""
    for one in operations(nodes):
        if isinstance(one, Apply):
            op = registry.find(one.kind, one.name)
            if op is None or isinstance(op, Registered) or op.reads_files:
                return False
            activation = one.activation and registry.find("layer", one.activation.name)
            if one.activation is not None and (
                activation is None or isinstance(activation, Registered)
            ):
                return False
    return True


def _shares(node: TypedNode) -> bool:
    return isinstance(node.operation, Shared)


def _read_by(node: Node) -> Iterable[str]:
    """Return the names that a node reads, each once."""
    return dict.fromkeys([source.name for source in node.sources or ()])


def patched(before: Inferred, first: int, last: int, nodes: Sequence[Node]) -> Inferred | None:
    """Return the graph in which `nodes` replace those with the indices `first` to `last - 1`; None if
    it must be inferred anew, as it may be wrong, or the nodes are not simple ones."""
    around = before.declared.nodes
    graph = replace(before.declared, nodes=(*around[:first], *nodes, *around[last:]))
    readers = _readers(before, around[first:last], nodes)
    if readers is None:
        return None
    with suppress(SpecError):  # a limit is reached
        return _Patch(before, graph, readers).inferred(first, last, nodes)
    return None


def _readers(before: Inferred, old: Sequence[Node], new: Sequence[Node]) -> Readers | None:
    """Return who reads what once nodes are replaced; None if something is not read, or a name is read
    that is gone."""
    found = dict(before.readers)
    for node in old:
        for name in _read_by(node):
            found[name] = [reader for reader in found[name] if reader != node.name]
    for node in new:
        for name in _read_by(node):
            found[name] = [*found.get(name, ()), node.name]
    given = {output.source.name for output in before.declared.outputs}
    added, removed = {node.name for node in new}, {node.name for node in old}
    gone = removed - added
    if any(found.get(name) or name in given for name in gone):
        return None
    named = added.union(*map(_read_by, old)) - gone
    return found if all(found.get(name) or name in given for name in named) else None


class _Patch:
    """The typing of one graph from an earlier one."""

    def __init__(self, before: Inferred, graph: Graph, readers: Readers) -> None:
        self.before, self.graph, self.readers = before, graph, readers
        self.state = State(before.context.state.blocks, Report(), before.context.state.params)
        self.needs = dict(before.needs)

    def inferred(self, first: int, last: int, nodes: Sequence[Node]) -> Inferred | None:
        """Return the graph in which `nodes` replace those with the indices `first` to `last - 1`."""
        alone = Graph("", self.graph.origin, nodes=tuple(nodes))
        chosen = with_words_as_options(choose(alone, self.state.params, self.state.report)).nodes
        context = self._context(first, last, chosen)
        if context is None or not self._type(context, range(first, first + len(nodes))):
            return None
        state = context.state
        if not self._add_needs(context):
            return None
        context.typed = {name: context.typed[name] for name in context.scope.nodes}
        outputs = {one.name: resolve(context, one.source, "") for one in self.graph.outputs}
        typed = closed(context, self.graph, outputs)
        if typed is None or state.report.diagnostics:
            return None
        return Inferred(self.graph, typed, context, self.needs, self.readers)

    def _context(self, first: int, last: int, nodes: Sequence[Node]) -> Context | None:
        """Return the context in which the nodes are typed, the others with their old types; None if a name
        is bad or taken."""
        was = self.before.context
        every, typed = [*was.scope.nodes.values()], dict(was.typed)
        for node in every[first:last]:
            del self.needs[node.name], typed[node.name]
        every[first:last] = nodes
        by_name = {node.name: node for node in every}
        are_legal = not any(
            node.name in was.scope.inputs or name_fault(node.name) for node in nodes
        )
        if len(by_name) != len(every) or not are_legal:
            return None
        scope = Scope(was.scope.inputs, by_name, tuple(every), was.scope.outputs)
        return Context(self.state, was.env, was.inputs, scope, "", (), typed, was.optional)

    def _type(self, context: Context, changed: Iterable[int]) -> bool:
        """Type the nodes with these indices, and all that follows from their types; return whether it is
        sure that all is legal."""
        nodes = context.scope.order
        index = {node.name: at for at, node in enumerate(nodes)}
        waiting, done = [*changed], -1
        heapify(waiting)
        while waiting:
            at = heappop(waiting)
            if at == done:
                continue
            done, node = at, nodes[at]
            if any(index.get(name, -1) >= at for name in _read_by(node)):
                return False  # the nodes do not stand in running order any more
            if not self._type_node(context, node):
                return False
            for reader in self._concerned(context, node.name):
                heappush(waiting, index[reader])
        return True

    def _type_node(self, context: Context, node: Node) -> bool:
        """Type one node; return whether it is sure that it is legal, and follows from its text and sources
        alone."""
        state = context.state
        if not node.sources or not _is_simple(node) or producers(context, node) is None:
            return False
        typed, needs = measured(context, node, type_node)
        if typed is None or state.report.diagnostics or state.sums or state.bodies:
            return False
        if typed.presence != ALWAYS or typed.presences or typed.without:
            return False
        context.typed[node.name], self.needs[node.name] = typed, needs
        return True

    def _concerned(self, context: Context, name: str) -> Iterator[str]:
        """Yield the readers of a node whose results changed, and those that read no result of it."""
        was, now = self.before.context.typed.get(name), context.typed[name]
        assert now is not None
        is_same = was is not None and same_results(was, now)
        for reader in self.readers.get(name, ()):
            ports = {
                one.port for one in context.scope.nodes[reader].sources or () if one.name == name
            }
            if not is_same or not ports <= {None, *now.results}:
                yield reader

    def _add_needs(self, context: Context) -> bool:
        """Give the state what all nodes need together; return whether it is within the limits."""
        state = context.state
        needs = [self.needs[name] for name in context.scope.nodes]
        state.length = sum([one.length for one in needs])
        state.expanded = sum([one.expanded for one in needs])
        state.constraints = {}
        for one in needs:
            if one.constraints:
                state.require(one.constraints)
        return state.length <= MAX_LENGTH and state.expanded <= MAX_NODES


def _is_simple(node: Node) -> bool:
    """Return whether a node applies layers and merges alone, whose types follow from text."""
    are_alone = all(isinstance(one, (Apply, Chain)) for one in operations((node,)))
    return are_alone and _follow_from_text((node,))
