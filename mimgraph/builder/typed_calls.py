"""Hand the nodes that calls have typed to the graph, which types only the others.

A layer or merge has at its call the type that it has in the graph, unless the graph decides something
about it: the module that it shares, an input that may be missing, a size that only a run knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from mimgraph.builder.records import Record
from mimgraph.infer.graph import GivenGroup
from mimgraph.infer.state import ALONE, Context, Joint, KnownNode
from mimgraph.infer.typer import NodeTyper
from mimgraph.ir.declared_graph import Node
from mimgraph.ir.typed_graph import ALWAYS, TypedNode, Value
from mimgraph.ir.typed_operations import Leaf


class TypedCalls:
    """The calls of a graph whose types are final, each with its node in the graph."""

    def __init__(self, names: Mapping[Record, str], nodes: Iterable[Node]) -> None:
        by_name = {node.name: node for node in nodes}
        self.calls = {
            name: (record, by_name[name])
            for record, name in names.items()
            if record.known is not None and _is_as_typed(by_name[name], record.known.typed.declared)
        }

    def typer(self, context: Context) -> NodeTyper:
        """Return what types the other nodes of the graph."""
        return _CallTyper(context, self.calls)


class _CallTyper(NodeTyper):
    """Takes nodes over from their calls, and types those about which the graph decides something."""

    def __init__(self, context: Context, calls: Mapping[str, tuple[Record, Node]]) -> None:
        super().__init__(context)
        self.calls = calls

    def node(self, node: Node, joint: Joint = ALONE) -> TypedNode | None:
        record, declared = self.calls.get(node.name, (None, None))
        if (
            record is None
            or declared is not node
            or not _reads_the_same(self.context, node, record)
        ):
            return super().node(node, joint)
        assert record.known is not None and node.sources is not None
        typed, constraints, length = record.known
        self.context.state.budget.write(length, node.span)
        self.context.state.require(constraints)
        read = zip(typed.declared.sources or (), node.sources, strict=True)
        names = {at_call.name: source.name for at_call, source in read}
        arguments = {
            key: Value(names[value.name], value.port) for key, value in typed.arguments.items()
        }
        return replace(typed, name=node.name, arguments=arguments, declared=node)


def is_final(known: KnownNode) -> bool:
    """Return whether a node that a call typed has the same type in every graph with the same sources."""
    if not known.is_plain:
        return False
    operation, arguments = known.typed.operation, known.typed.arguments.values()
    if isinstance(operation, Leaf) and operation.kind == "tensor":
        return False  # its batch may come from any input
    return all("." not in value.name for value in arguments)  # "." is in members of a group


def _is_as_typed(node: Node, at_call: Node) -> bool:
    """Return whether a node of the graph has the operation and the words of the call."""
    return (
        node.operation is at_call.operation
        and node.over is at_call.over
        and node.freeze is at_call.freeze
        and node.training is at_call.training
    )


def _reads_the_same(context: Context, node: Node, record: Record) -> bool:
    """Return whether the sources of a call have the same types in the graph as at the call."""
    for (_, reference), source in zip(record.sources, node.sources or (), strict=True):
        made, typed = reference.record.made, context.typed.get(source.name)
        if isinstance(made, TypedNode):
            if typed is None or typed.presence != ALWAYS or typed.is_own != made.is_own:
                return False
            if typed.results is not made.results and typed.results != made.results:
                return False
        elif isinstance(made, GivenGroup) or context.inputs.get(source.name) != made.type:
            return False
    return True
