"""Read chains: the items of a `seq`."""

from __future__ import annotations

from collections.abc import Iterable

from mimgraph.infer.evaluation import LONGEST
from mimgraph.ir.declared_graph import Chain, Node, Operation
from mimgraph.ir.names import OPS, TRAINING
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.mappings import Entry, has_split_text
from mimgraph.language.reader.training import read_freeze, read_training
from mimgraph.language.reader.uses import (
    read_apply,
    read_call,
    read_name,
    read_named_options,
    read_over,
    read_take,
)
from mimgraph.language.reader.values import as_written
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Sequence, Tree


def read_chain(context: Context, tree: Tree, here: str) -> Chain | None:
    """Return the chain of a list of items; None for something else, which is reported."""
    if not isinstance(tree, Sequence):
        help = as_written("write [{}]", tree)
        context.wrong_type("seq", "a list of layers", tree, here, help)
        return None
    items = tuple(read_item(context, str(i), item, here) for i, item in enumerate(tree.items))
    return Chain(items, tree.span)


def read_item(context: Context, name: str, tree: Tree, path: str) -> Node:
    """Return an item, a node named by its index; without an operation if it cannot be read."""
    here = f"{path}.{name}" if path else name
    unread = Node(name, tree.span, None)
    if isinstance(tree, Mapping) and tree.entries:
        key, value = tree.entries[0]
        mappings = [one for one in (tree, value) if isinstance(one, Mapping)]
        if any(has_split_text(context, one, here) for one in mappings):
            return unread
        if len(tree.entries) > 1:
            _refuse_more_keys(context, tree, here)
            return unread
        rest, lone = read_named_options(context, key, value)
    elif isinstance(tree, Scalar) and tree.name is not None:
        key, rest, lone = tree, {}, None
    else:
        context.wrong_type("an item of a seq", "a layer or block, or {name: options}", tree, here)
        return unread
    word = read_name(context, "an item of a seq", key)
    if word is None:
        return unread
    take_tree = rest.pop("take")[1] if "take" in rest else None
    over_entry = rest.pop("over", None)
    training = read_training(context, rest)
    freeze_tree = rest.pop("freeze")[1] if "freeze" in rest else None
    rest = {word: entry for word, entry in rest.items() if word not in TRAINING}
    take = read_take(context, take_tree, here)
    over = read_over(context, over_entry, here)
    freeze = read_freeze(context, freeze_tree, here)
    operation: Operation | None
    if word in context.blocks:
        operation = read_call(context, word, key.span, rest, here, lone)
    else:
        operation = read_apply(context, "layer", word, key.span, rest, here, lone)
    is_take_lost = take is None and take_tree is not None  # which of its results is meant
    if is_take_lost or (over is None and over_entry is not None):
        operation = None
    return Node(name, key.span, operation, (), take, freeze, tree.span, over, training)


def _refuse_more_keys(context: Context, tree: Mapping, here: str) -> None:
    """Report an item with options beside its name, as in `{Linear: 5, bias: false}`."""
    key, value = tree.entries[0]
    inside, options = key.text, "..."
    if key.text in OPS and isinstance(value, Scalar):
        inside, options = value.text, _on_one_line(tree.entries[1:])
    help = f"put the options inside: {{{inside}: {{{options}}}}}"
    extra = tree.entries[1][0].span
    context.fault(
        "unknown-key", "an item of a seq has one key", extra, help=help, node=here, tree=tree
    )


def _on_one_line(entries: Iterable[Entry]) -> str:
    """Return the entries of a mapping as they are written, if each is on one line and all are short."""
    spans = [(key.text, value.span) for key, value in entries]
    if any(span.line != span.end_line for _, span in spans):
        return "..."
    text = ", ".join(f"{key}: {span.excerpt().text}" for key, span in spans)
    return text if len(text) <= LONGEST else "..."
