"""Run the command that a command line names, print its errors, and end without a traceback
when its output is closed, full or in a narrow encoding."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from errno import EDQUOT, EIO, ENOSPC
from functools import partial
from io import TextIOWrapper

from mimgraph.cli.errors import OK, WRONG_CALL, WRONG_SPEC, CallError
from mimgraph.cli.parser import color_choice, parse
from mimgraph.cli.printing import (
    point_to_pages,
    print_call_error,
    print_diagnostics,
    print_error,
    print_notes,
)
from mimgraph.cli.progress_bar import showing_progress
from mimgraph.diagnostics import SpecError
from mimgraph.diagnostics.render import visible
from mimgraph.support.progress import uncollected
from mimgraph.support.terminal import color


@uncollected()
def run_command(words: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    with color(color_choice(words)):
        return guarded(partial(_run, words))


def _run(words: Sequence[str]) -> int:
    """Run one command, and print the errors that it raises."""
    try:
        args = parse(words)
        with redirect_stdout(sys.stderr if getattr(args, "is_protocol", False) else sys.stdout):
            _import(getattr(args, "import", ()))
        with showing_progress():
            code: int = args.command(args)
        return code
    except SpecError as error:
        print_diagnostics(error.diagnostics, sys.stderr)
        point_to_pages(error.diagnostics)
        print_notes(error)
        return WRONG_SPEC
    except CallError as error:
        print_call_error(error)
        return error.exit_code


def _import(modules: Sequence[str]) -> None:
    """Import the modules of `--import`, from the working directory too, as `python -m` does."""
    if modules and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:
            reason = error if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
            if name.endswith(".py") or os.path.dirname(name):
                reason = "this is the path of a file, not the name of a module"
            elif not (isinstance(error, ModuleNotFoundError) and _is_part(error.name, name)):
                raise CallError(f"cannot import {name}: {reason}") from error
            raise CallError(f"cannot import {name}: {reason}", _import_help(name)) from error


def _is_part(missing: str | None, name: str) -> bool:
    """Return whether a missing module is the named one or a package around it."""
    return missing is not None and f"{name}.".startswith(f"{missing}.")


def _import_help(name: str) -> str:
    """Return the help for a module that is not found, or is named by the path of its file."""
    folder, file = os.path.split(name)
    module = file.removesuffix(".py")
    place = visible(folder or f"the folder of {module.partition('.')[0]}")
    where = f"run this in {place}, or add that folder to PYTHONPATH"
    return where if module == name else f"write --import {visible(module)}, and {where}"


def guarded(command: Callable[[], int]) -> int:
    """Return the exit code of a command; 0 if the reader of its output has ended, as `head` does."""
    _prepare_streams()
    try:
        code = command()
        sys.stdout.flush()
        sys.stderr.flush()
        return code
    except BrokenPipeError:
        _discard_rest()
        return OK
    except OSError as error:
        if error.filename is not None or error.errno not in (ENOSPC, EDQUOT, EIO):
            raise
        _discard_rest()
        print_error(f"cannot write the output: {error.strerror}")
        return WRONG_CALL


def _prepare_streams() -> None:
    """Make both outputs escape the characters that they cannot encode; one that was closed at the start,
    `>&-`, discards everything."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - until the process ends
        stream = getattr(sys, name)
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _discard_rest() -> None:
    """Send what cannot be written to nowhere, or Python would try again when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, stream.fileno())
                os.close(null)
