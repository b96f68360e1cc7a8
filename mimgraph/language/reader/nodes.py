"""Read nodes: each has one operation, sources, and words on how it runs and is trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mimgraph.diagnostics.nearest import nearest
from mimgraph.ir.declared_graph import (
    BESIDE_FROM,
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
from mimgraph.ir.names import BESIDE, CONSTANTS, NODE_WORDS, OPS, TRAINING
from mimgraph.language.reader.context import (
    Context,
    Entries,
    Entry,
    check_known_keys,
    entries_of,
    has_split_text,
    read_flag,
    read_mapping,
    read_option,
    read_options,
    read_source,
    read_sources,
    read_text,
    renewed,
    section_entries,
)
from mimgraph.language.reader.tensors import (
    is_tensor,
    read_scan,
    read_tensor,
    read_tensor_sources,
    scan_sources,
)
from mimgraph.language.reader.uses import (
    read_apply,
    read_call,
    read_chain,
    read_freeze,
    read_name,
    read_over,
    read_take,
    read_training,
)
from mimgraph.language.tree import Mapping, Scalar, Tree, is_null, texts
from mimgraph.ops import registry

KINDS = (*OPS, *CONSTANTS)  # the keys that say what a node does
NODE_KEYS = (*NODE_WORDS, *CONSTANTS)


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
        inside = empty and (key.text in NODE_KEYS or (inside and not isinstance(value, Mapping)))
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


# Read the operation of a node: a layer, merge, block, chain, share, tensor or `each`.


BESIDE_OP = (*BESIDE, *TRAINING)


def read_operation(context: Context, op: Entry, tree: Mapping, here: str) -> Operation | None:
    """Return the operation of a node; `op` is its entry, such as `layer: Linear`."""
    operation, each = _read_one(context, op, tree, here), tree.get("each")
    return operation if each is None else _read_each(context, operation, each, tree, here)


def _read_each(
    context: Context, operation: AppliedOperation | None, value: Tree, tree: Mapping, here: str
) -> Each | None:
    """Return the operation applied to each source; None if something cannot be read."""
    options = read_mapping(context, "with", tree.get("with"))
    shared = read_flag(context, "shared", tree.get("shared"), here)
    if operation is None or shared is None or (options is None and tree.get("with") is not None):
        return None
    key, counted = tree.key("each"), counts(tree)
    if isinstance(operation, Apply) and operation.kind == "tensor":
        context.fault("unknown-key", f"{operation.name} cannot have each", key.span, node=here)
        return None
    if shared and (counted or options is not None):
        wrong = "copies on one source would all give the same" if counted else "it cannot have with"
        span = key.span if counted else tree.key("with").span
        message = f"a shared each has one module, so {wrong}"
        context.fault("bad-option", message, span, node=here)
        return None
    with_ = read_options(context, entries_of(options)) if options else {}
    times = read_option(context, key, value) if counted else None
    return Each(operation, with_, key.span, times, shared)


def counts(tree: Mapping) -> bool:
    """Return whether the value of `each` is a number of copies, `4` or `$experts`, not sources."""
    each = tree.get("each")
    return isinstance(each, Scalar) and (type(each.value) is int or each.text.startswith("$"))


def second_source(op: Entry, tree: Mapping) -> Entry | None:
    """Return the entry of a second source that has a key of its own, as `like` of `Resize`."""
    key, value = op
    name = BESIDE_FROM.get(value.text) if isinstance(value, Scalar) else None
    if key.text != "layer" or name is None or tree.get("each") is not None:
        return None
    return next((entry for entry in tree.entries if entry[0].text == name), None)


def _read_one(context: Context, op: Entry, tree: Mapping, here: str) -> AppliedOperation | None:
    """Return the operation without its `each`."""
    key, value = op
    if key.text == "seq":
        known = check_known_keys(
            context, "a seq", tree, ("seq", *_words(tree, BESIDE_OP, "shared")), here
        )
        chain = read_chain(context, value, here)
        return chain if known or tree.get("from") is not None else None
    if is_tensor(op):
        return read_tensor(context, op, tree, BESIDE_OP, here)
    is_share = key.text == "share"
    if isinstance(value, Mapping):
        help = f"write the name alone, {key.text}: NAME, and everything else beside it"
        context.wrong_type(key.text, "a name", value, here, help)
        return None
    name = (read_text if is_share else read_name)(context, key.text, value)
    if name is None:
        return None
    words = _words(tree, ("over",)) if is_share else _words(tree, BESIDE_OP, "with", "shared")
    second = second_source(op, tree)
    own = (key.text, *words, *((second[0].text,) if second else ()))
    rest = {k: entry for k, entry in entries_of(tree).items() if k not in own}
    if is_share:
        return _read_share(context, name, value, rest, here)
    if key.text == "block":
        return read_call(context, name, value.span, rest, here)
    if key.text == "scan":
        return _read_scan(context, op, name, tree, rest, here)
    return read_apply(context, key.text, name, value.span, rest, here)


def _words(tree: Mapping, words: tuple[str, ...], *of_each: str) -> tuple[str, ...]:
    """Return the allowed keys of a node that are not options: `from`, `words`, and those `of_each`
    with `each`.

    `with` is an option of a block, but beside `each` it has the options of each source.
    """
    if tree.get("each") is None:
        return ("from", *words)
    return ("from", "each", *words, *of_each)


def _read_share(context: Context, name: str, value: Tree, rest: Entries, here: str) -> Share | None:
    for word, _ in rest.values():
        if word.value != OTHERS:
            help = "leave it out: the options of the shared node apply"
            message = "a share takes no options"
            context.fault("unknown-option", message, word.span, help=help, node=here)
    target, dot, item = name.partition(".")
    return None if rest else Share(target, value.span, item if dot else None)


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
