"""Read a size that a file holds as text: `512`, `(H + 31)//32`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from mimgraph.ir.dims.dim import Size, substitute, symbol
from mimgraph.ir.expression import evaluate, parse


@lru_cache(maxsize=4096)
def size(text: str) -> Size:
    """Return the size with its names as symbols."""
    if text.isdecimal():
        return int(text)
    found: Size = evaluate(parse(text), lambda name: symbol(name.name))
    return found


def at(text: str, sizes: Mapping[str, Size]) -> Size:
    """Return the size with these sizes in place of its names."""
    return substitute(size(text), sizes)
