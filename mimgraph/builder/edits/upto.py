"""Cut a graph off at some of its results, which become the outputs."""

from __future__ import annotations

from dataclasses import replace

from mimgraph.builder.edits.block_names import used_blocks
from mimgraph.builder.edits.edit import Edit, EditedGraph
from mimgraph.builder.edits.paths import check_one_result, find
from mimgraph.builder.edits.scope import Scope
from mimgraph.diagnostics import Report
from mimgraph.infer.declared import params
from mimgraph.infer.evaluation import in_block, in_nodes
from mimgraph.infer.rewrites import choose
from mimgraph.infer.state import State
from mimgraph.infer.structure import needed_for, outer_shares
from mimgraph.ir.declared_graph import BlockInput, Graph, Input, Node, Output, Source
from mimgraph.ir.names import free_name
from mimgraph.ir.typed_graph import TypedGraph


def upto(graph: Graph, typed: TypedGraph, *paths: object) -> EditedGraph:
    """Return the graph whose outputs are these results; what only others need is gone."""
    edit = Edit(graph, typed)
    if not paths:
        raise TypeError(f'upto takes the names of nodes, graph.upto("{graph.nodes[-1].name}")')
    sources = [_source(edit, path) for path in paths]
    twice = next((one for one in sources if sources.count(one) > 1), None)
    if twice is not None:
        raise edit.fault("duplicate-name", f"{twice.text} is given twice")
    whole = needed_by(edit, edit.whole, sources)
    return edit.checked(whole._replace(outputs=_outputs(sources)))


def needed_by(edit: Edit, whole: Scope, sources: list[Source]) -> Scope:
    """Return a graph without the nodes and inputs on which none of the sources depends."""
    needed = _needed(replace(edit.graph, nodes=whole.nodes), sources)
    nodes = tuple([node for node in whole.nodes if node.name in needed])
    inputs = tuple([one for one in whole.inputs if one.name in needed])
    _check_sizes(edit, nodes, inputs)
    if not inputs:
        names = " and ".join(source.text for source in sources)
        message = f"no input of the graph leads to {names}, and a graph has inputs"
        raise edit.fault("missing-key", message, "name a result that depends on an input too")
    if len(inputs) == 1 and isinstance(inputs[0], Input):  # the batch is read from it
        inputs = (replace(inputs[0], optional=False),)
    return whole._replace(nodes=nodes, inputs=inputs)


def _source(edit: Edit, path: object) -> Source:
    """Return the result at a path, which may not lead into a block."""
    if isinstance(path, str) and path in edit.typed.body.outputs.keys() - {*edit.whole.names}:
        value = edit.typed.body.outputs[path]
        name = ".".join(filter(None, value))
        message = f"{path} is an output, and no node"
        raise edit.fault("unknown-source", message, f"it is the result of {name}: write {name!r}")
    if isinstance(path, str):
        name, _, port = path.partition(".")
        made = edit.typed.body.by_name.get(name)
        if port and made is not None and port in made.results:
            return Source(name, port, edit.span)
    place = find(edit, path, takes_results=True)
    if place.around:
        outer = place.around[0][1].name
        message = f"{place.path} is inside {outer}, and its result is known only there"
        help = f"add it to the outputs of the block, or write {outer!r}"
        raise edit.fault("unknown-source", message, help)
    check_one_result(edit, place)
    return Source(place.name, place.port, edit.span)


def _needed(graph: Graph, sources: list[Source]) -> set[str]:
    """Return the names of the inputs and nodes on which the sources depend."""
    values = params(State(graph.blocks, Report()), graph.params)
    chosen = choose(graph, values, Report())
    shared = outer_shares(chosen.blocks, [node.name for node in chosen.nodes])
    return needed_for(chosen.nodes, [source.name for source in sources], shared)


def _check_sizes(
    edit: Edit, nodes: tuple[Node, ...], inputs: tuple[Input | BlockInput, ...]
) -> None:
    """Raise an error if nodes read a named size that only other inputs have: `$T` would be unknown, or
    a param of that name."""
    kept = {one.name for one in inputs}
    sizes = [{*one.shape.names} if one.shape else set() for one in edit.graph.inputs]
    sized = dict(zip((one.name for one in edit.graph.inputs), sizes, strict=True))
    lost = {size: name for name, own in sized.items() if name not in kept for size in own}
    lost = {size: name for size, name in lost.items() if all(size not in sized[k] for k in kept)}
    if not lost:
        return
    read = {*in_nodes(nodes)}
    used = used_blocks(replace(edit.graph, nodes=nodes), {}, edit.resolved)
    for block in (edit.graph.blocks[key] for key in used):
        read |= {*in_block(block)} - block.own_names
    size = next((size for size in lost if size in read), None)
    if size is not None:
        message = (
            f"a node reads the size {size} of the input {lost[size]}, which nothing else needs"
        )
        raise edit.fault(
            "unknown-param", message, f"name a result that depends on {lost[size]} too"
        )


def _outputs(sources: list[Source]) -> tuple[Output, ...]:
    """Return the outputs, called after the nodes; of several, a port is `lstm_last`."""
    if len(sources) == 1:
        (sole,) = sources
        return (Output(sole.name, sole, sole.span),)
    taken = {source.name for source in sources if source.port is None}
    found = []
    for source in sources:
        name = source.name
        if source.port is not None:
            name = free_name(f"{name}_{source.port}", taken)
            taken.add(name)
        found.append(Output(name, source, source.span))
    return tuple(found)
