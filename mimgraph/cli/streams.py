"""End a command without a traceback when its output is closed, full or in a narrow encoding."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from errno import EDQUOT, EIO, ENOSPC
from io import TextIOWrapper

from mimgraph.cli.errors import OK, WRONG_CALL
from mimgraph.cli.printing import print_error


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
