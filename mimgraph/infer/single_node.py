"""Type single nodes, for graphs that are built call by call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mimgraph.diagnostics import Report
from mimgraph.infer.declared import check_blocks, input_types
from mimgraph.infer.sharing import check_borrowers, check_share
from mimgraph.infer.sources import resolve
from mimgraph.infer.state import Context, State
from mimgraph.infer.structure import Scope
from mimgraph.infer.typer import type_node
from mimgraph.ir.declared.graph import Block, BlockInput, Input, Node, Source
from mimgraph.ir.declared.operations import Apply
from mimgraph.ir.typed.graph import TypedNode
from mimgraph.ir.types import TensorType


class Given(NamedTuple):
    """An input, with its type, that a node typed alone reads."""

    declared: Input | BlockInput
    type: TensorType


class GivenGroup(NamedTuple):
    """An input of a block that is fed a group, with the type of each member."""

    declared: BlockInput
    types: Mapping[str, TensorType]


Made = Given | GivenGroup | TypedNode


def infer_input(declared: Input, report: Report) -> TensorType | None:
    """Return the type of one input; None if it is faulty."""
    types, _ = input_types(State({}, report), [declared])
    return types[declared.name]


def infer_node(
    node: Node,
    made: Mapping[str, Made],
    report: Report,
    blocks: Mapping[str, Block],
    path: str = "",
) -> TypedNode | None:
    """Return the typed node; `made` has its sources and the node that it shares, by name."""
    state = State(blocks, report, alone=True)
    if blocks:
        nodes = [name for name, one in made.items() if isinstance(one, TypedNode)]
        check_blocks(state, around=nodes)
    context = _context(state, made, path, (node,))
    typed = context.typed[node.name] = type_node(context, node)
    if isinstance(node.operation, Apply):  # which shares nothing
        return typed
    check_share(context, node.name)
    check_borrowers(context)
    return context.typed[node.name]


def infer_port(source: Source, made: Made, report: Report) -> TensorType | None:
    """Return the type of a source: a port of an input or node that is already typed."""
    context = _context(State({}, report), {source.name: made}, "", ())
    return resolve(context, source, source.name).type


def _context(state: State, made: Mapping[str, Made], path: str, nodes: tuple[Node, ...]) -> Context:
    """Return the context of a body that holds only the nodes and inputs in `made`, and `nodes`."""
    inputs: dict[str, Input | BlockInput] = {}
    types: dict[str, TensorType | None] = {}
    declared: dict[str, Node] = {}
    typed: dict[str, TypedNode | None] = {}
    for name, one in made.items():
        if isinstance(one, Given):
            inputs[name], types[name] = one.declared, one.type
        elif isinstance(one, GivenGroup):
            inputs[name] = one.declared
            types |= {f"{name}.{port}": type_ for port, type_ in one.types.items()}
        else:
            declared[name], typed[name] = one.declared, one
    declared |= {node.name: node for node in nodes}
    optional = frozenset([name for name, one in inputs.items() if getattr(one, "optional", False)])
    return Context(state, {}, types, Scope(inputs, declared, nodes, ()), path, (), typed, optional)
