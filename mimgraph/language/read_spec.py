"""Read a spec: from its text to the graph that it declares, with its blocks."""

from __future__ import annotations

from collections import abc
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mimgraph.declare.nodes import is_node, read_nodes
from mimgraph.declare.sections import (
    read_block_input,
    read_block_params,
    read_inputs,
    read_limits,
    read_outputs,
    read_params,
    read_sizes,
)
from mimgraph.declare.tree import Mapping, Scalar, Sequence, Tree, is_faulty, is_null
from mimgraph.declare.uses import read_chain
from mimgraph.declare.values import (
    Context,
    check_keys,
    faulty_option,
    read_mapping,
    read_text,
    section_entries,
)
from mimgraph.declare.values import read_value as plain_value
from mimgraph.diagnostics import Diagnostic, Label, Report
from mimgraph.diagnostics.text import drop, put, write
from mimgraph.infer.search import settled
from mimgraph.ir.declared_graph import (
    Block,
    BlockInput,
    Graph,
    InputShape,
    Node,
    Output,
    Source,
)
from mimgraph.ir.declared_values import ANOTHER, OTHERS
from mimgraph.ir.grammar import PLACES
from mimgraph.ir.names import class_fault, name_fault
from mimgraph.language.yaml_reader import compose
from mimgraph.source import SourceFile

if TYPE_CHECKING:
    from mimgraph.language.files import Place


def read_blocks(context: Context, tree: Mapping) -> dict[str, Block]:
    """Return the blocks by name; one that cannot be read has no inputs and no outputs."""
    entries = section_entries(context, tree, "a block")
    found = {key.text: _read_block(context, key, value) for key, value in entries}
    for name in (*tree.lost, *context.lost_blocks):
        found.setdefault(name, Block(name, tree.span, {}, (), (), ()))
    return found


def _read_block(context: Context, key: Scalar, tree: Tree) -> Block:
    if reason := name_fault(key.text):
        message = f"{key.text!r} cannot be the name of a block"
        context.fault("bad-name", message, key.span, help=reason)
    if not isinstance(tree, Mapping):
        help = "write {seq: [...]}, or {inputs: ..., nodes: ..., outputs: ...}"
        context.wrong_type("a block", "a mapping", tree, help=help)
        return Block(key.text, key.span, {}, (), (), ())
    known = check_keys(context, "a block", tree)
    if not known:  # an unknown key may be another block, indented too deep, or a misspelt `params`
        words = (word.text for word, value in tree.entries if isinstance(value, Mapping))
        context.lost_blocks.update(word for word in words if word not in PLACES["a block"])
        tree = tree.with_faulty("params")
    params = read_block_params(context, tree.get("params"))
    inputs = _read_inputs(context, tree.get("inputs"))
    has_inputs = tree.get("inputs") is not None or (known and tree.get("seq") is not None)
    if None in inputs or not has_inputs:
        # the pattern of an input that could not be read may name any size: no name is unknown here
        params[OTHERS] = faulty_option(tree.span)
    readable = tuple(one for one in inputs if one is not None)
    doc = read_text(context, "doc", tree.get("doc")) or ""
    block = Block(key.text, key.span, params, readable, (), (), doc=doc)
    if (chain := tree.get("seq")) is not None:
        return _with_chain(context, block, tree, chain)
    for word in ("inputs", "nodes", "outputs"):
        if tree.get(word) is None and known:
            message = f"{key.text} needs {word}"
            given = put(f"outputs: {_last(tree)}") if word == "outputs" else word
            context.fault("missing-key", message, key.span, help=f"give {given}, or a seq")
    return _with_nodes(context, block, tree)


def _last(tree: Mapping) -> str:
    """Return the name of the last node of a spec or block, an example of its outputs."""
    nodes = tree.get("nodes")
    return nodes.entries[-1][0].text if isinstance(nodes, Mapping) and nodes.entries else "y"


def _with_nodes(context: Context, block: Block, tree: Mapping) -> Block:
    """Return a block with its nodes and outputs; if its nodes or inputs cannot be read, any name may be
    a node or input."""
    nodes = read_mapping(context, "nodes", tree.get("nodes"))
    outputs = tree.get("outputs")
    context = replace(context, lost=lost_names(tree.get("inputs"), tree.get("nodes")))
    if nodes is None or not block.inputs:
        context.lost.add(OTHERS)
    names = tree.get("inputs")
    if isinstance(names, Sequence) and len(block.inputs) < len(names.items):
        context.lost.add(ANOTHER)
    return replace(
        block,
        nodes=read_nodes(context, nodes, f"{block.family}.") if nodes else (),
        outputs=read_outputs(context, outputs, "an output of a block") if outputs else (),
        lost=frozenset(context.lost),
    )


