"""Run one command of the command line: check, draw, emit and the others in `cli/parser.py`.

`main` imports everything else, so that it also handles Ctrl-C while a command starts.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import NoReturn

INTERRUPTED = 130  # as shells count it: 128, and the number of the signal


def run() -> NoReturn:
    """Run one command and end the process, without a last garbage collection."""
    gc.disable()
    code = main()
    gc.freeze()
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 for success, 1 for a wrong spec, 2 for a wrong
    call, 130 after Ctrl-C."""
    try:
        from mimgraph.cli.run_command import run_command

        return run_command(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
