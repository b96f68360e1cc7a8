"""Write a chain in few words: its layers and blocks, joined by `+`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from mimgraph.picture.diagram.block_repeats import span
from mimgraph.picture.diagram.model import Box, Item

LISTED = 6  # layers that the text of a box names
FEWEST = 3  # repeats of a row in which one layer is not always the same
MOST_KINDS = 3  # layers that one may be
_NUMBER = re.compile(r"(?<![×\w])\d+(?![×\w])")  # but not a part of `3×3` or `Conv2d`
_BLOCK = re.compile(r"^([^ ,]*).*?( × (?:\w+|\(.*?\)))?$")  # its name and the number of repeats


def seq_text(items: Sequence[Item]) -> str:
    """Return the layers and blocks of a closed `seq`: `Conv2d 64 7×7 /2 + ReLU + residual × 3`."""
    runs = groupby(map(_item_text, items))
    return chain_text([times_text(text, len(list(same))) for text, same in runs], len(items))


def _item_text(item: Item) -> str:
    if isinstance(item, Box) and item.brief:
        return item.brief
    if not isinstance(item, Box) and item.kind == "seq":
        return seq_text(item.items)
    return "".join(_BLOCK.findall(item.subtitle)[0])


def chain_text(words: Sequence[str], layers: int) -> str:
    """Return the texts of so many layers as one: `MaxPool2d 2×2 + (Conv2d 64 3×3 + ReLU) × 2`."""
    alike = [_NUMBER.sub("0", text) for text in words]
    for period in range(1, len(words) // 2 + 1):
        times, rest = divmod(len(words), period)
        if rest == 0 and alike[period:] == alike[:-period]:
            return times_text(" + ".join(span(words[at::period]) for at in range(period)), times)
    if len(words) <= LISTED:
        return " + ".join(words)
    if alternating := _alternating(words, alike):
        return alternating
    return f"{layers} layers: {' + '.join(words[:LISTED])} + …"


def _alternating(words: Sequence[str], alike: Sequence[str]) -> str:
    """Return the text of a row that repeats except for one layer, which is now this and now that:
    `(Linear 8 + ReLU/Tanh) × 5`; "" if it is no such row."""
    for period in range(2, len(words) // FEWEST + 1):
        times, rest = divmod(len(words), period)
        if rest:
            continue
        kinds = [list(dict.fromkeys(alike[at::period])) for at in range(period)]
        most, *others = sorted(map(len, kinds), reverse=True)
        if most <= MOST_KINDS and max(others) == 1:
            texts = (_kinds_text(words[at::period]) for at in range(period))
            return times_text(" + ".join(texts), times)
    return ""


def _kinds_text(words: Sequence[str]) -> str:
    """Return the texts of one layer in all repeats: `Linear 8…64`, `ReLU/Tanh`."""
    kinds: dict[str, list[str]] = {}
    for text in words:
        kinds.setdefault(_NUMBER.sub("0", text), []).append(text)
    return "/".join(map(span, kinds.values()))


def times_text(text: str, times: int) -> str:
    """Return a text that is repeated: `conv × 3`, `(Linear 4 + ReLU) × 2`."""
    if times == 1:
        return text
    return f"({text}) × {times}" if " + " in text or "× " in text else f"{text} × {times}"