def _with_chain(context: Context, block: Block, tree: Mapping, value: Tree) -> Block:
    """Return a block that is a chain, as a graph of one node."""
    for word, _ in tree.entries:
        if word.text in ("nodes", "outputs"):
            help = f"remove {drop('one or the other')}"
            message = "a block has a seq or nodes, not both"
            context.fault("unknown-key", message, word.span, help=help)
    if len(block.inputs) > 1:
        context.fault("wrong-arity", "a block with a seq has one input", block.inputs[1].span)
    first = block.inputs[0] if block.inputs else BlockInput("x", block.span)
    chain = read_chain(context, value, block.family)
    node = Node("", block.span, chain, (Source(first.name, None, first.span),))
    output = Output("", Source("", None, value.span), value.span)
    return replace(block, inputs=(first,), nodes=(node,), outputs=(output,), is_chain=True)


def _read_inputs(context: Context, tree: Tree | None) -> tuple[BlockInput | None, ...]:
    """Read `[x, g]`, `{x: [C, H, W]}` or `{x: [C], m: {optional: true}}`; None stands for an input that
    cannot be read."""
    if tree is None:
        return ()
    if isinstance(tree, Scalar):
        return (_named_input(context, "inputs", tree),)
    if not (tree.entries or tree.lost if isinstance(tree, Mapping) else tree.items):
        context.wrong_type("inputs", "the names of at least one input", tree)
    if isinstance(tree, Sequence):
        return tuple(_named_input(context, "an input of a block", item) for item in tree.items)
    found: list[BlockInput | None] = [None] if tree.lost else []
    for key, value in tree.entries:
        if isinstance(value, Mapping):
            detailed = read_block_input(context, key, value)
            found += [BlockInput(key.text, key.span), None] if detailed is None else [detailed]
            continue
        pattern = _read_pattern(context, value)
        found.append(BlockInput(key.text, key.span, pattern))
        if pattern is None and not is_null(value):
            found.append(None)
    first = next(iter(found), None)
    if first is not None and first.optional is not False:
        reason = "is the first input of a block, which runs on it, so it is not optional"
        help = "put an input that is needed before it"
        context.fault("bad-option", f"{first.name} {reason}", first.span, help=help)
    return tuple(found)


def _named_input(context: Context, what: str, tree: Tree) -> BlockInput | None:
    """Return an input that takes any shape."""
    name = read_text(context, what, tree)
    return BlockInput(name, tree.span) if name is not None else None


def _read_pattern(context: Context, tree: Tree) -> InputShape | None:
    """Return a pattern of sizes and names; None for null, which allows any shape, and after
    reporting another value."""
    if isinstance(tree, Sequence):
        return read_sizes(context, tree)
    if not is_null(tree):
        context.wrong_type("an input of a block", "a list of sizes and names, or a mapping", tree)
    return None


def lost_names(*sections: Tree | None) -> set[str]:
    """Return the names in these sections whose keys could not be read; for a key `head.fc` also
    `head`, as a source `head.fc` is read as the port `fc` of `head`."""
    found: set[str] = set()
    for tree in sections:
        keys: Iterable[Tree] = ()
        if isinstance(tree, Mapping):
            found.update(tree.lost)
            keys = [key for key, _ in tree.entries]
        elif isinstance(tree, Sequence):
            keys = tree.items
        for key in keys:
            if isinstance(key, Scalar) and "." in key.text:
                found.add(key.text.partition(".")[0])
    return found


# Read a whole spec: from its text to the graph it declares.


LANGUAGE = "1"  # the version of the language
DEFAULT_NAME = "Model"
EXAMPLE = {"inputs": "{x: [5]}", "nodes": "{y: {layer: ReLU, from: x}}", "outputs": "y"}


def read(
    file: SourceFile,
    report: Report,
    params: abc.Mapping[str, Any] | None = None,
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
    params: abc.Mapping[str, Any] | None = None,
    place: Place | None = None,
) -> Graph | None:
    """Return the graph that the tree of a spec declares; None if it is no mapping."""
    if not isinstance(tree, Mapping):
        if not is_faulty(tree):
            report.add(Diagnostic("wrong-type", "a spec must be a mapping", tree.span))
        return None
    return _read_graph(Context(report, file.start), place, tree, params or {})


