"""Say a change, its effects and the totals in words, for text and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from mimgraph.compare.edit_text import edit_words
from mimgraph.compare.listing import author_changes
from mimgraph.compare.model import Change, Difference, Edit
from mimgraph.cost.cost import Cost
from mimgraph.ir.amount import Amount
from mimgraph.summary.node_text import value_text
from mimgraph.summary.numbers import Count, number

SIGNS = {"added": "+", "removed": "-", "changed": "~", "follows": " "}
SAMPLE = {"N": 1}  # counts are of one sample

Quote: TypeAlias = Callable[[str], str]  # marks words of a spec, as Markdown does with backticks


class Style(NamedTuple):
    """How words of a spec and numbers are written."""

    quote: Quote = str
    written: Count = number

    def pair(self, old: Amount, new: Amount) -> tuple[str, str]:
        """Return two numbers, exact if they would look the same."""
        was, now = self.written(old), self.written(new)
        return (was, now) if was != now or old == new else (number(old), number(new))


EXACT = Style()


def heading(difference: Difference, quote: Quote = str) -> str:
    """Return `ImageNumerical: 3 changes`."""
    count = len(author_changes(difference))
    return f"{quote(difference.names[1])}: {count} change{'s' * (count != 1)}"


def change_words(change: Change, style: Style = EXACT) -> str:
    """Return what the author changed: `renamed from fc1, out_features 32 → 64`; of something added
    or removed all that the spec says of it."""
    if change.status == "changed":
        # several places share only the last part of the old name
        was = change.was if change.times == 1 else change.was.rpartition(".")[2]
        words = [f"renamed from {style.quote(was)}"] if was else []
        return _counted(
            [*words, *(style.quote(edit_words(edit)) for edit in change.edits)], [], change
        )
    words = [style.quote(_fact_words(edit)) for edit in (*change.edits, *change.effects)]
    side = 1 if change.status == "added" else 0
    counts = [f"{texts[side]} {unit}" for unit, texts in _differing_counts(change.costs, style)]
    return _counted(words, counts, change)


def _fact_words(edit: Edit) -> str:
    """Return one thing that a spec says of something added or removed: `out_features 32`."""
    value = edit.old if edit.new is None else edit.new
    if edit.what == "freeze":
        return edit_words(edit)
    return edit.what if value is True else f"{edit.what} {value_text(value)}"


def effect_words(change: Change, style: Style = EXACT) -> str:
    """Return the effects: `in_features 64 → 128, 650 → 1,290 parameters`."""
    words = [style.quote(edit_words(edit)) for edit in change.effects]
    counts = [
        f"{old} → {new} {unit}" for unit, (old, new) in _differing_counts(change.costs, style)
    ]
    return _counted(words, counts, change)


def _counted(words: list[str], counts: list[str], change: Change) -> str:
    """Join the words for each place and the sums over all: `from conv in 14 places, 104 parameters in all 14`."""
    times = change.times
    of_each, of_all = (f" in {times} places", f" in all {times}") if times > 1 else ("", "")
    each = ", ".join(words) + of_each if words or not counts else ""
    together = ", ".join(counts) + of_all if counts else ""
    return ", ".join(filter(None, (each, together))).lstrip()


def total_words(difference: Difference, style: Style = EXACT) -> list[str]:
    """Return `Parameters: 2,145 → 4,290 (+2,145)`, and the multiply-accumulates per sample."""
    old, new = difference.costs
    params = f"Parameters: {_total(Amount([old.params]), Amount([new.params]), style)}"
    if old.frozen or new.frozen:
        was, now = (Amount([cost.params - cost.frozen]) for cost in difference.costs)
        params += f", trainable: {_total(was, now, style)}"
    lines = [params]
    if any(cost.macs or cost.uncounted for cost in difference.costs):
        unknown = ", ".join(map(style.quote, sorted(old.uncounted | new.uncounted)))
        more = f", without {unknown}, whose MACs are not known" if unknown else ""
        was, now = (cost.macs.at(SAMPLE) for cost in difference.costs)
        per = (
            "at batch 1" if any(c.macs.crosses_samples for c in difference.costs) else "per sample"
        )
        lines.append(f"MACs {per}: {_total(was, now, style)}{more}")
    return lines


def _total(old: Amount, new: Amount, style: Style) -> str:
    was, now = style.pair(old, new)
    if old == new:
        return _quoted(was, old, style)
    more = style.written(new + old * -1)
    sign = "" if more.startswith("-") else "+"
    change = _quoted(sign + more, new + old * -1, style)
    return f"{_quoted(was, old, style)} → {_quoted(now, new, style)} ({change})"


def _differing_counts(costs: tuple[Cost, Cost], style: Style) -> Iterator[tuple[str, list[str]]]:
    """Yield the counts that changed, parameters or MACs per sample, old and new."""
    counts = {
        "parameters": [Amount([cost.params]) for cost in costs],
        "MACs": [cost.macs.at(SAMPLE) for cost in costs],
    }
    unknown = {"parameters": [False, False], "MACs": [bool(cost.uncounted) for cost in costs]}
    for unit, (old, new) in counts.items():
        texts = map(_quoted, style.pair(old, new), (old, new), (style, style))
        shown = [
            f"{text} + ?" if more else text for text, more in zip(texts, unknown[unit], strict=True)
        ]
        if shown[0] != shown[1]:
            yield unit, shown


def _quoted(text: str, amount: Amount, style: Style) -> str:
    """Return the text of an amount; one with names of sizes in it is quoted."""
    return text if isinstance(amount.value, int) else style.quote(text)


def constraint_words(difference: Difference, quote: Quote = str) -> list[str]:
    """Return what must hold at run time now, and what no longer must: `T >= 5, no longer T >= 3`."""
    gone, come = difference.constraints
    return [*map(quote, come), *(f"no longer {quote(one)}" for one in gone)]
