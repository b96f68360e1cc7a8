"""A difference as text: the changes a line each, then what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mimgraph.analysis.changes import Change, Difference, Edit
from mimgraph.analysis.cost import Cost
from mimgraph.diagnostics.render import BOLD, RESET
from mimgraph.render.labels import value_text

WIDEST = 40  # characters of a column that others are made as wide as
SIGNS = {"added": "+", "removed": "-", "changed": "~", "follows": " "}
# green, red and yellow; the signs alone tell them apart
COLORS = {"added": "\x1b[32m", "removed": "\x1b[31m", "changed": "\x1b[33m"}

SAMPLE = {"N": 1}
Row = tuple[str, str, str, str]  # sign, name, op, words
Quote = Callable[[str], str]  # what is done to words of a spec


def text(difference: Difference, color: bool = False) -> str:
    """The whole difference; "no change" if there is none."""
    if not difference:
        return "no change"
    title = heading(difference)
    rows = [(SIGNS[c.status], c.told_as, c.op, words(c)) for c in edited(difference)]
    colors = [COLORS[change.status] if color else "" for change in edited(difference)]
    lines = [f"{BOLD}{title}{RESET}" if color else title, "", *_aligned(rows, colors)]
    effects = [(SIGNS["follows"], c.told_as, c.op, effect_words(c)) for c in following(difference)]
    if effects:
        lines += ["", "What follows:", *_aligned(effects, [""] * len(effects))]
    if told := constraint_words(difference):
        lines += ["", f"At run time: {', '.join(told)}"]
    return "\n".join([*lines, "", *total_words(difference)])


def _aligned(rows: list[Row], colors: list[str]) -> Iterator[str]:
    """The rows in columns, each in its colour."""
    widths = [min(WIDEST, max(map(len, column))) for column in zip(*rows, strict=True)]
    for row, color in zip(rows, colors, strict=True):
        sign, *cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        line = f"{sign} {'  '.join(cells)}".rstrip()
        yield f"{color}{line}{RESET}" if color else line


def edited(difference: Difference) -> list[Change]:
    """What the author did, in the order of the graph."""
    return [change for change in difference.changes if change.status != "follows"]


def following(difference: Difference) -> list[Change]:
    """What has effects, outputs left out, whose nodes tell theirs; inside of a node only what has
    other weights, or other keys of them."""
    return [
        change
        for change in difference.changes
        if change.status in ("changed", "follows")
        and change.kind != "output"
        and effect_words(change)
        and (
            "." not in change.told_as
            or change.params[0] != change.params[1]
            or any(effect.what == "key" for effect in change.effects)
        )
    ]


def heading(difference: Difference, quote: Quote = str) -> str:
    """`ImageNumerical: 3 changes`."""
    number = len(edited(difference))
    return f"{quote(difference.names[1])}: {number} change{'s' * (number != 1)}"


def words(change: Change, quote: Quote = str) -> str:
    """What was done: `was fc1, out_features 32 → 64`; of what came or went, all that it said."""
    if change.status == "changed":
        told = [f"was {quote(change.was)}"] if change.was else []
        told += [quote(edit_words(edit)) for edit in change.edits]
    else:
        told = [quote(_whole_words(edit)) for edit in (*change.edits, *change.effects)]
        of = 1 if change.status == "added" else 0
        told += [f"{counts[of]} {what}" for what, counts in _counts(change.costs, quote)]
    return ", ".join(told) + _times_words(change)


def _whole_words(edit: Edit) -> str:
    """What is said of what came or went: `out_features 32`, `optional`."""
    value = edit.old if edit.new is None else edit.new
    return edit.what if value is True else f"{edit.what} {value_text(value)}"


def effect_words(change: Change, quote: Quote = str) -> str:
    """What follows for it: `in_features 64 → 128, 650 → 1,290 parameters`."""
    told = [quote(edit_words(edit)) for edit in change.effects]
    told += [f"{old} → {new} {what}" for what, (old, new) in _counts(change.costs, quote)]
    return ", ".join(told) + (_times_words(change) if told else "")


def edit_words(edit: Edit) -> str:
    """`out_features 32 → 64`."""
    old, new = ("none" if value is None else value_text(value) for value in (edit.old, edit.new))
    return f"{edit.what} {old} → {new}"


def total_words(difference: Difference, quote: Quote = str) -> list[str]:
    """`Parameters: 2,145 → 4,290 (+2,145)`, and so the multiply-accumulates of a sample."""
    old, new = difference.costs
    lines = [f"Parameters: {_total(old.params, new.params, quote)}"]
    if any(cost.macs or cost.uncounted for cost in difference.costs):
        was, now = (cost.macs.at(SAMPLE).value for cost in difference.costs)
        unknown = ", and those of layers that do not tell" if old.uncounted | new.uncounted else ""
        lines.append(f"MACs per sample: {_total(was, now, quote)}{unknown}")
    return lines


def _total(old: int | str, new: int | str, quote: Quote) -> str:
    if old == new:
        return _number(old, quote)
    words = f"{_number(old, quote)} → {_number(new, quote)}"
    if isinstance(old, str) or isinstance(new, str):
        return words
    return f"{words} ({new - old:+,})"


def _counts(costs: tuple[Cost, Cost], quote: Quote) -> Iterator[tuple[str, list[str]]]:
    """What is another of the parameters and the multiply-accumulates of a sample."""
    params = [f"{cost.params:,}" for cost in costs]
    macs = [_number(cost.macs.at(SAMPLE).value, quote) for cost in costs]
    macs = ["?" if cost.uncounted else text for cost, text in zip(costs, macs, strict=True)]
    for what, texts in (("parameters", params), ("MACs", macs)):
        if texts[0] != texts[1]:
            yield what, texts


def _number(value: int | str, quote: Quote) -> str:
    """A number, or what depends on sizes."""
    return f"{value:,}" if isinstance(value, int) else quote(value)


def constraint_words(difference: Difference, quote: Quote = str) -> list[str]:
    """What must hold at run time now, and what need not any more."""
    gone, come = difference.constraints
    return [*(f"{quote(one)} no more" for one in gone), *map(quote, come)]


def _times_words(change: Change) -> str:
    return f" × {change.times}" if change.times > 1 else ""
