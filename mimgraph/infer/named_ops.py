"""`merge: $fusion`: the layers, merges and blocks whose names the spec's params give, in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from operator import is_
from typing import Any

from mimgraph.diagnostics import Diagnostic, Report
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.infer.options import compute
from mimgraph.ir.expression import variables
from mimgraph.ir.graph import (
    FAULTY,
    Activation,
    Apply,
    Block,
    Call,
    Chain,
    Chosen,
    Each,
    Graph,
    Node,
    Operation,
)
from mimgraph.support.frozen_data import data


def choose(graph: Graph, params: Mapping[str, Any], report: Report) -> Graph:
    """The graph with the name that each choice is; a node whose choice is faulty does nothing."""
    top = _Chooser(params, report)
    blocks = {key: _choose_in_block(block, params, report) for key, block in graph.blocks.items()}
    nodes = top.nodes(graph.nodes, "")
    unchanged = nodes is graph.nodes and all(graph.blocks[key] is blocks[key] for key in blocks)
    return graph if unchanged else replace(graph, nodes=nodes, blocks=blocks)


def _choose_in_block(block: Block, params: Mapping[str, Any], report: Report) -> Block:
    patterns = (declared.pattern for declared in block.inputs if declared.pattern)
    sizes = {dim for pattern in patterns for dim in pattern.dims if isinstance(dim, str)}
    path = block.family if block.is_chain else f"{block.family}."
    chooser = _Chooser(params, report, frozenset({*block.params, *sizes}))
    nodes = chooser.nodes(block.nodes, path)
    return block if nodes is block.nodes else replace(block, nodes=nodes)


class _Faulty(Exception):
    """A choice that cannot be made; its fault is told."""


@data
class _Chooser:
    """`own` are the names that a block gives a meaning of its own, other at each use."""

    params: Mapping[str, Any]
    report: Report
    own: frozenset[str] = frozenset()

    def nodes(self, nodes: tuple[Node, ...], path: str) -> tuple[Node, ...]:
        """The very same where nothing is chosen."""
        found = tuple([self.node(node, path + node.name) for node in nodes])
        return nodes if all(map(is_, found, nodes)) else found

    def node(self, node: Node, path: str) -> Node:
        try:
            operation = self.operation(node.operation, path)
        except _Faulty:
            operation = None
        return node if operation is node.operation else replace(node, operation=operation)

    def operation(self, operation: Operation | None, path: str) -> Operation | None:
        """What a node does; the very same where nothing is chosen."""
        match operation:
            case Apply(name=name, activation=activation):
                chosen = self.activation(activation, path)
                if isinstance(name, Chosen) or chosen is not activation:
                    name = self.name(operation.kind, name, path)
                    return replace(operation, name=name, activation=chosen)
            case Call(block=Chosen() as name):
                return replace(operation, block=self.name("block", name, path))
            case Chain(items):
                found = self.nodes(items, f"{path}." if path else "")
                return operation if found is items else replace(operation, items=found)
            case Each(one):
                inner = self.operation(one, path)
                assert inner is not None and not isinstance(inner, Each)
                return operation if inner is one else replace(operation, operation=inner)
        return operation

    def activation(self, activation: Activation | None, path: str) -> Activation | None:
        if activation is None or not isinstance(activation.name, Chosen):
            return activation
        return replace(activation, name=self.name("activation", activation.name, path))

    def name(self, kind: str, name: str, path: str) -> str:
        """The text that a choice is."""
        if not isinstance(name, Chosen):
            return name
        for used in variables(name.written.expression):
            if used.name in self.own:
                message = f"{used.name} is the block's own, and cannot give the name of a {kind}"
                help = "use a param of the spec"
                self.fault("bad-expression", message, name, used.start, used.end, path, help)
        value = compute(name.written, self.params, self.report, path)
        if value is FAULTY:
            raise _Faulty
        if not isinstance(value, str):
            message = f"{name} must be the name of a {kind}, but it is {value!r}"
            self.fault("wrong-type", message, name, 0, -1, path)
        return str(value)

    def fault(
        self,
        code: DiagnosticCode,
        message: str,
        name: Chosen,
        start: int,
        end: int,
        path: str,
        help: str = "",
    ) -> None:
        span = name.written.at(start, end)
        self.report.add(Diagnostic(code, message, span, help=help, node=path))
        raise _Faulty
