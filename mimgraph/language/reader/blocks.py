"""Read blocks: graphs with params, or chains, that nodes use by name."""

from __future__ import annotations

from mimgraph.ir.declared_graph import Block, BlockInput, InputShape, Node, Output, Source
from mimgraph.ir.declared_values import ANOTHER, OTHERS, Option
from mimgraph.ir.names import name_fault
from mimgraph.language.places import PLACES
from mimgraph.language.reader.chains import read_chain
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.inputs import read_block_input
from mimgraph.language.reader.mappings import check_keys, read_mapping, renewed, section_entries
from mimgraph.language.reader.nodes import read_nodes
from mimgraph.language.reader.outputs import read_outputs
from mimgraph.language.reader.params import read_block_params
from mimgraph.language.reader.shapes import read_sizes
from mimgraph.language.reader.values import faulty_option, read_text
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree, is_null


def read_blocks(context: Context, tree: Mapping) -> dict[str, Block]:
    """Return the blocks by name; one that cannot be read has no inputs and no outputs."""
    entries = section_entries(context, tree, "a block")
    found = {key.text: _read_block(context, key, value) for key, value in entries}
    for name in (*tree.lost, *context.lost_blocks):
        found.setdefault(name, Block(name, tree.span, {}, (), (), ()))
    return found


def _read_block(context: Context, key: Scalar, tree: Tree) -> Block:
    reason = name_fault(key.text)
    if reason is not None:
        context.fault(
            "bad-name", f"{key.text!r} cannot be the name of a block", key.span, help=reason
        )
    if not isinstance(tree, Mapping):
        context.wrong_type(
            "a block",
            "a mapping",
            tree,
            help="write {seq: [...]}, or {inputs: ..., nodes: ..., outputs: ...}",
        )
        return Block(key.text, key.span, {}, (), (), ())
    tree = renewed(context, "a block", tree)
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
    if tree.get("seq") is not None:
        return _chain_block(context, key, tree, params, readable, doc)
    for word in ("inputs", "nodes", "outputs"):
        if tree.get(word) is None and known:
            message = f"{key.text} needs {word}"
            context.fault("missing-key", message, key.span, help=f"give {word}, or a seq")
    return _graph_block(context, key, tree, params, readable, doc)


def _graph_block(
    context: Context,
    key: Scalar,
    tree: Mapping,
    params: dict[str, Option],
    inputs: tuple[BlockInput, ...],
    doc: str,
) -> Block:
    """Return a block with nodes; if its nodes or inputs cannot be read, any name may be a node or
    input."""
    nodes = read_mapping(context, "nodes", tree.get("nodes"))
    outputs = tree.get("outputs")
    context = context.in_scope(lost_names(tree.get("inputs"), tree.get("nodes")))
    if nodes is None or not inputs:
        context.lost.add(OTHERS)
    names = tree.get("inputs")
    if isinstance(names, Sequence) and len(inputs) < len(names.items):
        context.lost.add(ANOTHER)
    return Block(
        key.text,
        key.span,
        params,
        inputs,
        read_nodes(context, nodes, f"{key.text}.") if nodes else (),
        read_outputs(context, outputs, "an output of a block") if outputs is not None else (),
        doc=doc,
        lost=frozenset(context.lost),
    )


def _chain_block(
    context: Context,
    key: Scalar,
    tree: Mapping,
    params: dict[str, Option],
    inputs: tuple[BlockInput, ...],
    doc: str,
) -> Block:
    """Return a block that is a chain, as a graph of one node."""
    for word, _ in tree.entries:
        if word.text in ("nodes", "outputs"):
            help = "leave out one or the other"
            message = "a block has a seq or nodes, not both"
            context.fault("unknown-key", message, word.span, help=help)
    value = tree.get("seq")
    assert value is not None
    if len(inputs) > 1:
        context.fault("wrong-arity", "a block with a seq has one input", inputs[1].span)
    first = inputs[0] if inputs else BlockInput("x", key.span)
    chain = read_chain(context, value, key.text)
    node = Node("", key.span, chain, (Source(first.name, None, first.span),))
    output = Output("", Source("", None, value.span), value.span)
    return Block(key.text, key.span, params, (first,), (node,), (output,), is_chain=True, doc=doc)


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
        message = (
            f"{first.name} is the first input of a block, which runs on it, so it is not optional"
        )
        context.fault(
            "bad-option", message, first.span, help="put an input that is needed before it"
        )
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
        keys = [key for key, _ in tree.entries] if isinstance(tree, Mapping) else []
        if isinstance(tree, Mapping):
            found.update(tree.lost)
        elif isinstance(tree, Sequence):
            keys = [item for item in tree.items if isinstance(item, Scalar)]
        found.update(key.text.partition(".")[0] for key in keys if "." in key.text)
    return found
