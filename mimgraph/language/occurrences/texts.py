"""Find the names in the text of a value: `$hidden`, `$(2 * hidden)`, `8*H`, `g * a + b`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from keyword import iskeyword
from typing import NamedTuple

from mimgraph.ir.declared_values import closing

_DOLLAR = re.compile(r"\$(?:([A-Za-z_]\w*)|\()", re.ASCII)
_WORD = re.compile(r"(?<![\w.])([A-Za-z_]\w*)(?![\w(])", re.ASCII)  # no function, no `1e5`


class Name(NamedTuple):
    """A name in a text, and the characters where it stands; whether a `$` stands for its value."""

    name: str
    start: int
    end: int
    is_param: bool


def params_in(text: str) -> Iterator[Name]:
    """Yield the names of params in a text; a parenthesis that is not closed yet ends with the text."""
    behind = 0
    for match in _DOLLAR.finditer(text):
        if match.start() < behind:
            continue
        if match[1] is not None:
            yield Name(match[1], *match.span(1), True)
            behind = match.end()
            continue
        start = match.end()
        behind = closing(text, start)
        behind = len(text) if behind == start else behind
        yield from _words(text, start, behind, True)


def names_in(text: str) -> Iterator[Name]:
    """Yield the names in a formula or a size: variables, and params behind a `$`."""
    at = 0
    for match in _DOLLAR.finditer(text):
        if match.start() < at:
            continue
        yield from _words(text, at, match.start(), False)
        if match[1] is not None:
            at = match.end()
            yield Name(match[1], *match.span(1), True)
            continue
        start = match.end()
        at = closing(text, start)
        at = len(text) if at == start else at
        yield from _words(text, start, at, True)
    yield from _words(text, at, len(text), False)


def _words(text: str, start: int, end: int, is_param: bool) -> Iterator[Name]:
    for match in _WORD.finditer(text, start, end):
        if not iskeyword(match[1]):
            yield Name(match[1], *match.span(1), is_param)
