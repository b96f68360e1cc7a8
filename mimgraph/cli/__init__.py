"""Run one command of the command line: check, draw, emit and the others in `cli/parser.py`.

Everything else is imported while `run` is running, so that Ctrl-C ends a command that is still starting.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Sequence
    from types import FrameType
else:  # `signal` itself takes milliseconds to import, in which Ctrl-C prints a traceback
    import _signal as signal

INTERRUPTED = 130  # as shells count it: 128, and the number of the signal


def run() -> None:
    """Run one command and end the process, without a last garbage collection."""
    gc.disable()
    _on_interrupt(signal.default_int_handler, _end)
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)  # the status is known by then
    code = main()
    _on_interrupt(signal.default_int_handler, _end)
    gc.freeze()
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 for success, 1 for a wrong spec, 2 for a wrong
    call."""
    from mimgraph.cli.run_command import run_command

    return run_command(sys.argv[1:] if arguments is None else arguments)


def allow_interrupts() -> None:
    """Let Ctrl-C raise a `KeyboardInterrupt` from now on, so that a command can clean up."""
    _on_interrupt(_end, signal.default_int_handler)


def _on_interrupt(old: object, new: Callable[[int, FrameType | None], None]) -> None:
    """Replace a handler of Ctrl-C; it stays as it is if the caller ignores or handles Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is old:
        signal.signal(signal.SIGINT, new)


def _end(number: int, frame: FrameType | None) -> None:
    """End the process at once, as an import may turn a `KeyboardInterrupt` into another error."""
    os._exit(INTERRUPTED)
