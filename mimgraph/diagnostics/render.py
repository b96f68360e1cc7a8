"""Render diagnostics as text for people, in the style of rustc, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple, Protocol

from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.source import PythonFile, Span
from mimgraph.support.terminal import BLUE, BOLD, RED, YELLOW, Paint, painter, text_width

LONGEST = 200  # characters of a source line that are shown, if the terminal is not narrower
LEAD = 60  # characters before the marks where a line is cut
NARROW = 24  # columns of a text below its mark
TAB = "    "
STYLES = {"error": RED, "warning": YELLOW}  # of other kinds of remarks yellow, too


class Shown(Protocol):
    """A diagnostic, or a remark of another kind that is shown like one."""

    @property
    def severity(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def span(self) -> Span: ...
    @property
    def note(self) -> str: ...
    @property
    def labels(self) -> Sequence[Label]: ...
    @property
    def help(self) -> str: ...


def render_text(diagnostics: Sequence[Shown], color: bool = False, width: int | None = None) -> str:
    """Return the diagnostics with their source lines, separated by blank lines.

    Texts are wrapped and source lines cut to a width, if there is one.
    """
    paint = painter(color)
    return "\n\n".join("\n".join(_rows(diagnostic, paint, width)) for diagnostic in diagnostics)


def render_json(
    diagnostics: Sequence[Diagnostic], fixes: Sequence[list[dict[str, Any]]] = ()
) -> str:
    """Return a JSON list with one object a diagnostic; `fixes` has the fixes of each, if they are known."""
    import json  # needed by `--format json` alone

    known = fixes or [[] for _ in diagnostics]
    records = [_record(one, found) for one, found in zip(diagnostics, known, strict=True)]
    return json.dumps(records, indent=2)


def _record(diagnostic: Diagnostic, fixes: list[dict[str, Any]]) -> dict[str, Any]:
    span = diagnostic.span
    return {
        "code": diagnostic.code,
        "message": diagnostic.message,
        "file": span.file.name,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
        "node": diagnostic.node,
        "help": diagnostic.help,
        "fixes": fixes,
    }


# --- one diagnostic ---------------------------------------------------------------------------


class _Mark(NamedTuple):
    """A span to underline in its first line, and the text behind the underline."""

    span: Span
    sign: str
    style: str
    text: str


def _rows(diagnostic: Shown, paint: Paint, width: int | None) -> Iterator[str]:
    """Yield the lines of one diagnostic."""
    style = STYLES.get(diagnostic.severity, YELLOW)
    marks = [_Mark(diagnostic.span, "^", style, diagnostic.note)]
    marks += (_Mark(label.span, "-", BLUE, label.text) for label in diagnostic.labels)
    margin = " " * (len(str(max(mark.span.line for mark in marks))) + 1)
    bar = paint(BLUE, f"{margin} |")

    room = None if width is None else max(width - len(margin) - len(" | "), NARROW)

    title = f"{diagnostic.severity}[{diagnostic.code}]"
    inner = width and max(width - len(margin) - 1, NARROW)
    first, *others = _wrapped(f"{title}: {visible(diagnostic.message)}", inner)
    yield paint(style, title) + paint(BOLD, first.removeprefix(title))
    yield from (paint(BOLD, f"{margin} {line}") for line in others)
    for number, name in enumerate(dict.fromkeys(mark.span.file.name for mark in marks)):
        here = [mark for mark in marks if mark.span.file.name == name]
        if number:
            yield bar
        arrow = ":::" if number else "-->"
        _, line, column, *_ = here[0].span
        yield f"{paint(BLUE, margin + arrow)} {visible(name)}:{line}:{column}"
        if any(_has_source(mark.span) for mark in here):
            yield bar
            yield from _source(here, margin, bar, paint, room)
    is_unseen = bool(diagnostic.note) and not _has_source(diagnostic.span)
    if diagnostic.help or is_unseen:
        yield bar
    if is_unseen:  # a label says nothing without its place
        yield f"{paint(BLUE, f'{margin} =')} {paint(BOLD, 'note')}: {visible(diagnostic.note)}"
    if diagnostic.help:
        yield from _help(diagnostic.help, margin, paint, room)


def _has_source(span: Span) -> bool:
    """Return whether the source line is known; a line of Python typed at a prompt is not."""
    return not isinstance(span.file, PythonFile) or bool(span.file.line(span.line))


def _source(
    marks: list[_Mark], margin: str, bar: str, paint: Paint, room: int | None
) -> Iterator[str]:
    """Yield the source lines of one file, each followed by its marks, the rightmost first."""
    in_order = sorted(marks, key=lambda mark: (mark.span.line, -mark.span.column))
    longest = LONGEST if room is None else min(room - len("……"), LONGEST)
    for number, group in groupby(in_order, key=lambda mark: mark.span.line):
        on_line = list(group)
        line = on_line[0].span.file.line(number)
        left, right = _window(line, on_line, longest)
        cut = "…" if left else ""
        text = cut + _on_screen(line[left:right]) + ("…" if right < len(line) else "")
        yield f"{paint(BLUE, f'{number:>{len(margin)}} |')} {text}".rstrip()
        for mark in on_line:
            start, end = (min(max(column, left), right) for column in _columns(mark.span))
            indent = text_width(cut + _on_screen(line[left:start]))
            signs = mark.sign * max(1, text_width(_on_screen(line[start:end])))
            for column, text in _marked(indent, signs, visible(mark.text), room):
                yield f"{bar} {' ' * column}{paint(mark.style, text)}"


def _marked(indent: int, signs: str, text: str, room: int | None) -> Iterator[tuple[int, str]]:
    """Yield the signs below a source line with their text, each line with its column; a text that does
    not fit behind the signs stands below them, or further to the left."""
    if room is None or not text or indent + len(signs) + 1 + text_width(text) <= room:
        yield indent, f"{signs} {text}".rstrip()
        return
    yield indent, signs
    lines = _wrapped(text, max(room - indent, NARROW))
    column = max(0, min(indent, room - max(map(text_width, lines))))
    yield from ((column, line) for line in lines)


def _columns(span: Span) -> tuple[int, int]:
    """Return the columns, from 0, between which the first line of the span is underlined."""
    line = span.file.line(span.line)
    text_end = len(line.rstrip())
    if isinstance(span.file, PythonFile) and span.column == span.end_column == 1:
        return len(line) - len(line.lstrip()), text_end
    return span.column - 1, span.end_column - 1 if span.end_line == span.line else text_end


def _window(line: str, marks: list[_Mark], longest: int) -> tuple[int, int]:
    """Return the part of a line that is shown: all of it, or the part around the marks, or only around
    the fault if they are far apart."""
    if len(line) <= longest:
        return 0, len(line)
    # the leftmost mark with a sign comes last
    starts = {mark.sign: mark.span.column - 1 for mark in marks}
    focus = min(starts.values())
    lead = min(LEAD, longest // 3)
    if marks[0].span.column - focus > longest - lead:
        focus = starts.get("^", focus)
    left = max(0, min(focus - lead, len(line) - longest))
    return left, left + longest


def _help(text: str, margin: str, paint: Paint, room: int | None) -> Iterator[str]:
    indent = len("= help: ")
    wide = room and max(room + len("| ") - indent, NARROW)
    first, *others = (row for line in text.split("\n") for row in _wrapped(visible(line), wide))
    yield f"{paint(BLUE, f'{margin} =')} {paint(BOLD, 'help')}: {first}"
    for line in others:
        yield f"{margin} {' ' * indent}{line}".rstrip()


def _wrapped(text: str, width: int | None) -> list[str]:
    """Return the lines of a text at a width; no word is broken."""
    if width is None or len(text) <= width:
        return [text]
    from textwrap import wrap  # a check starts faster without it

    return wrap(text, width, break_long_words=False, break_on_hyphens=False)


# --- characters -------------------------------------------------------------------------------


def visible(text: str) -> str:
    """Escape the characters that move the cursor, change the direction of the text or are invisible."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _on_screen(source: str) -> str:
    return visible(source.replace("\t", TAB))
