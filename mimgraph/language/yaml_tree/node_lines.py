"""Read the lines of large specs that are all in one form, `name: {key: value, ...}`, without libyaml.

Each run of such lines in a section `nodes` is cut out of the text, and a mark takes its place. Then
libyaml reads the rest: if it finds the mark as an entry of a block mapping, the lines would have been
entries there as well. If it does not, because the lines are inside a quoted text or `[ ]`, say, or if
anything else is wrong, it reads the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from mimgraph.ir.declared.values import FAULTY
from mimgraph.language.yaml_tree.early import Early
from mimgraph.language.yaml_tree.scalars import ResolvedScalars
from mimgraph.language.yaml_tree.tree import DeclaredNodes, Mapping, Scalar, Sequence, Tree
from mimgraph.source import SourceFile, Span

MARK = "_"
MARK_LINE = f"  {MARK}: |-\n"  # a text of no lines; inside of [ ] and { } it is a syntax error
SECTION = "\nnodes:\n"

_KEY = r"[A-Za-z_]\w{0,100}"  # libyaml finds no keys of more than 1024 characters
_WORD = r"(?:[\w.$]|-\d)[\w.+-]*"
_VALUE = rf"(?:{_WORD}|\[{_WORD}(?:, {_WORD})*\])"
_LINE = re.compile(rf"  ({_KEY}): \{{({_KEY}: {_VALUE}(?:, {_KEY}: {_VALUE})*)\}}\n", re.ASCII)
_COMMA = re.compile(r", (?=\w+: )", re.ASCII)  # not those in a list

_new = tuple.__new__  # takes half as long as the __new__ of a NamedTuple


class Run(NamedTuple):
    """Lines of a text that follow each other: where they begin and end, how many there are, and their
    keys and values in turn."""

    line: int
    start: int
    end: int
    lines: int
    items: list[Tree]


def node_runs(
    file: SourceFile, text: str, resolved: ResolvedScalars, early: Early | None = None
) -> list[Run]:
    """Return the runs of lines in this form; there are none in a text with lines that are counted
    in other ways than by LF. `early` reads the nodes among them."""
    start = text.find(SECTION) + len(SECTION)
    if start < len(SECTION) or "\r" in text or not text.isascii():
        return []
    runs: list[Run] = []
    line = text.count("\n", 0, start) + 1
    while start < len(text):
        run = _run(file, text, start, line, resolved, early)
        if run.lines:
            runs.append(run)
        line += run.lines + 1
        if text[run.end : run.end + 1] not in (" ", "#", "\n"):
            early = None  # the next section begins
        start = text.find("\n", run.end) + 1 or len(text)
    return runs


def _run(
    file: SourceFile,
    text: str,
    start: int,
    line: int,
    resolved: ResolvedScalars,
    early: Early | None,
) -> Run:
    """Return the lines from `start` on that are in this form; there may be none."""
    items: list[Tree] = []
    declared: list[Any] = []
    lines, end = 0, start
    for name, inner, behind in _lines(text, start):
        here = line + lines
        value = _mapping(file, inner, here, len(name) + 5, resolved)
        key = _scalar(file, name, here, 3, resolved)
        if value is None or key is None:
            break
        if early is None:
            items += key, value
        else:
            declared.append(early.node(key, value))
            items = [items[0] if items else key, value]
        lines, end = lines + 1, behind
    if declared:
        items[1] = DeclaredNodes.of(declared, items[1].span)
    return Run(line, start, end, lines, items)


def without_runs(text: str, runs: list[Run]) -> str:
    """Return the text with a mark and empty lines in the place of each run."""
    parts, end = list[str](), 0
    for run in runs:
        parts += text[end : run.start], MARK_LINE, "\n" * (run.lines - 1)
        end = run.end
    return "".join((*parts, text[end:]))


def _lines(text: str, start: int) -> Iterator[tuple[str, str, int]]:
    """Yield the name, the text in braces, and the end of each line in this form from `start` on."""
    match = _LINE.match(text, start)
    while match is not None:
        end = match.end()
        yield match[1], match[2], end
        match = _LINE.match(text, end)


def _mapping(
    file: SourceFile, inner: str, line: int, column: int, resolved: ResolvedScalars
) -> Mapping | None:
    """Return the mapping whose brace is at `column`; None if one of its scalars is faulty."""
    entries: dict[str, tuple[Scalar, Tree]] = {}
    at = column + 1
    pairs = _COMMA.split(inner) if "[" in inner else inner.split(", ")
    for pair in pairs:
        name, _, text = pair.partition(": ")
        behind = at + len(name)
        word = resolved[name]
        if type(word) is not str:
            return None
        name = word  # the same object for each such word
        key = _new(Scalar, (name, _new(Span, (file, line, at, line, behind)), name, True, False))
        at = behind + 2
        behind = at + len(text)
        span = _new(Span, (file, line, at, line, behind))
        value: Tree | None
        if text[0] == "[":
            value = _sequence(text, span, resolved)
            if value is None:
                return None
        else:
            plain = resolved[text]
            if plain is FAULTY:
                return None
            text = plain if type(plain) is str else text
            value = _new(Scalar, (plain, span, text, True, False))
        entries[name] = key, value
        at = behind + 2
    if len(entries) < len(pairs):
        return None
    span = _new(Span, (file, line, column, line, at - 1))
    return _new(Mapping, (tuple(entries.values()), span, ()))


def _sequence(text: str, span: Span, resolved: ResolvedScalars) -> Sequence | None:
    """Return the list of scalars with this text; None if one of them is faulty."""
    items: list[Tree] = []
    at = span.column + 1
    for word in text[1:-1].split(", "):
        item = _scalar(span.file, word, span.line, at, resolved)
        if item is None:
            return None
        items.append(item)
        at += len(word) + 2
    return Sequence(tuple(items), span)


def _scalar(
    file: SourceFile, text: str, line: int, column: int, resolved: ResolvedScalars
) -> Scalar | None:
    """Return a scalar that begins at `column`; None if it is faulty."""
    value = resolved[text]
    if value is FAULTY:
        return None
    text = value if type(value) is str else text
    span = _new(Span, (file, line, column, line, column + len(text)))
    return _new(Scalar, (value, span, text, True, False))
