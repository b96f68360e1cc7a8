"""Write sizes as Python over the shapes of tensors: `2*T` as `2*x.shape[1]`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from mimgraph.ir.dim import Size, symbols
from mimgraph.ir.sizes import line_of

_NAME = re.compile(r"[A-Za-z_]\w*")


class Axis(NamedTuple):
    """The code that reads the size of an axis, and the size as an expression of named sizes."""

    text: str
    size: Size


def size_text(size: Size, axes: Sequence[Axis]) -> str | None:
    """Return code for a size; None if the axes do not tell it."""
    if isinstance(size, int):
        return str(size)
    same = next((axis.text for axis in axes if axis.size == size), None)
    if same is not None:
        return same
    names = _names(axes)
    if not symbols(size) <= names.keys():
        return None
    return _NAME.sub(lambda match: names[match[0]], str(size))


def _names(axes: Sequence[Axis]) -> dict[str, str]:
    """Return code for each named size; an axis that is the name itself goes before one of `2*T`."""
    names: dict[str, str] = {}
    solved: dict[str, str] = {}
    for text, size in axes:
        found = line_of(size)
        if found is None:
            continue
        factor, offset = found.line
        if (factor, offset) == (1, 0):
            names.setdefault(found.name, text)
        elif factor == 1:
            solved.setdefault(found.name, f"({text} - {offset})")
        else:
            rest = f"({text} - {offset})" if offset else text
            solved.setdefault(found.name, f"({rest} // {factor})")
    return solved | names
