"""Specs as an editor shows them: with a cursor `▮`, with hints of shapes `‹(N, 8)›` and options `[in_features 8]`."""

from __future__ import annotations

import re
from typing import NamedTuple

from mimgraph.editor.analysis import Analysis, analyse
from mimgraph.editor.features.hints import Hint, hints
from mimgraph.editor.features.uses import uses_of
from mimgraph.source import SourceFile

_HINT = re.compile(r"‹[^›]*›|\[[a-z_]+ [^\]:,]*\]")
CURSOR = "▮"


class Pointed(NamedTuple):
    """A text without its cursor, and the line and column where that stood."""

    text: str
    line: int
    column: int


def pointed(text: str) -> Pointed:
    """Return a text without its one cursor."""
    before, _, after = text.partition(CURSOR)
    assert CURSOR not in after
    return Pointed(before + after, before.count("\n") + 1, len(before) - before.rfind("\n"))


def analysed(text: str) -> Analysis:
    """Return the analysis of a text."""
    return analyse(SourceFile("spec.yaml", text))


def without_hints(text: str) -> str:
    """Return the text that a person wrote."""
    return _HINT.sub("", text)


def hints_of(text: str) -> list[Hint]:
    """Return the hints of a text."""
    analysis = analysed(text)
    return hints(analysis, uses_of(analysis))


def hinted(text: str) -> str:
    """Return a text with its hints."""
    lines = text.split("\n")
    for hint in reversed(hints_of(text)):
        shown = f"‹{hint.text}›" if hint.kind == "shape" else f"[{hint.text}]"
        line = lines[hint.line - 1]
        lines[hint.line - 1] = f"{line[: hint.column - 1]}{shown}{line[hint.column - 1 :]}"
    return "\n".join(lines)
