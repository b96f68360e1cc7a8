"""Put the parts of a spec among its blocks, and the blocks inside them beside them, under new names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.infer.evaluation import texts_in
from mimgraph.infer.outer_shares import calls
from mimgraph.infer.reuse.lift_params import unique_name
from mimgraph.ir.declared.graph import Block, Graph
from mimgraph.ir.declared.rewrite import with_keys
from mimgraph.language.parts.read_parts import Part
from mimgraph.language.reader.context import Context
from mimgraph.support.frozen_data import replace


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
