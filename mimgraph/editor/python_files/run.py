"""Run a Python file of the user, and report the calls that build graphs: the program of the process.

    python -m mimgraph.editor.python_files.run

Standard input has `{"path": ..., "text": ..., "seconds": ..., "memory": ...}`. Standard output gets the
reports, a JSON object a line; what the file prints goes to standard error. The file runs under its own
name, not as `__main__`, so that code under `if __name__ == "__main__":` is not run.
"""

from __future__ import annotations

import faulthandler
import json
import linecache
import os
import sys
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, TextIO

from mimgraph.builder import user_line
from mimgraph.builder.records import Record, watchers
from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.source import Span
from mimgraph.support.entry_point import is_ours
from mimgraph.support.limited_process import limit_process

BETWEEN = ("contextlib", "functools")  # modules whose frames stand between ours
MOST_RESULTS = 100  # different results that are reported for one call
MOST_CALLS = 100_000  # calls that are looked at


def main() -> None:
    """Run the file that standard input names."""
    request = json.load(sys.stdin)
    reports = _private_reports()
    limit_process(request["memory"], int(request["seconds"]) + 5)
    faulthandler.dump_traceback_later(request["seconds"], exit=True, file=reports)
    path = request["path"]
    watcher = _Watcher(path, reports)
    watchers.append(watcher.watch)
    try:
        _run(path, request["text"])
    except BaseException as error:  # noqa: BLE001 - whatever the file raises is reported
        watcher.report(**_error(error, path))
    faulthandler.cancel_dump_traceback_later()
    watcher.report(done=True, calls=watcher.calls)
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)  # threads of the user do not keep the process


def _private_reports() -> TextIO:
    """Return a stream to standard output that is ours alone; the file prints to standard error, and its
    standard input is empty."""
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    return reports


def _run(path: str, text: str) -> None:
    """Run a text as the module that the file at a path is."""
    lines = text.splitlines(keepends=True)
    linecache.cache[path] = (len(text), None, lines, path)  # the editor's text, not the disk's
    package, root = _package(Path(path))
    name = f"{package}.{Path(path).stem}" if package else Path(path).stem
    if name in sys.modules or is_ours(name):  # `types.py` must not replace the module of Python
        name = f"users_{name}"
    module = ModuleType(name)
    module.__file__, module.__package__ = path, package
    sys.path.insert(0, root)
    sys.argv[:] = [path]
    sys.modules[name] = module
    exec(compile(text, path, "exec"), vars(module))  # noqa: S102 - the user asked for it


def _package(path: Path) -> tuple[str, str]:
    """Return the name of the package that has a file, "" if none has it, and the folder to import from."""
    parts, root = list[str](), path.parent
    while (root / "__init__.py").is_file() and root != root.parent:
        parts.insert(0, root.name)
        root = root.parent
    return ".".join(parts), str(root)


# --- calls ----------------------------------------------------------------------------------------


class _Watcher:
    """Reports each result of each call in the file, once."""

    def __init__(self, path: str, reports: TextIO) -> None:
        self.path = path
        self.reports = reports
        self.calls = 0
        self.seen: dict[tuple[int, ...], set[str]] = {}

    def watch(self, record: Record) -> None:
        """Report a call of a layer, or an input, unless the same result is known there."""
        is_call = (
            record.layer is not None or record.trace is None
        )  # else it is the input of a block
        if record.graph or not is_call:
            return
        self.calls += 1
        if self.calls > MOST_CALLS:
            return
        frame, is_inner = _frame_in(self.path)
        if frame is None:
            return
        place = _place(self.path, frame)
        text = _shapes(record)
        seen = self.seen.setdefault((*place, is_inner), set())
        if text not in seen and len(seen) < MOST_RESULTS:
            seen.add(text)
            self.report(place=place, shape=text, inner=is_inner)

    def report(self, **found: Any) -> None:
        """Write one report."""
        self.reports.write(f"{json.dumps(found)}\n")
        self.reports.flush()


def _place(path: str, frame: FrameType) -> list[int]:
    """Return the place of the call that a frame is running."""
    positions = islice(frame.f_code.co_positions(), frame.f_lasti // 2, None)
    line = user_line.at_line(path, frame.f_lineno)
    return _lines(user_line.at_position(line, next(positions, user_line.NOWHERE)))


def _frame_in(path: str) -> tuple[FrameType | None, bool]:
    """Return the innermost frame in a file that is running, and whether it makes the call itself: a
    function of another file may make it."""
    frame: FrameType | None = sys._getframe(2)  # above the watcher
    is_inner = True
    while frame is not None and frame.f_code.co_filename != path:
        module = frame.f_globals.get("__name__", "")
        is_inner &= is_ours(module) or module in BETWEEN
        frame = frame.f_back
    return frame, is_inner


def _shapes(record: Record) -> str:
    """Return the shape of the default result, or of each."""
    results = record.results
    if record.default is not None and record.default in results:
        return str(results[record.default].shape)
    shown = [f"{port}: {type_.shape}" for port, type_ in [*results.items()][:8]]
    return ", ".join(shown) + (", ..." if len(results) > 8 else "")


def _lines(span: Span) -> list[int]:
    return [*span[1:]]


# --- errors ---------------------------------------------------------------------------------------


def _error(error: BaseException, path: str) -> dict[str, Any]:
    """Return an error as a report, at the innermost line of the file that it came through."""
    line = _line_of(error, path)
    if isinstance(error, SpecError):
        return {"faults": [_fault(one, line, path) for one in error.diagnostics]}
    if isinstance(error, SyntaxError) and error.filename == path:
        place = [error.lineno or 1, error.offset or 1, error.end_lineno or 0, error.end_offset or 0]
        place[2:] = max(place[:2], place[2:])
        return {"faults": [_users(f"SyntaxError: {error.msg}", place)]}
    whole = [line, 1, line, 1]
    if isinstance(error, SystemExit):
        return {"faults": [_users(f"the file ended the program: {error!r}", whole, "warning")]}
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    return {"faults": [_users(text[:1_000], whole)]}


def _users(message: str, place: list[int], severity: str = "error") -> dict[str, Any]:
    return {"code": "python", "severity": severity, "message": message, "place": place}


def _fault(one: Diagnostic, line: int, path: str) -> dict[str, Any]:
    """Return a diagnostic; one about another file is reported at the line that led there."""
    here = one.span.file.name == path
    mentions = [(label.span, label.text) for label in one.labels]
    if not here:
        mentions.insert(0, (one.span, one.note or "here"))
    return {
        "code": one.code,
        "severity": one.severity,
        "message": one.message,
        "place": _lines(one.span) if here else [line, 1, line, 1],
        "note": one.note if here else "",
        "help": one.help,
        "mentions": [[span.file.name, _lines(span), text] for span, text in mentions],
    }


def _line_of(error: BaseException, path: str) -> int:
    """Return the innermost line of the file that an error came through; 1 if there is none."""
    found, step = 1, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == path:
            found = step.tb_lineno
        step = step.tb_next
    return found


if __name__ == "__main__":
    main()
