"""Read the section `parts`: each part is a spec in a file of its own, and a block of this one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from mimgraph.declare.tree import Mapping, Scalar, Tree
from mimgraph.declare.values import Context, as_text
from mimgraph.diagnostics import Diagnostic, Label, Report
from mimgraph.diagnostics.text import drop
from mimgraph.infer.evaluation import texts_in
from mimgraph.infer.reuse import (
    as_block,
    check_untyped,
    fixed_params,
    lift_params,
    unique_name,
    with_values,
)
from mimgraph.infer.rewrites import choose
from mimgraph.infer.structure import calls, inner_blocks, reached
from mimgraph.ir.declared_graph import Block, Graph
from mimgraph.ir.names import name_fault
from mimgraph.ir.rewrite import with_keys
from mimgraph.language.files import Place, ReadPart, Refused, read_bytes
from mimgraph.language.read_spec import read
from mimgraph.source import SourceFile, Span


class Part(NamedTuple):
    """A part as it is named in `parts`; `block` is None if it could not be read."""

    name: str
    span: Span
    block: Block | None


def read_parts(context: Context, place: Place | None, section: Mapping) -> list[Part]:
    """Return the parts of a spec at a place, None for a text that is no file; the faults of a part are
    reported in its file."""
    found = {name: Part(name, section.span, None) for name in section.lost}
    if place is None and section.entries:
        message = "a part is a file next to the spec, but this spec is not a file"
        help = "save the spec as a file and load that, or write the part as a block"
        context.fault("bad-part", message, section.entries[0][1].span, help=help)
    for key, tree in section.entries:
        block = None
        if place is not None and not place.files.is_full:
            is_named = _check_name(context, key)
            block = _read_entry(context, place, key, tree) if is_named else None
        found[key.text] = Part(key.text, key.span, block)
    return [*found.values()]


def _check_name(context: Context, key: Scalar) -> bool:
    """Return whether a part may have this name; report it if not."""
    reason = name_fault(key.text)
    if reason is not None:
        message = f"{key.text!r} cannot be the name of a part"
        context.fault("bad-name", message, key.span, help=reason)
    return reason is None


def _read_entry(context: Context, place: Place, key: Scalar, tree: Tree) -> Block | None:
    """Return the block of a part; None if it cannot be read, which is reported."""
    if not isinstance(tree, Scalar) or tree.name is None:
        context.wrong_type("a part", "the path of a spec", tree, help=as_text(tree))
        return None
    try:
        return _read_part(context, place.part(tree.name), key.text, tree)
    except Refused as refused:
        context.fault(refused.code, refused.message, tree.span, help=refused.help)
        return None


def _read_part(context: Context, place: Place, name: str, tree: Scalar) -> Block | None:
    """Return the block of the part at this place, read only once; None if it has a fault, which is
    reported."""
    if ring := place.ring:
        message = f"parts contain each other: {' -> '.join(ring)}"
        raise Refused(message, "a part cannot contain itself", "cycle")
    files, real = place.files, place.around[-1]
    files.count(1, 0)
    if real in files.read:
        known = files.read[real]
        files.count(known.parts, known.size)
        return known.block
    parts, size = files.parts, files.size
    data = read_bytes(place, tree.text)
    files.count(0, len(data))
    report = Report()
    block = _checked(place, data, report)
    if report.diagnostics:
        block = None
        # one note says how the file comes into play; more would repeat it
        first, *others = report.diagnostics
        label = Label(tree.span, f"read here, as the part {name}")
        for one in (replace(first, labels=(*first.labels, label)), *others):
            context.report.add(one)
    files.read[real] = ReadPart(block, files.parts - parts, files.size - size)
    return block


def _checked(place: Place, data: bytes, report: Report) -> Block | None:
    """Return the spec in a file as a block with the blocks inside it, checked as far as it can be
    without types."""
    file = SourceFile(place.path, data.decode(errors="surrogateescape"))
    graph = read(file, report, place=place)
    if graph is None:
        return None
    fixed = fixed_params(graph, report)
    graph = choose(graph, fixed, report)
    check_untyped(graph, report)
    if report.diagnostics:
        return None
    blocks = {key: with_values(block, fixed) for key, block in graph.blocks.items()}
    own = {
        name: option._replace(space=None)  # only the spec that is searched has a space
        for name, option in graph.params.items()
        if name not in fixed
    }
    lifted = lift_params(replace(graph, params=own, blocks=blocks))
    block = with_values(as_block(lifted, graph.name, graph.origin, own), fixed)
    if graph.outputs and not block.outputs:
        message = "every output is for training only, so the part has none"
        report.add(Diagnostic("bad-option", message, graph.outputs[0].span))
    else:
        _check_inputs(block, report)
    used = reached((call.block for call in calls(block.nodes)), inner_blocks(lifted.blocks))
    return replace(block, inner={key: lifted.blocks[key] for key in lifted.blocks if key in used})


def _check_inputs(block: Block, report: Report) -> None:
    """Report inputs that only outputs for training need."""
    read = {source.name for node in block.nodes for source in node.sources or ()}
    read.update(output.source.name for output in block.outputs)
    for one in block.inputs:
        if one.name not in read:
            message = f"only outputs for training need {one.name}, and a part has none"
            help = f"remove {drop('the input')}, or make the output one of evaluation as well"
            report.add(Diagnostic("unused-input", message, one.span, help=help))


def with_parts(context: Context, graph: Graph, parts: Sequence[Part]) -> Graph:
    """Return the graph with its parts as blocks.

    A block inside a part is private: it gets a name that the text of the spec uses nowhere.
    """
    taken = {*graph.blocks, *(part.name for part in parts), *_used_names(graph)}
    found: dict[str, Block] = {}
    for part in parts:
        is_taken = part.name in graph.blocks
        if is_taken:
            _report_taken(context, part, graph.blocks[part.name])
        if part.block is None or is_taken:
            found[part.name] = Block(part.name, part.span, {}, (), (), ())
        else:
            found |= _linked(part, part.block, taken)
    others = {key: block for key, block in graph.blocks.items() if key not in found}
    return replace(graph, blocks={**found, **others})


def _used_names(graph: Graph) -> Iterator[str]:
    """Yield every name of a block that the spec writes, or that a param may give."""
    for nodes in (graph.nodes, *(block.nodes for block in graph.blocks.values())):
        yield from (call.block for call in calls(nodes))
    yield from texts_in([option.value for option in graph.params.values()])


def _linked(part: Part, block: Block, taken: set[str]) -> dict[str, Block]:
    """Return a part and the blocks inside it by name."""
    keys: dict[str, str] = {}
    for key in block.inner:
        keys[key] = unique_name(f"{part.name}_{key}", taken)
        taken.add(keys[key])
    found = {
        keys[key]: replace(
            inner, family=keys[key], nodes=with_keys(inner.nodes, keys), is_private=True
        )
        for key, inner in block.inner.items()
    }
    nodes = with_keys(block.nodes, keys)
    found[part.name] = replace(block, family=part.name, span=part.span, nodes=nodes, inner={})
    return found


def _report_taken(context: Context, part: Part, block: Block) -> None:
    message = f"a part and a block are called {part.name}"
    labels = (Label(block.span, "the block"),)
    help = "rename one of them: parts and blocks share one namespace"
    fault = Diagnostic("duplicate-name", message, part.span, labels=labels, help=help)
    context.report.add(fault)
