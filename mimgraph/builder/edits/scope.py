"""The nodes among which an edit is made: in a graph or block, or the items of a seq."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from mimgraph.infer.each import port_of
from mimgraph.ir.declared_graph import Apply, BlockInput, Input, Node, Output, Source
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ir.types import TensorType
from mimgraph.ops import registry

NO_TYPES: Mapping[str, TensorType] = MappingProxyType({})
NO_NODES: Mapping[str, TypedNode] = MappingProxyType({})


class Scope(NamedTuple):
    """The nodes of a graph or block, or the items of a seq, while one of them is edited.

    `path` begins the paths of its nodes: `stage.`. `types` has the types of its inputs, and `typed`
    the nodes as inferred before the edit, in the first repeat of a block; both are empty for a block
    that is repeated zero times.
    """

    path: str
    nodes: tuple[Node, ...]
    outputs: tuple[Output, ...] = ()
    inputs: tuple[Input | BlockInput, ...] = ()
    is_seq: bool = False
    types: Mapping[str, TensorType] = NO_TYPES
    typed: Mapping[str, TypedNode] = NO_NODES

    @property
    def names(self) -> list[str]:
        """The names of its inputs and nodes."""
        return [one.name for one in (*self.inputs, *self.nodes)]

    def find(self, name: str) -> Node | None:
        """Return the node of this name, if there is one."""
        return next((node for node in self.nodes if node.name == name), None)

    def with_nodes(self, nodes: Iterable[Node]) -> Scope:
        """Return the scope with other nodes; the names of items are their positions."""
        found = tuple(nodes)
        if self.is_seq:
            found = tuple([_named(item, str(index)) for index, item in enumerate(found)])
        return self._replace(nodes=found)

    def with_node(self, name: str, *instead: Node) -> Scope:
        """Return the scope with these nodes in place of one."""
        found = (([node] if node.name != name else instead) for node in self.nodes)
        return self.with_nodes(node for nodes in found for node in nodes)

    def is_default(self, name: str, port: str | None) -> bool:
        """Return whether a port of an input or node is the one that a source without port reads."""
        typed = self.typed.get(name)
        return port is None or (typed is not None and port == typed.default)

    def reading(self, name: str, port: str | None) -> Callable[[Source], bool]:
        """Return what tells whether a source reads this result."""
        is_default = self.is_default(name, port)

        def reads(source: Source) -> bool:
            if source.name != name:
                return False
            return source.port == port or (is_default and self.is_default(name, source.port))

        return reads

    def sources(self) -> Iterable[Source]:
        """Yield what its nodes and outputs read."""
        for node in self.nodes:
            yield from node.sources or ()
        yield from (output.source for output in self.outputs)

    def rewired(self, reads: Callable[[Source], bool], to: Source) -> Scope:
        """Return the scope in which all that `reads` a result reads another one.

        An output keeps its public name, and a reader the names that it has from its sources.
        """
        return self._replace(
            nodes=tuple([_rewired(node, reads, to) for node in self.nodes]),
            outputs=tuple(
                [
                    output._replace(source=_read(output.source, to))
                    if reads(output.source)
                    else output
                    for output in self.outputs
                ]
            ),
        )


def _named(item: Node, name: str) -> Node:
    return item if item.name == name else replace(item, name=name)


def _read(source: Source, to: Source) -> Source:
    return source._replace(name=to.name, port=to.port)


def _rewired(node: Node, reads: Callable[[Source], bool], to: Source) -> Node:
    sources = node.sources or ()
    if not any(map(reads, sources)):
        return node
    if takes_names(node) and not any(source.port == "*" for source in sources):
        sources = tuple([source._replace(argument=_own_name(node, source)) for source in sources])
    return replace(node, sources=tuple([_read(one, to) if reads(one) else one for one in sources]))


def takes_names(node: Node) -> bool:
    """Return whether a node takes names from its sources: ports of an `each`, variables of a formula."""
    applied = node.applied
    if node.has_branches:
        return getattr(node.operation, "times", None) is None
    op = registry.find(applied.kind, applied.name) if isinstance(applied, Apply) else None
    return op is not None and op.inputs.kind == "named"


def _own_name(node: Node, source: Source) -> str:
    return port_of(source) if node.has_branches else source.argument or source.name
