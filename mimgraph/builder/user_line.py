"""Find the user's line that is running, and raise errors there, with their code as Python."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, lru_cache
from itertools import islice
from types import FrameType
from typing import Any, NoReturn

from mimgraph.diagnostics import Diagnostic, Label, Report, Sketch, SpecError, distinct
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.ops import python_text
from mimgraph.source import PythonFile, Span
from mimgraph.support.entry_point import is_ours
from mimgraph.support.objects import cell_name

Position = tuple[
    int | None, int | None, int | None, int | None
]  # line, end line, column, end column
NOWHERE: Position = (None, None, None, None)


def user_line() -> Span:
    """Return the user's line that is running: the innermost frame outside this package."""
    frame = user_frame()
    return at_line(frame.f_code.co_filename, frame.f_lineno)


def at_line(path: str, line: int) -> Span:
    """Return the span of a whole line of a Python file, or of a cell of a notebook."""
    return _at_line(path, cell_name(path), line)


@lru_cache  # a loop calls layers at one line
def _at_line(path: str, cell: str, line: int) -> Span:
    return Span(_python_file(path, cell), line, 1, line, 1)


def definition(function: Any) -> Span:
    """Return the line with the `def` of a function, after its decorators."""
    path, first = function.__code__.co_filename, function.__code__.co_firstlineno
    file = at_line(path, first).file
    lines = range(first, first + 20)
    is_def = (line for line in lines if file.line(line).lstrip().startswith("def "))
    return at_line(path, next(is_def, first))


_python_file = cache(PythonFile)


def user_frame() -> FrameType:
    """Return the innermost frame outside this package."""
    frame = sys._getframe(2)
    while (outer := frame.f_back) is not None and is_ours(frame.f_globals.get("__name__", "")):
        frame = outer
    return frame


def raise_faults(report: Report, span: Span) -> None:
    """Raise the diagnostics, if there are any; those at the line `span` get the columns of the
    call, and those in a spec, of which it takes a handle, become faults of the call."""
    if report.diagnostics:
        exact = _columns(span)
        raise SpecError(in_python(_in_code(found, span, exact)) for found in report.diagnostics)


def raise_at_call(
    diagnostics: Iterable[Diagnostic], span: Span, sketch: Sketch | None = None
) -> NoReturn:
    """Raise the faults of a changed graph, which `sketch` draws, at the call on the line `span`; where each
    arose is a label."""
    exact = _columns(span)
    # many nodes may be declared at one line of Python: their faults are told apart by node
    once = {
        (found.code, found.span, found.node, distinct(found)): found
        for found in reversed([*diagnostics])
    }
    error = SpecError([])
    found = reversed([*once.values()])
    error.diagnostics += [in_python(_at_call(one, span, exact)) for one in found]
    error.sketch = sketch
    raise error


def _in_code(found: Diagnostic, span: Span, exact: Span) -> Diagnostic:
    if not isinstance(found.span.file, PythonFile):
        return _at_call(found, span, exact)
    return _refined(found, span, exact) if found.span[:2] == span[:2] else found


def _at_call(found: Diagnostic, span: Span, exact: Span) -> Diagnostic:
    if found.span in (span, exact):
        note = found.note or (f"in {found.node}" if found.node else "")
        return _refined(replace(found, note=note), span, exact)
    labels = (Label(found.span, found.note), *found.labels)
    return _refined(replace(found, span=span, note="", labels=labels), span, exact)


def _refined(found: Diagnostic, span: Span, exact: Span) -> Diagnostic:
    """Return the diagnostic with exact columns, of the call or of an argument, without labels that
    would show the whole line."""
    labels = tuple(label for label in found.labels if label.span != span)
    return replace(found, span=exact if found.span == span else found.span, labels=labels)


def spec_error(code: DiagnosticCode, message: str, span: Span, help: str = "") -> SpecError:
    """Return the error with one diagnostic, at the columns of the running call."""
    return SpecError([Diagnostic(code, message, _columns(span), help=help)])


def running_call() -> Span:
    """Return the place of the call that the user's line is running."""
    return _columns(user_line())


def _columns(span: Span) -> Span:
    """Return the columns of the call that is running on the line `span`, if Python knows them."""
    frame = user_frame()
    if span != at_line(frame.f_code.co_filename, frame.f_lineno):
        return span
    positions = islice(frame.f_code.co_positions(), frame.f_lasti // 2, None)
    return at_position(span, next(positions, NOWHERE))


def at_position(span: Span, position: Position) -> Span:
    """Return the span of the position of an instruction on a line, `span`; the line itself if Python does
    not know it."""
    line, end_line, start, end = position
    if line is None or end_line is None or start is None or end is None:
        return span
    return Span(
        span.file,
        line,
        _characters(span, line, start) + 1,
        end_line,
        _characters(span, end_line, end) + 1,
    )


def _characters(span: Span, line: int, count: int) -> int:
    """Return how many characters the first `count` bytes of a line are."""
    return len(span.file.line(line).encode()[:count].decode(errors="replace"))


def in_python(found: Diagnostic) -> Diagnostic:
    """Return a diagnostic with the code in its texts as Python if it points at a line of Python."""
    if not isinstance(found.span.file, PythonFile):
        return found
    return replace(
        found,
        message=python_text.in_python(found.message),
        note=python_text.in_python(found.note),
        help=python_text.in_python(found.help),
        labels=tuple(Label(span, python_text.in_python(text)) for span, text in found.labels),
    )
