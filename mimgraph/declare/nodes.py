"""Read nodes: each has one operation, sources, and words on how it runs and is trained."""

from __future__ import annotations

from dataclasses import replace

from mimgraph.declare.tensors import (
    read_scan,
    read_tensor,
    read_tensor_sources,
    scan_sources,
)
from mimgraph.declare.tree import Mapping, Scalar, Tree, is_null, texts
from mimgraph.declare.uses import (
    COMMON,
    read_apply,
    read_call,
    read_chain,
    read_common_options,
    read_name,
)
from mimgraph.declare.values import (
    Context,
    Entries,
    Entry,
    check_keys,
    entries_of,
    has_split_text,
    read_flag,
    read_mapping,
    read_option,
    read_options,
    read_source,
    read_sources,
    read_text,
    section_entries,
)
from mimgraph.diagnostics.nearest import nearest
from mimgraph.diagnostics.text import MAPPING, SEQ, drop, put, words
from mimgraph.ir.declared_graph import (
    BESIDE_FROM,
    VALUE_OPTION,
    AppliedOperation,
    Apply,
    Call,
    Each,
    Node,
    Operation,
    Share,
    Source,
)
from mimgraph.ir.declared_values import ANOTHER, OTHERS
from mimgraph.ir.grammar import CONSTANTS, KINDS, NODE_WORDS, OPS
from mimgraph.ops import registry
from mimgraph.source import Span

NODE_KEYS = (*NODE_WORDS, *CONSTANTS)


def read_nodes(context: Context, tree: Mapping, path: str) -> tuple[Node, ...]:
    """Return the nodes of a section `nodes`; `path` stands before their names: `block.`.

    Keys (`layer`, `from`) that follow an empty node and should be indented under it are left out; the
    empty node is reported.
    """
    nodes: list[Node] = []
    after_empty = is_outdented = False
    for key, value in section_entries(context, tree):
        is_outdented = after_empty and (
            key.text in NODE_KEYS or (is_outdented and not isinstance(value, Mapping))
        )
        if is_outdented:
            context.report.mentioned.update(texts(value))
            continue
        after_empty = is_null(value)
        nodes.append(read_node(context, key, value, path))
    return tuple(nodes)


def read_node(context: Context, key: Scalar, tree: Tree, path: str) -> Node:
    """Return a node; without an operation if it cannot be read."""
    here = path + key.text
    if not isinstance(tree, Mapping):
        help = "write {layer: ..., from: ...}"
        if is_null(tree):
            help = f"indent the keys of {key.text} more than its name, or {help}"
        context.wrong_type("a node", f"a {MAPPING}", tree, here, help)
        return Node(key.text, key.span, None)
    if has_split_text(context, tree, here):
        context.report.mentioned.update(texts(tree))
        return Node(key.text, key.span, None)
    before = len(context.report.diagnostics)
    entries = entries_of(tree)
    op = _find_operation(context, key, tree, entries, here)
    operation: Operation | None = None
    if op is not None:
        applied = _read_operation(context, op, tree, entries, here)
        operation = applied
        if applied is not None and "each" in entries:
            each = entries["each"]
            times = each if is_number_of_copies(each[1]) else None
            operation = read_each(context, applied, entries, times, each[0].span, here)
    sources, is_fed = _read_node_sources(context, op, tree, entries, here)
    if op is not None and op[0].text == "scan":  # whose `over` is read with it
        entries.pop("over", None)
    common = read_common_options(context, entries, here)
    if len(context.report.diagnostics) > before:
        context.report.mentioned.update(texts(tree))
    if not (is_fed and common.are_readable):
        operation = None
    whole = key.span.to(tree.span)
    take, over, freeze, training, _ = common
    return Node(key.text, key.span, operation, sources, take, freeze, whole, over, training)


def _find_operation(
    context: Context, key: Scalar, tree: Mapping, entries: Entries, here: str
) -> Entry | None:
    """Return the entry of a node's operation, such as `layer: Linear`; None after a report.

    A node that is indented into this one is marked as lost. So is one without a name, whose keys this
    node then has twice.
    """
    ops: list[Entry] = []
    for entry in tree.entries:
        word, value = entry
        if word.text in OPS:
            ops.append(entry)
        elif isinstance(value, Mapping) and word.text not in NODE_WORDS and is_node(value):
            context.lost.add(word.text)
            context.report.mentioned.update(texts(value))
    if tree.lost and not {"from", *OPS}.isdisjoint(tree.lost):
        context.lost.add(ANOTHER)
    ops = ops or [entry for entry in tree.entries if entry[0].text in CONSTANTS]
    if not ops:
        _report_no_operation(context, key, tree, here)
    elif len(ops) > 1:
        context.lost.add(ANOTHER)
        for extra, _ in ops[1:]:
            message = f"{key.text} is a {ops[0][0].text} already"
            help = "a node does one thing: make two nodes"
            context.fault("unknown-key", message, extra.span, help=help, node=here)
    if "each" in entries and "from" in entries and not is_number_of_copies(entries["each"][1]):
        message = f"{key.text} has each, so it cannot have from"
        help = f"remove {drop('from')}; for copies on one source write their number: each: 2"
        context.fault("unknown-key", message, entries["from"][0].span, help=help, node=here)
        return None
    return ops[0] if len(ops) == 1 else None


