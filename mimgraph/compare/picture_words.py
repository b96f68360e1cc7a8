"""Word what changed in a box or cluster of a comparison, and what follows; the rest of its text stays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from operator import ne

from mimgraph.compare.edit_text import edit_words
from mimgraph.compare.model import Change, Edit
from mimgraph.ir.grammar import TRAINING
from mimgraph.picture.diagram.model import Item, Mark
from mimgraph.summary.node_text import WIDTHS_OUT, option_text, value_text

VISIBLE = ("from", "shape")  # edits that edges and shapes show already
_SHAPE = re.compile(r"(?P<port>.*?)\((?P<axes>.+[^,])\)(?P<times>[^)]*)")
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
    subtitle = without(new.subtitle, [*given, *inferred])
    edits, effects = (tuple(map(edit_words, every)) for every in (given, inferred))
    was, now = (name.rpartition(".")[2] for name in (change.was, change.name))
    if change.was and was != now and title == new.title:  # a branch without a box of its own
        edits = (old_to_new(was, now), *edits)
    return replace(new, title=title, subtitle=subtitle, mark=mark, edits=edits, effects=effects)


def old_to_new(old: str, new: str) -> str:
    """Return `old → new`, or the text if both are the same."""
    return new if old == new else f"{old} → {new}"


def both_shapes(old: str, new: str) -> str:
    """Return two shapes as one text: `(N, 64 → 48, 8)`, or `last (N, 8) → (N, 4, 4)` if more differs."""
    was, now = _SHAPE.fullmatch(old), _SHAPE.fullmatch(new)
    if was is None or now is None or old == new or was["port"] != now["port"]:
        return old_to_new(old, new)
    axes = was["axes"].split(", "), now["axes"].split(", ")
    is_one = len(axes[0]) == len(axes[1]) and sum(map(ne, *axes)) == 1
    if is_one and was["times"] == now["times"]:
        return f"{now['port']}({', '.join(map(old_to_new, *axes))}){now['times']}"
    return old_to_new(old, new.removeprefix(now["port"]))


def caused_by_sizes(change: Change, around: Mapping[str, Change]) -> Change:
    """Return a change with all effects `of_sizes` if the params of the block around it are so.

    `around` has the changes of the blocks by name.
    """
    name = change.name
    while name := name.rpartition(".")[0]:
        given, inferred = _shown(around[name]) if name in around else ([], [])
        if given or inferred:
            is_caused = not given
            break
    else:
        is_caused = False
    effects = tuple(effect._replace(of_sizes=True) for effect in change.effects)
    return replace(change, effects=effects) if is_caused else change


def _shown(change: Change) -> tuple[list[Edit], list[Edit]]:
    """Return the edits that an author made, and the edits that sizes of the sources cause."""
    effects = [e for e in change.effects if not (e.is_of_type or e.what in KEYS)]
    given = [edit for edit in change.edits if edit.what not in VISIBLE]
    given += [effect for effect in effects if not effect.of_sizes]
    return given, [effect for effect in effects if effect.of_sizes]


def without(subtitle: str, edits: Iterable[Edit]) -> str:
    """Return the subtitle of a node, as `op_text` writes it, without the options that the edits show."""
    for edit in edits:
        shown = _in_subtitle(edit)
        pattern = rf", {shown}(?=,| |$)|(?<!,) {shown}(?:,(?= \w+=)|(?=,| |$))"
        subtitle = re.sub(pattern, "", subtitle, count=1)
    return subtitle


def _in_subtitle(edit: Edit) -> str:
    """Return a pattern of the new value in a subtitle: `kernel_size=5`, `+ ReLU`, `3 to 16`."""
    if edit.what == "freeze":
        return f"frozen {re.escape(edit.new)}" if isinstance(edit.new, str) else "frozen"
    if edit.what in TRAINING:  # a param of a block may have such a name, too
        value = value_text(edit.new)
        return rf"{edit.what}[ =]{re.escape(value)}"
    if edit.what == "activation":
        return re.escape(f"+ {value_text(edit.new).partition('(')[0]}")
    option = re.escape(option_text(edit.what, edit.new))
    widths = rf"\S+ to {re.escape(str(edit.new))}"
    return f"(?:{option}|{widths})" if edit.what in WIDTHS_OUT else option
