"""Say an edit in words, old → new; of long values only the part that differs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from os.path import commonprefix
from typing import Any

from mimgraph.compare.model import Edit
from mimgraph.summary.node_text import LONGEST, value_text

AROUND = 16  # characters of a long text before and after what differs
MOST_SHOWN = 6  # differing items of a long list
NAMES = {"key": "state_dict key", "keys": "state_dict keys"}


def edit_words(edit: Edit) -> str:
    """Return `out_features 32 → 64`; of long values `from +c30, c12 ↔ c13` or `width [25] 8 → 9`."""
    if edit.what == "freeze":
        how = f"frozen {edit.new}" if isinstance(edit.new, str) else "frozen"
        return how if edit.new else "no longer frozen"
    old, new = map(_text, (edit.old, edit.new))
    if max(len(old), len(new)) > LONGEST:
        if edit.what == "from":
            return f"from {_few(_sources(_listed(edit.old), _listed(edit.new)))}"
        if places := _places(edit.old, edit.new):
            return f"{edit.what} {_few(places)}"
        old, new = _around(old, new)
    return f"{NAMES.get(edit.what, edit.what)} {old} → {new}"


def _text(value: Any) -> str:
    return "none" if value is None else value_text(value, sys.maxsize)


def _few(words: Iterable[str]) -> str:
    every = list(words)
    more = [f"and {len(every) - MOST_SHOWN} more"] if len(every) > MOST_SHOWN else []
    return ", ".join([*every[:MOST_SHOWN], *more])


def _listed(value: Any) -> list[str]:
    """Return sources as texts, each with its operand if it has one."""
    if isinstance(value, dict):
        return [f"{_text(key)}: {_text(source)}" for key, source in value.items()]
    return list(map(_text, value)) if isinstance(value, list) else [_text(value)]


def _sources(old: list[str], new: list[str]) -> Iterator[str]:
    """Yield the sources that are gone, new or swapped: `-c3`, `+c30`, `c12 ↔ c13`."""
    gone, come = Counter(old) - Counter(new), Counter(new) - Counter(old)
    yield from (f"-{one}" for one in gone.elements())
    yield from (f"+{one}" for one in come.elements())
    was, now = list(_without(old, gone)), list(_without(new, come))
    moved = [pair for pair in zip(was, now, strict=True) if pair[0] != pair[1]]
    swaps = dict.fromkeys(tuple(sorted(pair)) for pair in moved)
    if 2 * len(swaps) == len(moved):
        yield from (" ↔ ".join(swap) for swap in swaps)
    elif moved:
        yield "reordered"


def _without(every: Iterable[str], left_out: Counter[str]) -> Iterator[str]:
    left = Counter(left_out)
    for one in every:
        if left[one]:
            left[one] -= 1
        else:
            yield one


def _places(old: Any, new: Any) -> list[str]:
    """Return the items that differ, by position: `[2] 8 → 7`; none for lists of two lengths. A single value
    stands for a list of it."""
    length = max((len(side) for side in (old, new) if isinstance(side, list)), default=0)
    was, now = (side if isinstance(side, list) else [side] * length for side in (old, new))
    if len(was) != len(now):
        return []
    pairs = zip(map(_text, was), map(_text, now), strict=True)
    return [f"[{at}] {one} → {other}" for at, (one, other) in enumerate(pairs) if one != other]


def _around(old: str, new: str) -> tuple[str, str]:
    """Return both texts cut to the part that differs and some characters around it."""
    same = len(commonprefix([old, new]))
    shorter = min(len(old), len(new)) - same
    same_end = min(shorter, len(commonprefix([old[::-1], new[::-1]])))
    start = max(0, same - AROUND)

    def cut(text: str) -> str:
        end = min(start + LONGEST, len(text) - same_end + AROUND)
        return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"

    return cut(old), cut(new)
