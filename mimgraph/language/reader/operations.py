"""Read the operation of a node: a layer, merge, block, chain, share, tensor or `each`."""

from __future__ import annotations

from dataclasses import replace

from mimgraph.ir.declared_graph import (
    BESIDE_FROM,
    AppliedOperation,
    Apply,
    Call,
    Each,
    Operation,
    Share,
)
from mimgraph.ir.declared_values import OTHERS
from mimgraph.ir.names import BESIDE, TRAINING
from mimgraph.language.reader.chains import read_chain
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.mappings import (
    Entries,
    Entry,
    check_known_keys,
    entries_of,
    read_mapping,
)
from mimgraph.language.reader.scans import read_scan
from mimgraph.language.reader.tensors import is_tensor, read_tensor
from mimgraph.language.reader.uses import read_apply, read_call, read_name
from mimgraph.language.reader.values import read_flag, read_option, read_options, read_text
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Tree

WORDS = (*BESIDE, *TRAINING)


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
            context, "a seq", tree, ("seq", *_words(tree, WORDS, "shared")), here
        )
        chain = read_chain(context, value, here)
        return chain if known or tree.get("from") is not None else None
    if is_tensor(op):
        return read_tensor(context, op, tree, WORDS, here)
    is_share = key.text == "share"
    if isinstance(value, Mapping):
        help = f"write the name alone, {key.text}: NAME, and everything else beside it"
        context.wrong_type(key.text, "a name", value, here, help)
        return None
    name = (read_text if is_share else read_name)(context, key.text, value)
    if name is None:
        return None
    words = _words(tree, ("over",)) if is_share else _words(tree, WORDS, "with", "shared")
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
