"""Read the words of a node on how its weights are trained: `freeze`, `lr`, `weight_decay`, `lora`."""

from __future__ import annotations

import re

from mimgraph.ir.declared_graph import Training
from mimgraph.ir.declared_values import Option, Written
from mimgraph.ir.names import TRAINING
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.mappings import Entries, entries_of
from mimgraph.language.reader.values import read_option, read_options, read_switch
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Tree

FREEZES = "true, false or until CHILD"  # all that stands in `freeze`
UNTIL = re.compile(r"until\b\s*(.*)", re.DOTALL)


def read_freeze(context: Context, tree: Tree | None, here: str) -> bool | Written:
    """Return whether a node is frozen, or the expression that decides it; False for `until layer3`."""
    if tree is None or _until(tree) is not None:
        return False
    return read_switch(context, "freeze", tree, here, FREEZES) or False


def read_training(context: Context, entries: Entries) -> Training | None:
    """Return the words among the entries of a node; None if there are none.

    Their values are checked later, as an operation may have options of these names.
    """
    if "freeze" not in entries and not any(word in entries for word in TRAINING):
        return None
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
