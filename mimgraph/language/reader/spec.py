"""Read a whole spec: from its text to the graph it declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mimgraph.diagnostics import Diagnostic, Label, Report
from mimgraph.infer.search import settled
from mimgraph.ir.declared_graph import LIMITED, DeclaredLimits, Graph
from mimgraph.ir.names import class_fault
from mimgraph.language.reader import values
from mimgraph.language.reader.blocks import lost_names, read_blocks
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.inputs import read_inputs
from mimgraph.language.reader.mappings import check_keys, read_mapping, renewed
from mimgraph.language.reader.nodes import is_node, read_nodes
from mimgraph.language.reader.outputs import read_outputs
from mimgraph.language.reader.params import read_params
from mimgraph.language.reader.values import read_option, read_text
from mimgraph.language.yaml_tree.compose import compose
from mimgraph.language.yaml_tree.tree import Mapping as MappingTree
from mimgraph.language.yaml_tree.tree import Scalar, Tree, is_faulty
from mimgraph.source import SourceFile

if TYPE_CHECKING:
    from mimgraph.language.parts.part_files import Place

LANGUAGE = "1"  # the version of the language
DEFAULT_NAME = "Model"
EXAMPLE = {"inputs": "{x: [5]}", "nodes": "{y: {layer: ReLU, from: x}}", "outputs": "y"}


def read(
    file: SourceFile,
    report: Report,
    params: Mapping[str, Any] | None = None,
    place: Place | None = None,
) -> Graph | None:
    """Return the graph that a spec declares, with `params` in place of its own.

    Return None if the text is no YAML, or no mapping. `place` says where its parts are found.
    """
    tree = compose(file, report.add)
    return None if tree is None else read_tree(tree, file, report, params, place)


def read_tree(
    tree: Tree,
    file: SourceFile,
    report: Report,
    params: Mapping[str, Any] | None = None,
    place: Place | None = None,
) -> Graph | None:
    """Return the graph that the tree of a spec declares; None if it is no mapping."""
    if not isinstance(tree, MappingTree):
        if not is_faulty(tree):
            report.add(Diagnostic("wrong-type", "a spec must be a mapping", tree.span))
        return None
    graph = _read_graph(Context(report, file.start, place), tree, params or {})
    return replace(graph, renamed=tuple(report.renamed)) if report.renamed else graph


def read_value(text: str, name: str) -> Any:
    """Return the value of a text in YAML, such as `64` or `[64, 128]`; raise a `SpecError` for a
    fault."""
    report = Report()
    file = SourceFile(name, text)
    tree = compose(file, report.add)
    report.raise_if_any()
    if tree is None or not text.strip():
        return None
    return values.read_value(Context(report, file.start), tree)


def _read_graph(context: Context, tree: MappingTree, overrides: Mapping[str, Any]) -> Graph:
    tree = renewed(context, "a spec", tree)
    if check_keys(context, "a spec", tree):
        for key in EXAMPLE:
            if tree.get(key) is None:
                tree = _without_section(context, key, tree)
    else:  # an unknown key may mean one of these
        tree = tree.with_faulty("params", "parts", "blocks", "outputs")
    _check_version(context, tree.get("mimgraph"))
    nodes = read_mapping(context, "nodes", tree.get("nodes"))
    blocks = read_mapping(context, "blocks", tree.get("blocks"))
    if blocks is None and tree.get("blocks") is not None:
        nodes = None  # nodes that use a block cannot be read either
    parts = read_mapping(context, "parts", tree.get("parts"))
    if parts is None and tree.get("parts") is not None:
        nodes = None
    context = replace(context, blocks=_names_of(blocks, parts))
    inputs = read_mapping(context, "inputs", tree.get("inputs"))
    if inputs is not None and not (inputs.entries or inputs.lost):
        context.wrong_type("inputs", "a mapping of at least one input", inputs)
    params = read_params(context, tree.get("params"), overrides)
    block_definitions = read_blocks(context, blocks) if blocks else {}
    context = context.in_scope(lost_names(inputs, nodes))
    outputs = tree.get("outputs")
    graph = Graph(
        name=_class_name(context, tree.get("name")),
        origin=context.origin,
        params=params,
        inputs=read_inputs(context, inputs) if inputs else (),
        blocks=block_definitions,
        nodes=read_nodes(context, nodes, "") if nodes else (),
        outputs=read_outputs(context, outputs) if outputs is not None else (),
        doc=read_text(context, "doc", tree.get("doc")) or "",
        lost=frozenset(context.lost),
        limits=_limits(context, tree),
    )
    if fixed := [name for name in overrides if name in graph.spaces]:
        point = settled(graph, {}, fixed)
        # a given param stays, though only other choices may read it: it is declared
        known = {
            name: one._replace(space=None) for name, one in params.items() if name in overrides
        }
        known.update(point.params)
        graph = replace(point, params={name: known[name] for name in params if name in known})
    if parts is None:
        return graph
    # needed by specs with parts alone
    from mimgraph.language.parts.read_parts import read_parts, with_parts

    return with_parts(context, graph, read_parts(context, parts))


def _limits(context: Context, tree: MappingTree) -> DeclaredLimits | None:
    """Return the limits of the cost, if the spec has any; a value that is no mapping is reported."""
    entry = tree.entry("limits")
    limits = read_mapping(context, "limits", None if entry is None else entry[1])
    if entry is None or limits is None:
        return None
    check_keys(context, "limits", limits)
    sizes = read_mapping(context, "sizes", limits.get("sizes"))
    amounts = [one for one in limits.entries if one[0].text in LIMITED]
    return DeclaredLimits(
        entry[0].span,
        {key.text: read_option(context, key, value) for key, value in amounts},
        {key.text: read_option(context, key, value) for key, value in sizes.entries}
        if sizes
        else {},
    )


def _names_of(*sections: MappingTree | None) -> frozenset[str]:
    """Return the names that sections give, also those whose values cannot be read."""
    read = [section for section in sections if section is not None]
    names = (key.text for section in read for key, _ in section.entries)
    return frozenset((*names, *(name for section in read for name in section.lost)))


def _without_section(context: Context, word: str, tree: MappingTree) -> MappingTree:
    """Report that a section is missing, and return the spec; if the section is indented into
    another one, move it out."""
    for key, section in tree.entries:
        for inner, value in section.entries if isinstance(section, MappingTree) else ():
            if inner.text == word and not (isinstance(value, MappingTree) and is_node(value)):
                labels = (Label(inner.span, f"here {word} is inside {key.text}"),)
                help = f"indent {word} as much as {key.text}"
                message = f"the spec has no {word}"
                fault = Diagnostic("missing-key", message, context.origin, labels=labels, help=help)
                context.report.add(fault)
                return tree.outdented(key, inner)
    nodes, example = tree.get("nodes"), EXAMPLE[word]
    if word == "outputs" and isinstance(nodes, MappingTree) and nodes.entries:
        example = nodes.entries[-1][0].text
    message, help = f"the spec has no {word}", f"write {word}: {example}"
    context.fault("missing-key", message, context.origin, help=help)
    return tree


def _check_version(context: Context, tree: Tree | None) -> None:
    if tree is not None and not (isinstance(tree, Scalar) and tree.text == LANGUAGE):
        context.fault("bad-option", f"the version of the language must be {LANGUAGE}", tree.span)


def _class_name(context: Context, tree: Tree | None) -> str:
    """Return the name of the emitted class."""
    name = read_text(context, "name", tree)
    if name is None or tree is None:
        return DEFAULT_NAME
    reason = class_fault(name)
    if reason is not None:
        context.fault("bad-name", f"{name!r} cannot be a class name", tree.span, help=reason)
        return DEFAULT_NAME
    return name
