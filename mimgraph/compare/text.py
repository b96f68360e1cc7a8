"""A difference as text: the changes a line each, then what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mimgraph.compare.edit_text import edit_words
from mimgraph.compare.model import Change, Difference, Edit
from mimgraph.cost.cost import Cost
from mimgraph.diagnostics.render import BOLD, RESET
from mimgraph.ir.amount import Amount
from mimgraph.summary.node_text import value_text
from mimgraph.summary.numbers import number

WIDEST = 40  # characters of a column that others are made as wide as
LINE = 119  # characters that a line has at most, if its words allow it
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
    rows = [(SIGNS[c.status], c.shown_name, c.op, words(c)) for c in edited(difference)]
    colors = [COLORS[change.status] if color else "" for change in edited(difference)]
    lines = [f"{BOLD}{title}{RESET}" if color else title, "", *_aligned(rows, colors)]
    effects = [
        (SIGNS["follows"], c.shown_name, c.op, effect_words(c)) for c in following(difference)
    ]
    if effects:
        lines += ["", "What follows:", *_aligned(effects, [""] * len(effects))]
    if told := constraint_words(difference):
        lines += ["", f"At run time: {', '.join(told)}"]
    return "\n".join([*lines, "", *total_words(difference)])


def _aligned(rows: list[Row], colors: list[str]) -> Iterator[str]:
    """The rows in columns, each in its colour, what is long on several lines."""
    columns = list(zip(*rows, strict=True))[:-1]
    widths = [min(WIDEST, max(map(len, column))) for column in columns]
    for (sign, *cells, words), color in zip(rows, colors, strict=True):
        padded = (cell.ljust(width) for cell, width in zip(cells, widths[1:], strict=True))
        start = f"{sign} {'  '.join(padded)}  "
        first, *more = _wrapped(words, LINE - len(start))
        for line in (start + first, *(" " * len(start) + rest for rest in more)):
            yield f"{color}{line.rstrip()}{RESET}" if color else line.rstrip()


def _wrapped(words: str, room: int) -> list[str]:
    """The parts between commas on lines, as many as fit on each."""
    lines = [""]
    for part in words.split(", "):
        if lines[-1] and len(lines[-1]) + len(part) + 3 > room:
            lines[-1] += ","
            lines.append(part)
        else:
            lines[-1] += f", {part}" if lines[-1] else part
    return lines


def edited(difference: Difference) -> list[Change]:
    """What the author did, in the order of the graph."""
    return [change for change in difference.changes if change.status != "follows"]


def following(difference: Difference) -> list[Change]:
    """What has effects, outputs left out, whose nodes tell theirs."""
    told = [
        change
        for change in difference.changes
        if change.status in ("changed", "follows")
        and change.kind != "output"
        and effect_words(change)
    ]
    outer = {change.name for change in told}
    return list(_without_repetition([c for c in told if _is_told(c, outer)]))


def _without_repetition(told: list[Change]) -> Iterator[Change]:
    """Leaves out what holds others, if those say all that it does."""
    inner: dict[str, list[Change]] = {}
    for change in told:
        name = change.name
        while name := name.rpartition(".")[0]:
            inner.setdefault(name, []).append(change)
    for change in told:
        last = [c for c in inner.get(change.name, ()) if c.name not in inner]
        if change.status == "changed" or not _say_all(last, change):
            yield change


def _say_all(inner: list[Change], outer: Change) -> bool:
    """Whether changes in a node tell the effects on it, and add up to what it costs more."""
    effects = [effect for change in inner for effect in change.effects]
    more = [_more(change) for change in inner if change.times == outer.times]
    return all(effect in effects for effect in outer.effects) and (
        sum(params for params, _ in more),
        Amount.sum(macs for _, macs in more),
    ) == _more(outer)


def _more(change: Change) -> tuple[int, Amount]:
    """The params and multiplications that there are more."""
    old, new = change.costs
    return new.params - old.params, new.macs + old.macs * -1


def _is_told(change: Change, outer: set[str]) -> bool:
    """Whether it is no node in another, or one that was edited or has other options, weights or
    keys; if it only works more or less, what it is in tells that."""
    head, dot, _ = change.name.partition(".")
    return (
        not dot
        or change.status == "changed"
        or change.params[0] != change.params[1]
        or not all(effect.is_of_type for effect in change.effects)
        or (head not in outer and change.costs[0].macs != change.costs[1].macs)
    )


def heading(difference: Difference, quote: Quote = str) -> str:
    """`ImageNumerical: 3 changes`."""
    number = len(edited(difference))
    return f"{quote(difference.names[1])}: {number} change{'s' * (number != 1)}"


def words(change: Change, quote: Quote = str) -> str:
    """What was done: `was fc1, out_features 32 → 64`; of what came or went, all that it said."""
    if change.status == "changed":
        # all of its like had a name of their own, but its last part
        was = change.was if change.times == 1 else change.was.rpartition(".")[2]
        told = [f"was {quote(was)}"] if was else []
        return _often([*told, *(quote(edit_words(edit)) for edit in change.edits)], [], change)
    told = [quote(_whole_words(edit)) for edit in (*change.edits, *change.effects)]
    of = 1 if change.status == "added" else 0
    counts = [f"{texts[of]} {what}" for what, texts in _counts(change.costs, quote)]
    return _often(told, counts, change)


def _whole_words(edit: Edit) -> str:
    """What is said of what came or went: `out_features 32`, `optional`."""
    value = edit.old if edit.new is None else edit.new
    if edit.what == "freeze":
        return edit_words(edit)
    return edit.what if value is True else f"{edit.what} {value_text(value)}"


def effect_words(change: Change, quote: Quote = str) -> str:
    """What follows for it: `in_features 64 → 128, 650 → 1,290 parameters`."""
    told = [quote(edit_words(edit)) for edit in change.effects]
    counts = [f"{old} → {new} {what}" for what, (old, new) in _counts(change.costs, quote)]
    return _often(told, counts, change) if told or counts else ""


def _often(told: list[str], counts: list[str], change: Change) -> str:
    """What is true of each, and of all together: `from conv × 14, 104 parameters in all 14`."""
    times = change.times
    each, every = (f" × {times}", f" in all {times}") if times > 1 else ("", "")
    of_each = ", ".join(told) + each if told or not counts else ""
    of_all = ", ".join(counts) + every if counts else ""
    return ", ".join(filter(None, (of_each, of_all))).lstrip()


def total_words(difference: Difference, quote: Quote = str) -> list[str]:
    """`Parameters: 2,145 → 4,290 (+2,145)`, and so the multiply-accumulates of a sample."""
    old, new = difference.costs
    params = f"Parameters: {_total(Amount([old.params]), Amount([new.params]), quote)}"
    if old.frozen or new.frozen:
        was, now = (Amount([cost.params - cost.frozen]) for cost in difference.costs)
        params += f", trainable: {_total(was, now, quote)}"
    lines = [params]
    if any(cost.macs or cost.uncounted for cost in difference.costs):
        unknown = ", and those of layers that do not tell" if old.uncounted | new.uncounted else ""
        was, now = (cost.macs.at(SAMPLE) for cost in difference.costs)
        lines.append(f"MACs per sample: {_total(was, now, quote)}{unknown}")
    return lines


def _total(old: Amount, new: Amount, quote: Quote) -> str:
    if old == new:
        return _number(old, quote)
    more = number(new + old * -1)
    sign = "" if more.startswith("-") else "+"
    return f"{_number(old, quote)} → {_number(new, quote)} ({_quoted(sign + more, quote)})"


def _counts(costs: tuple[Cost, Cost], quote: Quote) -> Iterator[tuple[str, list[str]]]:
    """What is another of the parameters and the multiply-accumulates of a sample."""
    params = [f"{cost.params:,}" for cost in costs]
    macs = [_number(cost.macs.at(SAMPLE), quote) for cost in costs]
    macs = [f"{text} + ?" if c.uncounted else text for c, text in zip(costs, macs, strict=True)]
    for what, texts in (("parameters", params), ("MACs", macs)):
        if texts[0] != texts[1]:
            yield what, texts


def _number(amount: Amount, quote: Quote) -> str:
    return _quoted(number(amount), quote)


def _quoted(text: str, quote: Quote) -> str:
    """What depends on sizes has words of a spec."""
    return quote(text) if any(map(str.isalpha, text)) else text


def constraint_words(difference: Difference, quote: Quote = str) -> list[str]:
    """What must hold at run time now, and what need not any more."""
    gone, come = difference.constraints
    return [*(f"{quote(one)} no more" for one in gone), *map(quote, come)]
