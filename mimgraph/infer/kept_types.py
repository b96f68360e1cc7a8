"""Keep the typed nodes of a graph, for the next version of a spec that is being edited."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import NamedTuple

from mimgraph.infer.scope import Context
from mimgraph.ir.declared.graph import Node
from mimgraph.ir.declared.operations import Apply
from mimgraph.ir.presence import ALWAYS
from mimgraph.ir.typed.graph import TypedNode
from mimgraph.ir.typed.operations import Leaf
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.ops import registry
from mimgraph.ops.custom.module_signature import Registered
from mimgraph.support.frozen_data import mutable_data

Producer = TypedNode | TensorType  # what gives a source: a node or an input


class Needs(NamedTuple):
    """What a node adds to its graph: constraints, characters of options, and nodes after expansion."""

    constraints: Mapping[Constraint, None]
    length: int
    expanded: int


@mutable_data
class Kept:
    """A typed node, the text of its entry, what gave its sources, and what it needs."""

    typed: TypedNode
    text: str
    producers: tuple[Producer, ...]
    needs: Needs


class KeptTypes:
    """The typed layers and merges of the graph itself, without those in blocks.

    The type of a node follows from the text of its entry, the types of its sources, and the params and
    inputs of the graph: the `frame`.
    """

    def __init__(self) -> None:
        self._frame: Hashable = None
        self._texts: Mapping[int, str] = {}
        self._inputs: Mapping[str, TensorType | None] = {}
        self._nodes: dict[str, Kept] = {}
        self.needs: dict[str, Needs] = {}  # of each node of this version
        self.context: Context | None = None  # of this version

    def begin(self, frame: Hashable, texts: Mapping[int, str]) -> None:
        """Begin another version with the text of each node, by its id; `frame` is None if unknown."""
        if frame is None or frame != self._frame:
            self._nodes, self._inputs = {}, {}
        self._frame, self._texts, self.needs, self.context = frame, texts, {}, None
        if len(self._nodes) > 2 * len(texts) + 100:  # most have been renamed or removed
            self._nodes = {}

    def enter(self, context: Context) -> None:
        """Give the inputs of a graph the types that they had, which are equal, for quick comparison."""
        if self._inputs.keys() == context.inputs.keys():
            context.inputs = self._inputs
        self._inputs, self.context = context.inputs, context

    def type_node(
        self, context: Context, node: Node, type_node: Callable[[Context, Node], TypedNode | None]
    ) -> TypedNode | None:
        """Return the typed node, typed only if it is not kept."""
        text = self._texts.get(id(node))
        if text is None or not isinstance(node.operation, Apply) or node.sources is None:
            return self._measured(context, node, type_node)[0]
        given = producers(context, node)
        kept = self._nodes.get(node.name)
        is_same = kept is not None and kept.text == text and given is not None
        if kept is None or not is_same or not all(map(same_results, given or (), kept.producers)):
            return self.type_anew(context, node, type_node, text, given)
        kept.producers = given or ()
        self.needs[node.name] = kept.needs
        context.state.write(kept.needs.length, node.span)
        context.state.require(kept.needs.constraints)
        if kept.typed.declared is not node:
            kept.typed = _declared(kept.typed, node)
        return kept.typed

    def type_anew(
        self,
        context: Context,
        node: Node,
        type_node: Callable[[Context, Node], TypedNode | None],
        text: str,
        given: tuple[Producer, ...] | None,
    ) -> TypedNode | None:
        """Return the typed node, and keep it if it follows from its text and sources alone."""
        state, found = context.state, context.state.report.diagnostics
        before = len(found), len(state.sums), len(state.summands)
        typed, needs = self._measured(context, node, type_node)
        after = len(state.report.diagnostics), len(state.sums), len(state.summands)
        is_whole = state.report.diagnostics is found and after == before
        if typed is not None and given is not None and is_whole and _is_kept(typed):
            self._nodes[node.name] = Kept(typed, text, given, needs)
        else:
            self._nodes.pop(node.name, None)
        return typed

    def _measured(
        self,
        context: Context,
        node: Node,
        type_node: Callable[[Context, Node], TypedNode | None],
    ) -> tuple[TypedNode | None, Needs]:
        """Return the typed node, typed anew, and what it needs."""
        state = context.state
        typed, needs = measured(context, node, type_node)
        state.require(needs.constraints)
        self.needs[node.name] = needs
        return typed, needs

    def taken(self, name: str) -> Kept | None:
        """Return what was kept of a node, and keep it no longer."""
        return self._nodes.pop(name, None)


def measured(
    context: Context, node: Node, type_node: Callable[[Context, Node], TypedNode | None]
) -> tuple[TypedNode | None, Needs]:
    """Return the typed node, and what it needs; the graph does not have its constraints yet."""
    state = context.state
    length, expanded = state.length, state.expanded
    around, state.constraints = state.constraints, {}
    typed = type_node(context, node)
    own, state.constraints = state.constraints, around
    return typed, Needs(own, state.length - length, state.expanded - expanded + 1)


def producers(context: Context, node: Node) -> tuple[Producer, ...] | None:
    """Return what gives the sources of a node; None if one is not always given, or is no result."""
    found: list[Producer] = []
    for source in node.sources or ():
        name, port = source.name, source.port
        if name in context.inputs:
            type_ = context.inputs[name]
            is_odd = name in context.optional or name in context.scope.nodes or port is not None
            if type_ is None or is_odd:
                return None
            found.append(type_)
            continue
        typed = context.typed.get(name)
        if typed is None or typed.presence != ALWAYS or typed.presences:
            return None
        if (typed.default if port is None else port) not in typed.results:
            return None
        found.append(typed)
    return tuple(found)


def same_results(one: Producer, other: Producer) -> bool:
    """Return whether two producers give the same results."""
    if one is other:
        return True
    if isinstance(one, TensorType) or isinstance(other, TensorType):
        return False
    if one.results is not other.results and not _same_types(one.results, other.results):
        return False
    return one.default == other.default and one.is_own == other.is_own


def _same_types(one: Mapping[str, TensorType], other: Mapping[str, TensorType]) -> bool:
    """Return whether results have the same ports, with types made from the same sizes."""
    if list(one) != list(other):
        return False
    return all(one[port] is other[port] or one[port].key == other[port].key for port in one)


def _is_kept(typed: TypedNode) -> bool:
    """Return whether a typed node follows from its text and sources alone."""
    operation = typed.declared.operation
    op = registry.find(operation.kind, operation.name) if isinstance(operation, Apply) else None
    if op is None or isinstance(op, Registered) or not isinstance(typed.operation, Leaf):
        return False  # the class of a registered layer may change
    return typed.presence == ALWAYS and not (typed.presences or typed.without)


def _declared(typed: TypedNode, node: Node) -> TypedNode:
    """Return a typed node as that of another declared one, faster than `replace`."""
    return TypedNode(
        typed.name,
        typed.operation,
        typed.arguments,
        typed.results,
        typed.default,
        node,
        is_own=typed.is_own,
        freeze=typed.freeze,
        over=typed.over,
        training=typed.training,
    )
