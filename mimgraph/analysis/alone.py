"""Nodes typed one by one, for graphs that are built call by call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mimgraph.analysis.declared import check_blocks, input_types
from mimgraph.analysis.inference import type_node
from mimgraph.analysis.shares import check_share
from mimgraph.analysis.sources import resolve
from mimgraph.analysis.state import Context, State
from mimgraph.analysis.structure import Scope
from mimgraph.diagnostics import Report
from mimgraph.ir.graph import Block, BlockInput, Graph, Input, Node, Source
from mimgraph.ir.typed import TypedNode
from mimgraph.ir.types import TensorType


class Given(NamedTuple):
    """An input of a node that is checked alone."""

    declared: Input | BlockInput
    type: TensorType


Made = Given | TypedNode


def infer_input(declared: Input, report: Report) -> TensorType | None:
    """The type of one input."""
    types, _ = input_types(State(Graph("", declared.span), report), [declared])
    return types[declared.name]


def infer_node(
    node: Node,
    made: Mapping[str, Made],
    report: Report,
    blocks: Mapping[str, Block] | None = None,
    path: str = "",
) -> TypedNode | None:
    """Type one node alone; `made` is what it reads, and the node it shares, by name."""
    state = State(Graph("", node.span, blocks=blocks or {}), report, alone=True)
    if blocks:
        check_blocks(state)
    context = _alone(made, path, node)
    context.typed[node.name] = type_node(state, context, node)
    check_share(state, context, node.name)
    return context.typed[node.name]


def infer_port(source: Source, made: Made, report: Report) -> TensorType | None:
    """The type of a port of something already typed."""
    state = State(Graph("", source.span), report)
    return resolve(state, _alone({source.name: made}, ""), source, source.name).type


def _alone(made: Mapping[str, Made], path: str, *nodes: Node) -> Context:
    """A context that holds only what one node reads."""
    given = {name: one for name, one in made.items() if isinstance(one, Given)}
    typed = {name: one for name, one in made.items() if isinstance(one, TypedNode)}
    declared = {name: one.declared for name, one in typed.items()}
    declared |= {node.name: node for node in nodes}
    scope = Scope({name: one.declared for name, one in given.items()}, declared, nodes, ())
    types = {name: one.type for name, one in given.items()}
    optional = frozenset(n for n, one in given.items() if getattr(one.declared, "optional", False))
    return Context({}, types, scope, path, typed=dict(typed), optional=optional)
