"""From handles back to what they declare: every record that outputs depend on, named, in call order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from mimgraph.builder.automatic_names import Names
from mimgraph.builder.change import with_options
from mimgraph.builder.content_key import content
from mimgraph.builder.record import Record, Tensor, share
from mimgraph.builder.tracing.trace import Trace, declare_value
from mimgraph.builder.user_line import fail, here, raise_faults
from mimgraph.diagnostics import Report
from mimgraph.infer.single_node import Given
from mimgraph.infer.structure import unique
from mimgraph.ir import graph as ir
from mimgraph.ir.names import class_fault
from mimgraph.source import Span
from mimgraph.support.arguments import as_flag, as_text, wrong
from mimgraph.support.frozen_data import data


@data
class Output:
    """An output with its doc: `mg.Graph({"logits": mg.Output(a, doc="Before softmax.")})`."""

    handle: Tensor
    doc: str = ""
    training_only: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.handle, Tensor):
            raise wrong(
                "an output", "a handle: mg.Input(...) or what a layer returned", self.handle
            )
        as_text("a doc", self.doc)
        as_flag("training_only", self.training_only)


def training_only(handle: Tensor, doc: str = "") -> Output:
    """Mark an output that only training has: `mg.Graph({"logits": a, "aux": mg.training_only(b)})`."""
    return Output(handle, doc, True)


Outputs = Tensor | Output | Iterable[Tensor | Output] | Mapping[str, Tensor | Output]


class DeclaredBody(NamedTuple):
    """The nodes and outputs of one scope, and all blocks that they speak of, inner ones first.

    `names` has those of the nodes.
    """

    inputs: tuple[ir.Input | ir.BlockInput, ...]
    nodes: tuple[ir.Node, ...]
    outputs: tuple[ir.Output, ...]
    blocks: Mapping[str, ir.Block]
    names: Mapping[Record, str]


def declare_body(
    outputs: Sequence[tuple[str, Output]],
    inputs: Iterable[Record],
    trace: Trace | None,
    span: Span,
) -> DeclaredBody:
    """What outputs depend on; `inputs` stand there in any case. An output "" is named by its node."""
    records = _reachable((output.handle for _, output in outputs), inputs)
    names = _names(records)
    firsts: dict[int, Record] = {}
    blocks: dict[str, ir.Block] = {}
    nodes = []
    for record in records:
        if not isinstance(record.made, Given):
            assert record.recipe is not None
            first = firsts.setdefault(id(record.recipe.uses), record)
            blocks |= record.blocks
            nodes.append(_node(record, first, names, trace))
    found = DeclaredBody(
        tuple(record.made.declared for record in records if isinstance(record.made, Given)),
        tuple(nodes),
        tuple(_output(name, output, names, span) for name, output in outputs),
        blocks,
        names,
    )
    report = Report()
    unique(found.inputs, found.nodes, report, f"{trace.family}." if trace else "")
    raise_faults(report, span)
    return found


def _reachable(outputs: Iterable[Tensor], inputs: Iterable[Record]) -> list[Record]:
    """Every record that outputs depend on, in the order of calls."""
    found = set(inputs)
    stack = [handle.record for handle in outputs]
    while stack:
        record = stack.pop()
        if record not in found:
            found.add(record)
            stack.extend(source.record for _, source in record.sources)
    return sorted(found, key=lambda record: record.number)


def _names(records: list[Record]) -> dict[Record, str]:
    """The names given, and names for the rest that are none of those."""
    names = Names(record.name for record in records if record.name)
    return {record: record.name or names.unique(record.stem) for record in records}


def _node(
    record: Record, first: Record, names: Mapping[Record, str], trace: Trace | None
) -> ir.Node:
    """One call; a later one of the same object shares the module of the first."""
    span = record.span
    sources = tuple(
        ir.Source(names[source.record], source.port, span, key, span if key else None)
        for key, source in record.sources
    )
    if record is not first:
        return ir.Node(names[record], span, share(record.recipe, names[first], span), sources)
    assert record.recipe is not None
    first_call = record.recipe.uses[trace].made  # which may not be in this graph
    declared: ir.Node = with_options(first_call.declared, lambda o: _plain(o, trace))
    operation, take, freeze = declared.operation, declared.take, declared.freeze
    return ir.Node(names[record], span, operation, sources, take, freeze)


def _plain(option: ir.Option, trace: Trace | None) -> ir.Option:
    """An option as a spec may write it."""
    value = declare_value(option.value, trace, option.span)
    return option if value is option.value else option._replace(value=value)


def _output(name: str, output: Output, names: Mapping[Record, str], span: Span) -> ir.Output:
    node = names[output.handle.record]
    source = ir.Source(node, output.handle.port, span)
    return ir.Output(name or node, source, span, output.training_only, output.doc)


# --- the graph ------------------------------------------------------------------------------------


def declare_graph(outputs: Outputs, name: str, doc: str) -> ir.Graph:
    """The graph that leads to these outputs."""
    span = here()
    reason = class_fault(name) if isinstance(name, str) else "a name is a text"
    if reason is not None:
        raise fail("bad-name", f"{name!r} cannot be a class name", span, reason)
    body = declare_body(_public(outputs, span), (), None, span)
    keys, blocks = _named(body.blocks)
    return ir.Graph(
        name,
        span,
        inputs=tuple(i for i in body.inputs if isinstance(i, ir.Input)),
        blocks=blocks,
        nodes=with_keys(body.nodes, keys),
        outputs=body.outputs,
        doc=doc,
    )


def _public(outputs: Outputs, span: Span) -> list[tuple[str, Output]]:
    """Outputs with their public names; "" where the name of the node is meant."""
    if isinstance(outputs, Tensor | Output):
        outputs = [outputs]
    if isinstance(outputs, str) or not isinstance(outputs, Iterable):
        raise wrong("outputs", "a handle, a list of them or a dict by name", outputs)
    named = isinstance(outputs, Mapping)
    given = outputs.items() if isinstance(outputs, Mapping) else (("", one) for one in outputs)
    pairs = [(name, one if isinstance(one, Output) else Output(one)) for name, one in given]
    if not pairs:
        raise fail("missing-key", "outputs is missing", span, "a graph needs outputs")
    seen: set[Record] = set()
    for name, output in pairs:
        record, port = output.handle.record, output.handle.port
        if record.trace is not None:
            message = f"{record.label} stands inside the block {record.trace.family}"
            raise fail("unknown-source", message, span, "return it from the block")
        if named:
            check_output_name(name, span)
        elif len(pairs) > 1 and port is not None:
            help = f"{{{port!r}: ...}} instead of a list"
            raise fail("wrong-type", "a port in a list needs a name", span, help)
        elif record in seen:
            raise fail("duplicate-name", f"{record.label} is an output already", span)
        seen.add(record)
    return pairs


def check_output_name(name: Any, span: Span) -> None:
    """A public name is an identifier."""
    if not (isinstance(name, str) and name.isascii() and name.isidentifier()):
        raise fail("bad-name", f"{name!r} cannot be an output's name", span)


def _named(blocks: Mapping[str, ir.Block]) -> tuple[dict[str, str], dict[str, ir.Block]]:
    """The name of each block in the graph, and the blocks by name. Those that say the same are one;
    the second of a family is `residual_2`, as its class `Residual2`: a family of its own, so that
    the graph emits what its dump does, by which copies of a model find their classes."""
    names = Names(first_number=2)
    keys: dict[str, str] = {}
    known: dict[Any, str] = {}
    found: dict[str, ir.Block] = {}
    for key, block in blocks.items():
        named = replace(block, nodes=with_keys(block.nodes, keys))
        said = content(named)
        if said not in known:
            name = known[said] = names.unique(block.family)
            found[name] = replace(named, family=name)
        keys[key] = known[said]
    return keys, found


def with_keys(nodes: tuple[ir.Node, ...], keys: Mapping[str, str]) -> tuple[ir.Node, ...]:
    """The nodes with other names for the blocks that they use."""
    if not keys:
        return nodes
    return tuple(replace(node, operation=_with_key(node.operation, keys)) for node in nodes)


def _with_key(operation: ir.Operation | None, keys: Mapping[str, str]) -> ir.Operation | None:
    if isinstance(operation, ir.Call):
        return replace(operation, block=keys[operation.block])
    if isinstance(operation, ir.Each):
        inner = _with_key(operation.operation, keys)
        assert inner is not None and not isinstance(inner, ir.Each)
        return replace(operation, operation=inner)
    if isinstance(operation, ir.Chain):
        return replace(operation, items=with_keys(operation.items, keys))
    return operation
