"""Say a change, its effects and the totals in words, for text and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from mimgraph.compare.edit_text import edit_words
from mimgraph.compare.listing import author_changes
from mimgraph.compare.model import Change, Difference, Edit
from mimgraph.cost.cost import Cost
from mimgraph.ir.dims.amount import Amount
from mimgraph.summary.node_text import value_text
from mimgraph.summary.numbers import number

SIGNS = {"added": "+", "removed": "-", "changed": "~", "follows": " "}
SAMPLE = {"N": 1}  # counts are of one sample

Quote: TypeAlias = Callable[[str], str]  # marks words of a spec, as Markdown does with backticks


def heading(difference: Difference, quote: Quote = str) -> str:
    """Return `ImageNumerical: 3 changes`."""
    count = len(author_changes(difference))
    return f"{quote(difference.names[1])}: {count} change{'s' * (count != 1)}"


def change_words(change: Change, quote: Quote = str) -> str:
    """Return what the author changed: `renamed from fc1, out_features 32 → 64`; of something added
    or removed all that the spec says of it."""
    if change.status == "changed":
        # several places share only the last part of the old name
        was = change.was if change.times == 1 else change.was.rpartition(".")[2]
        words = [f"renamed from {quote(was)}"] if was else []
        return _counted([*words, *(quote(edit_words(edit)) for edit in change.edits)], [], change)
    words = [quote(_fact_words(edit)) for edit in (*change.edits, *change.effects)]
    side = 1 if change.status == "added" else 0
    counts = [f"{texts[side]} {unit}" for unit, texts in _differing_counts(change.costs, quote)]
    return _counted(words, counts, change)


def _fact_words(edit: Edit) -> str:
    """Return one thing that a spec says of something added or removed: `out_features 32`."""
    value = edit.old if edit.new is None else edit.new
    if edit.what == "freeze":
        return edit_words(edit)
    return edit.what if value is True else f"{edit.what} {value_text(value)}"


def effect_words(change: Change, quote: Quote = str) -> str:
    """Return the effects: `in_features 64 → 128, 650 → 1,290 parameters`."""
    words = [quote(edit_words(edit)) for edit in change.effects]
    counts = [
        f"{old} → {new} {unit}" for unit, (old, new) in _differing_counts(change.costs, quote)
    ]
    return _counted(words, counts, change)


def _counted(words: list[str], counts: list[str], change: Change) -> str:
    """Join the words for each place and the sums over all: `from conv × 14, 104 parameters in all 14`."""
    times = change.times
    of_each, of_all = (f" × {times}", f" in all {times}") if times > 1 else ("", "")
    each = ", ".join(words) + of_each if words or not counts else ""
    together = ", ".join(counts) + of_all if counts else ""
    return ", ".join(filter(None, (each, together))).lstrip()


def total_words(difference: Difference, quote: Quote = str) -> list[str]:
    """Return `Parameters: 2,145 → 4,290 (+2,145)`, and the multiply-accumulates per sample."""
    old, new = difference.costs
    params = f"Parameters: {_total(Amount([old.params]), Amount([new.params]), quote)}"
    if old.frozen or new.frozen:
        was, now = (Amount([cost.params - cost.frozen]) for cost in difference.costs)
        params += f", trainable: {_total(was, now, quote)}"
    lines = [params]
    if any(cost.macs or cost.uncounted for cost in difference.costs):
        unknown = ", ".join(map(quote, sorted(old.uncounted | new.uncounted)))
        more = f", without {unknown}, whose MACs are not known" if unknown else ""
        was, now = (cost.macs.at(SAMPLE) for cost in difference.costs)
        per = (
            "at batch 1" if any(c.macs.crosses_samples for c in difference.costs) else "per sample"
        )
        lines.append(f"MACs {per}: {_total(was, now, quote)}{more}")
    return lines


def _total(old: Amount, new: Amount, quote: Quote) -> str:
    if old == new:
        return _number(old, quote)
    more = number(new + old * -1)
    sign = "" if more.startswith("-") else "+"
    return f"{_number(old, quote)} → {_number(new, quote)} ({_quoted(sign + more, quote)})"


def _differing_counts(costs: tuple[Cost, Cost], quote: Quote) -> Iterator[tuple[str, list[str]]]:
    """Yield the counts that changed, parameters or MACs per sample, old and new."""
    params = [f"{cost.params:,}" for cost in costs]
    macs = [_number(cost.macs.at(SAMPLE), quote) for cost in costs]
    macs = [f"{text} + ?" if c.uncounted else text for c, text in zip(costs, macs, strict=True)]
    for unit, texts in (("parameters", params), ("MACs", macs)):
        if texts[0] != texts[1]:
            yield unit, texts


def _number(amount: Amount, quote: Quote) -> str:
    return _quoted(number(amount), quote)


def _quoted(text: str, quote: Quote) -> str:
    """Return a number; one with names of sizes in it is quoted."""
    return quote(text) if any(map(str.isalpha, text)) else text


def constraint_words(difference: Difference, quote: Quote = str) -> list[str]:
    """Return what must hold at run time now, and what no longer must: `T >= 5, no longer T >= 3`."""
    gone, come = difference.constraints
    return [*map(quote, come), *(f"no longer {quote(one)}" for one in gone)]