def _read_node_sources(
    context: Context, op: Entry | None, tree: Mapping, entries: Entries, here: str
) -> tuple[tuple[Source, ...] | None, bool]:
    """Return the sources of a node, None if there are none or one cannot be read; and whether all
    that is written of them could be read."""
    if op is not None and op[0].text in VALUE_OPTION:
        sources = read_tensor_sources(context, op, tree, here)
        return sources, sources is not None
    has_each = "each" in entries and not is_number_of_copies(entries["each"][1])
    fed_by = entries.get("each" if has_each else "from")
    sources = None if fed_by is None else read_sources(context, fed_by[1], here)
    if op is not None and op[0].text == "scan":
        sources = scan_sources(context, sources, tree, here)
        return sources, sources is not None
    second = None if op is None else second_source(op, entries)
    if second is not None and sources is not None:
        source = read_source(context, second[1], here, second[0])
        sources = None if source is None else (*sources, source)
    return sources, sources is not None or (fed_by is None and not tree.lost)


def second_source(op: Entry, entries: Entries) -> Entry | None:
    """Return the entry of a second source that has a key of its own, as `like` of `Cast`."""
    key, value = op
    if key.text != "layer" or not isinstance(value, Scalar) or value.text not in BESIDE_FROM:
        return None
    return entries.get(BESIDE_FROM[value.text]) if "each" not in entries else None


def is_number_of_copies(each: Tree | None) -> bool:
    """Return whether the value of `each` is a number, `4` or `$experts`, not sources."""
    return isinstance(each, Scalar) and (type(each.value) is int or each.text.startswith("$"))


def is_node(tree: Mapping) -> bool:
    """Return whether a mapping has the key of an operation, such as `layer` or `seq`."""
    return any(key.text in OPS for key, _ in tree.entries)


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
            help = f"write {put(kind)}: {value.span.excerpt().text}"
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


# Read the operation of a node: a layer, merge, block, chain, share, tensor or `each`.


def _read_operation(
    context: Context, op: Entry, tree: Mapping, entries: Entries, here: str
) -> AppliedOperation | None:
    """Return the operation of a node, without its `each`; `op` is its entry, such as `layer: Linear`."""
    key, value = op
    kind = key.text
    others: tuple[str, ...] = ("from", *COMMON)  # the keys that are not options
    if "each" in entries:
        others = ("from", "each", *COMMON, "shared")
    if kind == "seq":
        are_known = check_keys(context, f"a {SEQ}", tree, here, ("seq", *others))
        chain = read_chain(context, value, here)
        return chain if are_known or "from" in entries else None
    if kind in VALUE_OPTION:
        return read_tensor(context, op, tree, COMMON, here)
    if isinstance(value, Mapping):
        help = f"write the name alone, {kind}: NAME, and everything else next to it"
        context.wrong_type(kind, "a name", value, here, help)
        return None
    if kind == "share":
        return _read_share(context, value, entries, here)
    name = read_name(context, kind, value)
    if name is None:
        return None
    if "each" in entries:
        others = (*others, "with")  # it has the options of each source; without `each` it is one
    if second := second_source(op, entries):
        others = (*others, second[0].text)
    rest = entries.copy()
    for word in (kind, *others):
        rest.pop(word, None)
    if kind == "block":
        return read_call(context, name, value.span, rest, here)
    if kind == "scan":
        return _read_scan(context, op, name, tree, rest, here)
    return read_apply(context, kind, name, value.span, rest, here)


def read_each(
    context: Context,
    operation: AppliedOperation,
    entries: Entries,
    times: Entry | None,
    span: Span,
    here: str,
) -> Each | None:
    """Return the operation applied to each source, or so many `times` to one; None after a report."""
    _, given = entries.get("with", (None, None))
    options = read_mapping(context, "with", given)
    _, flag = entries.get("shared", (None, None))
    shared = read_flag(context, "shared", flag, here)
    if shared is None or (options is None and given is not None):
        return None
    if isinstance(operation, Apply) and operation.kind == "tensor":
        context.fault("unknown-key", f"{operation.name} cannot have each", span, node=here)
        return None
    if shared and (times or options is not None):
        wrong = f"it cannot have {words('with', 'with_')}"
        if times:
            wrong = "copies on one source would all give the same"
        at = span if times else entries["with"][0].span
        message = f"a shared each has one module, so {wrong}"
        context.fault("bad-option", message, at, node=here)
        return None
    with_ = read_options(context, entries_of(options)) if options else {}
    return Each(operation, with_, span, read_option(context, *times) if times else None, shared)


def _read_share(context: Context, tree: Tree, entries: Entries, here: str) -> Share | None:
    name = read_text(context, "share", tree)
    if name is None:
        return None
    options = [
        key for key, _ in entries.values() if key.text not in ("share", "from", "each", "over")
    ]
    for key in options:
        if key.value != OTHERS:
            help = f"remove {drop('it')}: the options of the shared node apply"
            message = "a share takes no options"
            context.fault("unknown-option", message, key.span, help=help, node=here)
    target, dot, item = name.partition(".")
    return None if options else Share(target, tree.span, item if dot else None)


def _read_scan(
    context: Context, op: Entry, name: str, tree: Mapping, rest: Entries, here: str
) -> Call | None:
    for word, help in (("each", "make a node for each"), ("repeat", "repeat a block that scans")):
        if tree.get(word) is not None:
            message, span = f"a scan cannot have {word}", tree.key(word).span
            context.fault("unknown-key", message, span, help=help, node=here)
            return None
    scan = read_scan(context, op, tree, here)
    params = {key: entry for key, entry in rest.items() if key not in ("over", "carry")}
    call = read_call(context, name, op[1].span, params, here)
    return None if scan is None else replace(call, scan=scan)
