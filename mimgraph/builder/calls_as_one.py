"""Let calls of one block function share a module though some of them leave an input out.

The function ran with the input for one call and with None for another. They share a module if the
block of the first call, used without the input, has the nodes that the second run declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from mimgraph.builder.handles.record_call import optional_given
from mimgraph.builder.handles.records import Record
from mimgraph.builder.user_line import spec_error
from mimgraph.diagnostics import Report
from mimgraph.infer.graph import infer_node
from mimgraph.infer.sharing import have_same_nodes
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_graph import Call
from mimgraph.ir.typed_graph import TypedNode


class OneBlock(NamedTuple):
    """The node of the call that gives the most inputs, and the blocks that it uses; others use the
    same without some of its inputs."""

    declared: ir.Node
    blocks: Mapping[str, ir.Block]


def calls_as_one(records: Iterable[Record], names: Mapping[Record, str]) -> dict[Record, OneBlock]:
    """Return what to declare for the first of the calls that share a module and leave out different
    inputs of a function; raise an error if one forward cannot serve them."""
    groups: dict[int, list[Record]] = {}
    for record in records:
        if record.layer is not None and getattr(record.layer, "optional", None):
            groups.setdefault(id(record.layer.uses), []).append(record)
    # a graph, or a block of a spec, declares one block for all calls
    mixed = (group for group in groups.values() if len({(*one.blocks,) for one in group}) > 1)
    return {group[0]: _as_one(group, names) for group in mixed}


def _as_one(group: list[Record], names: Mapping[Record, str]) -> OneBlock:
    """Return what to declare for calls that leave out different inputs."""
    fullest = max(group, key=lambda one: len(optional_given(one.layer, one.sources)))
    given = optional_given(fullest.layer, fullest.sources)
    left_out = given - set[str]().intersection(*(_given(one) for one in group))
    declared, key = fullest.made.declared, [*fullest.blocks][-1]
    assert isinstance(declared, ir.Node)
    whole = fullest.blocks[key]
    inputs = tuple(replace(i, optional=i.optional or i.name in left_out) for i in whole.inputs)
    found = OneBlock(declared, {**fullest.blocks, key: replace(whole, inputs=inputs)})
    for record in group:
        if [*record.blocks] != [*fullest.blocks] and not _fits(found, record, names):
            raise _refusal(fullest, record, names)
    return found


def _given(record: Record) -> set[str]:
    return {*optional_given(record.layer, record.sources)}


def _fits(one: OneBlock, record: Record, names: Mapping[Record, str]) -> bool:
    """Return whether the block without the inputs that a call leaves out is the one that the function
    declared for that call."""
    typed, span, report = record.made, record.span, Report()
    if not isinstance(typed, TypedNode) or not isinstance(one.declared.operation, Call):
        return False
    sources = tuple(
        ir.Source(names[source.record], source.port, span, key, span if key else None)
        for key, source in record.sources
    )
    node = replace(one.declared, name=typed.name, sources=sources)
    made = {names[source.record]: source.record.made for _, source in record.sources}
    found = infer_node(node, made, report, one.blocks)
    return found is not None and not report.diagnostics and have_same_nodes(found, typed)


def _refusal(fullest: Record, record: Record, names: Mapping[Record, str]) -> Exception:
    """Return the error for calls that need different forwards."""
    odd = min(_given(fullest) ^ _given(record))
    calls = (fullest, record) if odd in _given(fullest) else (record, fullest)
    given, without = (names[one] for one in calls)
    message = f"{given} is called with {odd} and {without} without it, and the function declares"
    message += " other nodes then, so they cannot share weights"
    help = f"call a block of its own: {record.layer!r}(...)"
    return spec_error("wrong-arity", message, record.span, help)
