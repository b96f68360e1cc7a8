"""Find the typed uses of each declared node: one in the graph, several in a block that is used several
times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from mimgraph.editor.analysis import Analysis
from mimgraph.infer.graph import KnownPart
from mimgraph.ir.declared_graph import Node
from mimgraph.ir.dim import symbol
from mimgraph.ir.typed_graph import Body, TypedNode
from mimgraph.ir.typed_operations import Leaf, TypedOperation, unwrap
from mimgraph.source import Span

At: TypeAlias = tuple[Any, ...]  # the file, line and column at which a name stands


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The graph or one use of a block: its body, its dotted name with a point behind it, and the values
    of the params and sizes that it can read."""

    body: Body
    path: str
    values: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The dotted name; "" for the graph."""
        return self.path.rstrip(".")


class Use(NamedTuple):
    """A node as it is typed at one use of the block around it; `path` is its dotted name."""

    node: TypedNode
    path: str
    scope: Scope


def at(span: Span) -> At:
    """Return the place at which a span starts, by which uses are found."""
    return span[:3]


@dataclass(eq=False)
class Uses:
    """The typed uses of the nodes by the places of their names, and of the blocks by family.

    A block that is used several times with equal types and params has one use for all of them.
    """

    graph: Scope
    nodes: dict[At, list[Use]] = field(default_factory=dict)
    blocks: dict[str, list[Scope]] = field(default_factory=dict)
    _seen: set[Body] = field(default_factory=set)

    def of(self, node: Node) -> list[Use]:
        """Return the uses of a declared node; none if its type is not known."""
        return self.nodes.get(at(node.span), [])

    def add_body(self, scope: Scope) -> None:
        """Add the nodes of a body and their inner nodes."""
        body = scope.body
        if body in self._seen:
            return
        self._seen.add(body)
        for node in body.nodes:
            if body.is_chain:
                self._add_inside(node.operation, scope.path, scope)
            else:
                self._add_node(Use(node, f"{scope.path}{node.name}", scope))

    def _add_node(self, use: Use) -> None:
        self.nodes.setdefault(at(use.node.declared.span), []).append(use)
        self._add_inside(use.node.operation, f"{use.path}.", use.scope)

    def _add_inside(self, operation: TypedOperation, path: str, scope: Scope) -> None:
        """Add the items or bodies of an operation; those inside a merge are no text of the user's."""
        if type(operation) is Leaf or operation.merge:  # most are leaves, which have nothing inside
            return
        whole = unwrap(operation)
        for branch in whole.branches:  # each has the name of the node around it
            self._add_inside(branch.operation, f"{path}{branch.name}.", scope)
        for item in whole.steps:
            self._add_node(Use(item, f"{path}{item.name}", scope))
        for index, body in enumerate(whole.bodies):
            if body not in self._seen:
                key = whole.key(index)
                values = {**self.graph.values, **body.params, **body.dims}
                inner = Scope(body, f"{path}{key}." if key else path, values)
                self.blocks.setdefault(body.family, []).append(inner)
                self.add_body(inner)

    def add_unknown(self, part: KnownPart, path: str) -> None:
        """Add the known nodes inside the nodes of unknown type."""
        known = part.typed.body.by_name
        for node in part.nodes:
            if node.name in known:
                continue
            inside = part.inside(node)
            if inside is not None:
                body, inner = inside.typed.body, f"{path}{node.name}."
                scope = Scope(body, inner, {**self.graph.values, **inside.context.env})
                self.blocks.setdefault(inside.typed.name, []).append(scope)
                self.add_body(scope)
                self.add_unknown(inside, inner)


def uses_of(analysis: Analysis) -> Uses | None:
    """Return the typed uses of all nodes of a spec; None if it cannot be read."""
    typed = analysis.known_types
    if typed is None or analysis.declared is None:
        return None
    shapes = (one.shape for one in analysis.declared.inputs if one.shape is not None)
    sizes = {name: symbol(name) for shape in shapes for name in shape.names}
    uses = Uses(Scope(typed.body, "", {**typed.body.params, **sizes}))
    uses.add_body(uses.graph)
    if analysis.known is not None:
        uses.add_unknown(analysis.known, "")
    return uses
