"""Run a command again whenever the file of a spec is saved, until the user ends it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress

from mimgraph.cli.errors import OK, CallError
from mimgraph.cli.printing import print_call_error, print_diagnostics
from mimgraph.cli.user_models import refuse_code
from mimgraph.diagnostics import SpecError
from mimgraph.diagnostics.render import visible


def check_file(path: str) -> None:
    """Refuse a spec that is no file, which can neither be watched nor edited."""
    if path == "-":
        raise CallError("standard input cannot be watched: name a file")
    refuse_code(path)
    if os.path.isdir(path):
        raise CallError(f"{visible(path)} is a folder: name the spec in it")
    if not os.path.isfile(path):
        raise CallError(f"cannot read {visible(path)}: there is no such file")


def watching(path: str, run: Callable[[], Iterable[str]]) -> int:
    """Run now and on every save of the spec or of the parts that `run` returns.

    Errors of the spec are printed each time, and end nothing.
    """
    from mimgraph.editor.preview.watched_files import saves  # only this needs it

    check_file(path)
    files = {path}
    with suppress(KeyboardInterrupt):
        for _ in saves(lambda: files):
            try:
                files.update(run())
            except SpecError as error:
                files.update(one.span.file.name for one in error.diagnostics)
                print_diagnostics(error.diagnostics, sys.stderr)
            except CallError as error:
                print_call_error(error)
    return OK
