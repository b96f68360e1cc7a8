"""Print the messages of commands in one form: errors, warnings, diagnostics, and what was written."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from time import perf_counter
from typing import TextIO

from mimgraph.cli.errors import CallError, WrongValue
from mimgraph.diagnostics import Diagnostic
from mimgraph.diagnostics.render import render_text, visible
from mimgraph.support.terminal import (
    BLUE,
    BOLD,
    DIM,
    GREEN,
    RED,
    YELLOW,
    Paint,
    columns,
    painter,
    wants_color,
)


def print_error(message: str, help: str = "") -> None:
    """Print an error to standard error, with what to write instead below it."""
    _print_message(RED, "error", message)
    if help:
        _print_message(BOLD, "  help", help)


def print_call_error(error: CallError) -> None:
    """Print the error of a wrong call to standard error."""
    if isinstance(error, WrongValue):
        print_diagnostics(error.diagnostics, sys.stderr)
    else:
        print_error(str(error), error.help)


def print_warning(message: str) -> None:
    """Print a warning to standard error."""
    _print_message(YELLOW, "warning", message)


def print_note(message: str) -> None:
    """Print what the user may want to know to standard error."""
    _print_message(BLUE, "note", message)


def print_written(path: str, started: float) -> None:
    """Print that a file was written, and how long the command has taken until then."""
    paint = _paint()
    time = paint(DIM, f"({perf_counter() - started:.1f} s)")
    print(f"{paint(GREEN, 'wrote')} {paint(BOLD, visible(path))} {time}", file=sys.stderr)


def print_diagnostics(diagnostics: Sequence[Diagnostic], stream: TextIO) -> None:
    """Print diagnostics with the lines of the spec that they point at."""
    print(render_text(diagnostics, wants_color(stream), _width(stream)), file=stream)


def point_to_pages(diagnostics: Sequence[Diagnostic]) -> None:
    """Print how to read the pages of these diagnostics, if standard error is a terminal."""
    codes = " ".join(dict.fromkeys(one.code for one in diagnostics))
    if codes and sys.stderr.isatty():
        lines = _wrapped(f"for more: mimgraph explain {codes}", len("for more: "))
        print("\n" + "\n".join(lines), file=sys.stderr)


def print_notes(error: Exception) -> None:
    """Print what a command noted about an error, if standard error is a terminal."""
    for note in getattr(error, "__notes__", ()) if sys.stderr.isatty() else ():
        print_note(note)


def _print_message(style: str, title: str, message: str) -> None:
    """Print a message behind its title, wrapped to the terminal; no escape sequence in a path or a param
    reaches the terminal."""
    first, *others = map(visible, message.split("\n"))
    lines = _wrapped(f"{title}: {first}", len(title) + 2)
    lines[0] = _paint()(style, f"{title}:") + lines[0][len(title) + 1 :]
    print("\n".join([*lines, *others]), file=sys.stderr)


def _wrapped(text: str, indent: int) -> list[str]:
    width = _width(sys.stderr)
    if width is None or len(text) <= width:
        return [text]
    from textwrap import wrap  # a check starts faster without it

    return wrap(
        text,
        max(width, 2 * indent),
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _width(stream: TextIO) -> int | None:
    """Return the width to wrap a message to; None if a program reads it."""
    return columns(stream) if stream.isatty() else None


def _paint() -> Paint:
    return painter(wants_color(sys.stderr))
