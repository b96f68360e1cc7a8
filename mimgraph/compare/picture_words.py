"""Word what changed in a box or cluster of a comparison, and what follows; the rest of its text stays."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from mimgraph.compare.edit_text import edit_words
from mimgraph.compare.model import Change, Edit
from mimgraph.ops import registry
from mimgraph.ops.op import Op
from mimgraph.picture.diagram.model import Box, Item, Mark
from mimgraph.summary.node_text import option_text, value_text

VISIBLE = ("from", "shape", "share")  # edits that edges and shapes show already
KEYS = ("key", "keys")  # of a state_dict, which a picture does not show


def edited(old: Item, new: Item, change: Change) -> Item:
    """Return the new item with a change in words: `Linear bias=false`, `out_features 32 → 64`.

    An item `follows` if only sizes changed that it takes from its sources; options that an author
    gives by a param are his.
    """
    given, inferred = _shown(change)
    is_changed = change.status == "changed" or bool(given)
    mark: Mark = "changed" if is_changed else "follows" if inferred else ""
    title = old_to_new(old.title, new.title) if change.was else new.title
    if any(edit.what == "op" for edit in given):
        edits: tuple[str, ...] = (old_to_new(old.subtitle, new.subtitle),)
        return replace(new, title=title, subtitle="", mark=mark, edits=edits)
    subtitle = _without(new.subtitle, [*given, *inferred])
    edits = tuple(map(edit_words, given))
    new = replace(new, title=title, subtitle=subtitle, mark=mark, edits=edits)
    return replace(new, effects=tuple(map(edit_words, inferred))) if isinstance(new, Box) else new


def old_to_new(old: str, new: str) -> str:
    """Return `old → new`, or the text if both are the same."""
    return new if old == new else f"{old} → {new}"


def _op(change: Change) -> Op | None:
    """Return the registered layer or merge of a node; None for a block or chain."""
    return registry.find("layer", change.op) or registry.find("merge", change.op)


def _shown(change: Change) -> tuple[list[Edit], list[Edit]]:
    """Return the edits of options that are given, and the edits of options that are inferred from sizes."""
    op = _op(change)
    sizes = op.inferred if op is not None else ()
    effects = [e for e in change.effects if not (e.is_of_type or e.what in KEYS)]
    given = [edit for edit in change.edits if edit.what not in VISIBLE]
    given += [effect for effect in effects if effect.what not in sizes]
    return given, [effect for effect in effects if effect.what in sizes]


def _without(subtitle: str, edits: Iterable[Edit]) -> str:
    """Return the subtitle of a node, as `op_text` writes it, without the options that the edits show."""
    for edit in edits:
        shown = re.escape(_in_subtitle(edit))
        subtitle = re.sub(rf"(?:, | ){shown}(?=,| |$)", "", subtitle, count=1)
    return subtitle


def _in_subtitle(edit: Edit) -> str:
    """Return the new value as a subtitle shows it: `kernel_size=5`, `+ ReLU`, `× 3`."""
    match edit.what:
        case "freeze":
            return "frozen"
        case "repeat":
            return f"× {value_text(edit.new)}"
        case "activation":
            return f"+ {value_text(edit.new).partition('(')[0]}"
    return option_text(edit.what, edit.new)
