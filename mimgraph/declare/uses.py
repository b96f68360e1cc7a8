"""Read what a node or an item of a chain uses: an op or block with its options, its training, a chain."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from mimgraph.declare.tree import Mapping, Scalar, Sequence, Tree, is_faulty, is_null
from mimgraph.declare.values import (
    Context,
    Entries,
    Entry,
    as_list,
    check_keys,
    entries_of,
    faulty_option,
    has_split_text,
    read_expression,
    read_flag,
    read_formula,
    read_mapping,
    read_option,
    read_options,
    read_switch,
    read_text,
    read_value,
    unreadable_entry,
)
from mimgraph.diagnostics.text import SEQ, code, put, remove, words, write
from mimgraph.infer.evaluation import LONGEST
from mimgraph.ir.declared_graph import (
    Activation,
    Apply,
    Call,
    Chain,
    Node,
    Operation,
    Repeat,
    Take,
    Training,
    Word,
)
from mimgraph.ir.declared_values import FAULTY, OTHERS, Chosen, Faulty, Option, Written
from mimgraph.ir.grammar import BESIDE, OPS, TRAINING
from mimgraph.ops import registry
from mimgraph.source import Span

UNTIL_CHILD = words("until CHILD", '"until CHILD"')
FREEZES = f"{code('true')}, {code('false')} or {UNTIL_CHILD}"  # all that stands in `freeze`
WITH_OPTIONS = words("{name: options}", "a layer such as layers.ELU(0.5)")
COMMON = (*BESIDE, *TRAINING)
UNTIL = re.compile(r"until\b\s*(.*)", re.DOTALL)


class CommonOptions(NamedTuple):
    """The options that any operation can have: which result is taken, the axis that it runs over, and
    how it is trained. `are_readable` is false if `take` or `over` is not: it would mean something else."""

    take: Take | None = None
    over: Option | None = None
    freeze: bool | Written = False
    training: Training | None = None
    are_readable: bool = True


NO_OPTIONS = CommonOptions()


def read_common_options(context: Context, entries: Entries, here: str) -> CommonOptions:
    """Return the common options among the entries of a node or of an item of a chain."""
    if entries.keys().isdisjoint(COMMON):
        return NO_OPTIONS
    take = _read_take(context, entries["take"][1], here) if "take" in entries else None
    over = _read_over(context, *entries["over"], here) if "over" in entries else None
    freeze = _read_freeze(context, entries["freeze"][1], here) if "freeze" in entries else False
    is_take_lost = take is None and "take" in entries
    is_over_lost = over is None and "over" in entries
    training = _read_training(context, entries)
    return CommonOptions(take, over, freeze, training, not (is_take_lost or is_over_lost))


def _read_freeze(context: Context, tree: Tree, here: str) -> bool | Written:
    """Return whether a node is frozen, or the expression that decides it; False for `until layer3`."""
    if _until(tree) is not None:
        return False
    return read_switch(context, "freeze", tree, here, FREEZES) or False


def _read_training(context: Context, entries: Entries) -> Training | None:
    """Return the words on training among the entries of a node; None if there are none.

    Their values are checked later, as an operation may have options of these names.
    """
    found = read_options(context, {word: entries[word] for word in TRAINING if word in entries})
    until = None
    if "freeze" in entries:
        key, tree = entries["freeze"]
        if (child := _until(tree)) is not None:
            until = read_option(context, key, tree)._replace(value=child)
    parts = dict[str, Option]()
    if "lora" in entries and isinstance(value := entries["lora"][1], Mapping):
        parts = read_options(context, entries_of(value))
    lr, decay, lora = (found.get(word) for word in ("lr", "weight_decay", "lora"))
    training = Training(until, lr, decay, lora, parts)
    return training if training.given else None


def _until(tree: Tree) -> str | None:
    """Return the child in `until layer3`; None for other values."""
    text = tree.value if isinstance(tree, Scalar) else None
    match = UNTIL.fullmatch(text) if isinstance(text, str) else None
    return None if match is None else match[1].strip()


# Read the use of a layer, merge or block: its name, options, activation and repeat.


def read_name(context: Context, what: str, tree: Tree) -> str | None:
    """Return the name of a layer, merge or block; a `Chosen` if a param gives it."""
    text = read_text(context, what, tree)
    if text is None or not text.startswith("$") or not isinstance(tree, Scalar):
        return text
    written = read_expression(context, tree, text)
    return Chosen(text, written) if isinstance(written, Written) else None


def read_apply(
    context: Context,
    kind: str,
    name: str,
    span: Span,
    rest: Entries,
    here: str,
    lone: Option | None = None,
) -> Apply:
    """Return a layer or merge with the options in `rest`, which inference checks later."""
    if not rest:
        return Apply(kind, name, span, lone=lone)
    options = dict[str, Option]()
    for key, entry in rest.items():
        if key != "activation":
            is_formula = key == "expr" and (kind, name) == ("merge", "formula")
            options[key] = (read_formula if is_formula else read_option)(context, *entry)
    activation = None
    if "activation" in rest:
        activation = read_activation(context, rest["activation"][1], here)
        if activation is None:
            options[OTHERS] = faulty_option(span)
    return Apply(kind, name, span, options, lone, activation)


def read_call(
    context: Context, name: str, span: Span, rest: Entries, here: str, lone: Option | None = None
) -> Call:
    """Return the use of a block with the params in `rest`."""
    repeat = None
    params = {k: read_option(context, *entry) for k, entry in rest.items() if k != "repeat"}
    if "repeat" in rest:
        repeat = read_repeat(context, rest["repeat"][1], here)
        if repeat is None:
            params[OTHERS] = faulty_option(span)
    return Call(name, span, params, lone, repeat)


def read_named_options(context: Context, key: Scalar, value: Tree) -> tuple[Entries, Option | None]:
    """Return the options in `name: value`: several by key, or one bare value."""
    if isinstance(value, Mapping):
        return entries_of(value), None
    if is_faulty(value):  # it may have been a bare value or options
        return {OTHERS: unreadable_entry(value.span)}, None
    if is_null(value):
        return {}, None
    return {}, read_option(context, key, value)


def read_activation(context: Context, tree: Tree, here: str) -> Activation | None:
    """Read `ReLU`, or `{GELU: {approximate: tanh}}`; None for something else, which is reported."""
    if isinstance(tree, Scalar) and tree.name is not None:
        name = read_name(context, "activation", tree)
        return Activation(name, {}, None, tree.span) if name is not None else None
    if isinstance(tree, Mapping) and len(tree.entries) == 1:
        key, value = tree.entries[0]
        options, lone = read_named_options(context, key, value)
        name = read_name(context, "activation", key)
        given = read_options(context, options)
        return Activation(name, given, lone, key.span) if name is not None else None
    help = _activation_help(tree)
    context.wrong_type("activation", f"a layer's name, or {WITH_OPTIONS}", tree, here, help)
    return None


def _activation_help(tree: Tree) -> str:
    """Return how to write an activation whose options stand beside its name, as in
    `{layer: Softmax, dim: 1}` or `[Softmax, 1]`."""
    if isinstance(tree, Sequence):
        texts = [item.text for item in tree.items if isinstance(item, Scalar)]
        if not 0 < len(texts) == len(tree.items) <= 2:
            return ""
        name, *others = texts
        if others and not registry.find("layer", others[0]):
            return write(f"activation: {{{name}: {others[0]}}}")
        one = write(f"activation: {name}")
        if not others:
            return one
        node = code(f"{{layer: {others[0]}, from: ...}}")
        return f"{one}, and make {others[0]} a separate node: {node}"
    if not isinstance(tree, Mapping) or not tree.entries:
        return remove("activation") if is_null(tree) else ""
    (key, value), *rest = tree.entries
    if key.text in ("layer", "name", "type", "op") and isinstance(value, Scalar):
        options = ", ".join(f"{word.text}: ..." for word, _ in rest)
        return f"write {code(f'activation: {{{value.text}: {{{options}}}}}')}"
    return f"put the options inside: {code(f'activation: {{{key.text}: {{...}}}}')}"


def read_repeat(context: Context, tree: Tree, here: str) -> Repeat | None:
    """Read `repeat: 3`, or `{times, shared, with, index, collect}`; None for something else, which is
    reported."""
    if is_faulty(tree):
        return None
    if not isinstance(tree, Mapping):
        return Repeat(_times(context, tree), False, {}, tree.span)
    if not check_keys(context, "repeat", tree, here):
        return None
    times = tree.get("times")
    each = read_mapping(context, "with", tree.get("with"))
    if each is None and tree.get("with") is not None:
        return None
    shared = read_flag(context, "shared", tree.get("shared"), here)
    if shared is None:
        return None
    if shared and each is not None:
        span = tree.key("with").span
        context.fault(
            "bad-option",
            "a shared repeat uses one module each time, so it cannot have with",
            span,
            node=here,
        )
        return None
    if times is None and not (each and (each.entries or each.lost)):
        message, help = "repeat needs times", write("repeat: 3")
        context.fault("missing-key", message, tree.span, help=help, node=here)
        return None
    count = _times(context, times) if times is not None else None
    options = read_options(context, entries_of(each)) if each else {}
    counter = _read_word(context, "index", tree.get("index"), here)
    collect = _read_word(context, "collect", tree.get("collect"), here)
    if counter is FAULTY or collect is FAULTY:
        return None
    return Repeat(count, shared, options, tree.span, counter, collect)


def _read_word(context: Context, key: str, tree: Tree | None, here: str) -> Word | None | Faulty:
    """Return the name that a key gives, for `collect: true` the name ""; FAULTY after a report."""
    if tree is None:
        return None
    is_unclear = key == "collect" and is_faulty(tree)  # the text behind a tag may be `true`
    if isinstance(tree, Scalar) and tree.name is not None and not is_unclear:
        return Word(tree.name, tree.span)
    if key == "collect" and isinstance(tree, Scalar) and isinstance(tree.value, bool):
        return Word("", tree.span) if tree.value else None
    if not is_faulty(tree):
        wants = "the name of an input or param of the block"
        if key == "collect":
            wants = f"the name of an output of the block, or {code('true')} for its only output"
        context.wrong_type(key, wants, tree, here)
    return FAULTY


def _times(context: Context, tree: Tree) -> Option:
    return Option(read_value(context, tree), tree.span, tree.span)


def _read_take(context: Context, tree: Tree, here: str) -> Take | None:
    """Return the port that `take` names; None for something else, which is reported."""
    if isinstance(tree, Scalar) and (tree.name is not None or type(tree.value) is int):
        return Take(tree.text, tree.span)
    context.wrong_type("take", "a port", tree, here)
    return None


SCAN = words("write scan, not block", "write .scan(...)")


def _read_over(context: Context, key: Scalar, tree: Tree, here: str) -> Option | None:
    """Return the axis that `over` names; None for something else, which is reported."""
    value = read_value(context, tree) if isinstance(tree, Scalar) else None
    if isinstance(value, Written | int) and not isinstance(value, bool):
        return Option(value, tree.span, key.span)
    help = f"1 is the first axis after the batch; to run a block step by step, {SCAN}"
    context.wrong_type("over", "the number of an axis", tree, here, help)
    return None


# Read chains: the items of a `seq`.


def read_chain(context: Context, tree: Tree, here: str) -> Chain | None:
    """Return the chain of a list of items; None for something else, which is reported."""
    if not isinstance(tree, Sequence):
        help = as_list(tree)
        context.wrong_type("seq", "a list of layers", tree, here, help)
        return None
    items = tuple(read_item(context, str(i), item, here) for i, item in enumerate(tree.items))
    return Chain(items, tree.span)


def read_item(context: Context, index: str, tree: Tree, path: str) -> Node:
    """Return an item, a node named by its index; without an operation if it cannot be read."""
    here = f"{path}.{index}" if path else index
    unread = Node(index, tree.span, None)
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
        wants = f"a layer or block, or {WITH_OPTIONS}"
        context.wrong_type(f"an item of a {SEQ}", wants, tree, here)
        return unread
    name = read_name(context, "an item of a seq", key)
    if name is None:
        return unread
    common = read_common_options(context, rest, here)
    rest = {word: entry for word, entry in rest.items() if word not in COMMON}
    operation: Operation | None
    if name in context.blocks:
        operation = read_call(context, name, key.span, rest, here, lone)
    else:
        operation = read_apply(context, "layer", name, key.span, rest, here, lone)
    if not common.are_readable:
        operation = None
    take, over, freeze, training, _ = common
    return Node(index, key.span, operation, (), take, freeze, tree.span, over, training)


def _refuse_more_keys(context: Context, tree: Mapping, here: str) -> None:
    """Report an item with options beside its name, as in `{Linear: 5, bias: false}`."""
    key, value = tree.entries[0]
    inside, options = key.text, "..."
    if key.text in OPS and isinstance(value, Scalar):
        inside, options = value.text, _on_one_line(tree.entries[1:])
    help = "put the options inside: " + put(f"{{{inside}: {{{options}}}}}")
    extra = tree.entries[1][0].span
    message = f"an item of a {SEQ} has one key"
    context.fault("unknown-key", message, extra, help=help, node=here, tree=tree)


def _on_one_line(entries: Iterable[Entry]) -> str:
    """Return the entries of a mapping as they are written, if each is on one line and all are short."""
    spans = [(key.text, value.span) for key, value in entries]
    if any(span.line != span.end_line for _, span in spans):
        return "..."
    text = ", ".join(f"{key}: {span.excerpt().text}" for key, span in spans)
    return text if len(text) <= LONGEST else "..."
