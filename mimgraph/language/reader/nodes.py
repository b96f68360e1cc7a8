"""Read the nodes of a graph or block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mimgraph.diagnostics.nearest import nearest
from mimgraph.ir.declared_graph import Node, Source
from mimgraph.ir.declared_values import ANOTHER
from mimgraph.ir.names import CONSTANTS, NODE_WORDS, OPS
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.mappings import (
    Entry,
    entries_of,
    has_split_text,
    renewed,
    section_entries,
)
from mimgraph.language.reader.operations import counts, read_operation, second_source
from mimgraph.language.reader.scans import scan_sources
from mimgraph.language.reader.sources import read_source, read_sources
from mimgraph.language.reader.tensors import is_tensor, read_tensor_sources
from mimgraph.language.reader.training import read_freeze, read_training
from mimgraph.language.reader.uses import read_over, read_take
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Tree, is_null, texts
from mimgraph.ops import registry

KINDS = (*OPS, *CONSTANTS)  # the keys that say what a node does
WORDS = (*NODE_WORDS, *CONSTANTS)


def read_nodes(context: Context, tree: Mapping, path: str) -> tuple[Node, ...]:
    """Return the nodes of a section `nodes`; `path` stands before their names: `block.`."""
    entries = _without_outdented_keys(context, section_entries(context, tree))
    return tuple([read_node(context, key, value, path) for key, value in entries])


def is_node(tree: Mapping) -> bool:
    """Return whether a mapping has the key of an operation, such as `layer` or `seq`."""
    return any(key.text in OPS for key, _ in tree.entries)


def _without_outdented_keys(context: Context, entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries of nodes, without keys (`layer`, `from`) that follow an empty node and
    should be indented under it; the empty node is reported."""
    empty = inside = False
    for key, value in entries:
        inside = empty and (key.text in WORDS or (inside and not isinstance(value, Mapping)))
        if inside:
            context.report.mentioned.update(texts(value))
            continue
        empty = is_null(value)
        yield key, value


def read_node(context: Context, key: Scalar, tree: Tree, path: str) -> Node:
    """Return a node; without an operation if it cannot be read."""
    here = path + key.text
    if not isinstance(tree, Mapping):
        help = "write {layer: ..., from: ...}"
        if is_null(tree):
            help = f"indent the keys of {key.text} more than its name, or {help}"
        context.wrong_type("a node", "a mapping", tree, here, help)
        return Node(key.text, key.span, None)
    tree = renewed(context, "a node", tree, here)
    if has_split_text(context, tree, here):
        context.report.mentioned.update(texts(tree))
        return Node(key.text, key.span, None)
    _note_misplaced(context, tree)
    before = len(context.report.diagnostics)
    op = _operation_entry(context, key, tree, here)
    if _has_from_and_each(context, key, tree, here):
        op = None
    operation = None if op is None else read_operation(context, op, tree, here)
    fed_by = _sources_tree(op, tree)
    sources = _node_sources(context, op, fed_by, tree, here)
    take_tree = tree.get("take")
    take = read_take(context, take_tree, here)
    is_scan = op is not None and op[0].text == "scan"  # whose `over` is read with it
    over_entry = None if is_scan else tree.entry("over")
    over = read_over(context, over_entry, here)
    freeze = read_freeze(context, tree.get("freeze"), here)
    training = read_training(context, entries_of(tree))
    if len(context.report.diagnostics) > before:
        context.report.mentioned.update(texts(tree))
    is_fed = sources is not None or (fed_by is None and not tree.lost and not is_scan)
    is_taken = take is not None or take_tree is None
    is_axis = over is not None or over_entry is None
    operation = operation if is_fed and is_taken and is_axis else None
    whole = key.span.to(tree.span)
    return Node(key.text, key.span, operation, sources, take, freeze, whole, over, training)


def _sources_tree(op: Entry | None, tree: Mapping) -> Tree | None:
    """Return the tree with the sources of a node: the value of `from`, `each` or a tensor's key."""
    if op is not None and is_tensor(op):
        return op[1]
    return tree.get("from" if tree.get("each") is None or counts(tree) else "each")


def _node_sources(
    context: Context, op: Entry | None, fed_by: Tree | None, tree: Mapping, here: str
) -> tuple[Source, ...] | None:
    """Return the sources of a node; None if one cannot be read."""
    if op is not None and is_tensor(op):
        return read_tensor_sources(context, op, tree, here)
    sources = read_sources(context, fed_by, here)
    if op is None:
        return sources
    if op[0].text == "scan":
        return scan_sources(context, sources, tree, here)
    second = second_source(op, tree)
    if second is None or sources is None:
        return sources
    source = read_source(context, second[1], here, second[0])
    return None if source is None else (*sources, source)


def _note_misplaced(context: Context, tree: Mapping) -> None:
    """Mark nodes as lost that are indented into this one, or whose name is missing, which gives
    this node the same keys twice."""
    for key, value in tree.entries:
        if isinstance(value, Mapping) and key.text not in NODE_WORDS and is_node(value):
            context.lost.add(key.text)
            context.report.mentioned.update(texts(value))
    if tree.lost and not {"from", *OPS}.isdisjoint(tree.lost):
        context.lost.add(ANOTHER)


def _operation_entry(context: Context, key: Scalar, tree: Mapping, here: str) -> Entry | None:
    """Return the entry of a node's operation; None after reporting that there is none or
    several."""
    ops = [entry for entry in tree.entries if entry[0].text in OPS]
    ops = ops or [entry for entry in tree.entries if entry[0].text in CONSTANTS]
    if not ops:
        _report_no_operation(context, key, tree, here)
        return None
    if len(ops) > 1:
        context.lost.add(ANOTHER)
        for extra, _ in ops[1:]:
            message = f"{key.text} is a {ops[0][0].text} already"
            help = "a node does one thing: make two nodes"
            context.fault("unknown-key", message, extra.span, help=help, node=here)
    return ops[0] if len(ops) == 1 else None


def _has_from_and_each(context: Context, key: Scalar, tree: Mapping, here: str) -> bool:
    """Report a node with both `from` and `each`; return whether it has both."""
    if tree.get("each") is None or tree.get("from") is None or counts(tree):
        return False
    message = f"{key.text} has each, so it cannot have from"
    help = "leave from out; for copies on one source write their number: each: 2"
    context.fault("unknown-key", message, tree.key("from").span, help=help, node=here)
    return True


def _report_no_operation(context: Context, key: Scalar, tree: Mapping, here: str) -> None:
    """Report a node without an operation, at the key that is probably meant as one."""
    others = [entry for entry in tree.entries if entry[0].text not in NODE_WORDS]
    for other, _ in others:
        if nearest(other.text, KINDS):
            context.unknown_key("a node", other, KINDS, tree, here)
            return
    for other, value in others:
        if kind := _op_kind(context, value):
            message = f"a node has no key {other.text!r}"
            help = f"write {kind}: {value.span.excerpt().text}"
            context.fault("unknown-key", message, other.span, help=help, node=here, tree=tree)
            return
    if not tree.lost:
        message, help = f"{key.text} does not say what it does", f"give one of {', '.join(KINDS)}"
        context.fault("missing-key", message, key.span, help=help, node=here)


def _op_kind(context: Context, value: Tree) -> str:
    """Return "layer", "merge" or "block" if the value is the name of one, else ""."""
    name = value.name if isinstance(value, Scalar) else None
    if name is None or name in context.blocks:
        return "block" if name else ""
    return next((kind for kind in ("layer", "merge") if registry.find(kind, name)), "")