def read_value(text: str, name: str) -> Any:
    """Return the value of a text in YAML, such as `64` or `[64, 128]`; raise a `SpecError` for a
    fault."""
    report = Report()
    file = SourceFile(name, text)
    tree = compose(file, report.add)
    report.raise_if_any()
    if tree is None or not text.strip():
        return None
    return plain_value(Context(report, file.start), tree)


def _read_graph(
    context: Context, place: Place | None, tree: Mapping, overrides: abc.Mapping[str, Any]
) -> Graph:
    if check_keys(context, "a spec", tree):
        for key in EXAMPLE:
            if tree.get(key) is None:
                tree = _without_section(context, key, tree)
    else:  # an unknown key may mean one of these
        tree = tree.with_faulty("params", "parts", "blocks", "outputs")
    if (version := tree.get("mimgraph")) is not None:
        _check_version(context, version)
    nodes = read_mapping(context, "nodes", tree.get("nodes"))
    blocks = read_mapping(context, "blocks", tree.get("blocks"))
    if blocks is None and tree.get("blocks") is not None:
        nodes = None  # nodes that use a block cannot be read either
    parts = read_mapping(context, "parts", tree.get("parts"))
    if parts is None and tree.get("parts") is not None:
        nodes = None
    names: set[str] = set()  # also those whose blocks cannot be read
    for section in (blocks, parts):
        if section is not None:
            names.update(section.lost, [key.text for key, _ in section.entries])
    context = replace(context, blocks=frozenset(names))
    inputs = read_mapping(context, "inputs", tree.get("inputs"))
    if inputs is not None and not (inputs.entries or inputs.lost):
        context.wrong_type("inputs", "a mapping of at least one input", inputs)
    params = read_params(context, tree.get("params"), overrides)
    block_definitions = read_blocks(context, blocks) if blocks else {}
    context.lost = lost_names(inputs, nodes)
    name, outputs, limits = tree.get("name"), tree.get("outputs"), tree.get("limits")
    graph = Graph(
        name=DEFAULT_NAME if name is None else _class_name(context, name),
        origin=context.origin,
        params=params,
        inputs=read_inputs(context, inputs) if inputs else (),
        blocks=block_definitions,
        nodes=read_nodes(context, nodes, "") if nodes else (),
        outputs=read_outputs(context, outputs) if outputs is not None else (),
        doc=read_text(context, "doc", tree.get("doc")) or "",
        lost=frozenset(context.lost),
        limits=None if limits is None else read_limits(context, tree.key("limits"), limits),
    )
    if overrides and (fixed := [name for name in overrides if name in graph.spaces]):
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
    from mimgraph.language.parts import read_parts, with_parts

    return with_parts(context, graph, read_parts(context, place, parts))


def _without_section(context: Context, word: str, tree: Mapping) -> Mapping:
    """Report that a section is missing, and return the spec; if the section is indented into
    another one, move it out."""
    for key, section in tree.entries:
        for inner, value in section.entries if isinstance(section, Mapping) else ():
            if inner.text == word and not (isinstance(value, Mapping) and is_node(value)):
                labels = (Label(inner.span, f"here {word} is inside {key.text}"),)
                help = f"indent {word} as much as {key.text}"
                message = f"the spec has no {word}"
                fault = Diagnostic("missing-key", message, context.origin, labels=labels, help=help)
                context.report.add(fault)
                return tree.outdented(key, inner)
    example = _last(tree) if word == "outputs" else EXAMPLE[word]
    message, help = f"the spec has no {word}", write(f"{word}: {example}")
    context.fault("missing-key", message, context.origin, help=help)
    return tree


def _check_version(context: Context, tree: Tree) -> None:
    if not (isinstance(tree, Scalar) and tree.text == LANGUAGE):
        context.fault("bad-option", f"the version of the language must be {LANGUAGE}", tree.span)


def _class_name(context: Context, tree: Tree) -> str:
    """Return the name of the emitted class."""
    name = read_text(context, "name", tree)
    if name is not None and (reason := class_fault(name)):
        context.fault("bad-name", f"{name!r} cannot be a class name", tree.span, help=reason)
        return DEFAULT_NAME
    return name or DEFAULT_NAME
