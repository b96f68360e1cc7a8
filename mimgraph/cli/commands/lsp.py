"""`mimgraph lsp`: serve an editor over standard input and output."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import BinaryIO

from mimgraph.cli.errors import OK, CallError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.set_defaults(is_protocol=True)  # what modules of --import print goes elsewhere
    parser.epilog = "An editor starts it; the manual has the settings of each. It needs pygls: pip install 'mimgraph[editor]'"


def run(args: argparse.Namespace) -> int:
    """Serve until the editor ends the session."""
    try:
        from mimgraph.editor.server.spec_server import SpecServer
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        help = "pip install 'mimgraph[editor]'"
        raise CallError("the language server needs pygls, which is not installed", help) from None
    if sys.stdin.isatty():
        print("an editor starts this server, and talks to it here; Ctrl-C ends it", file=sys.stderr)
    with _protocol_streams() as (messages, answers):
        SpecServer().start_io(messages, answers)
    return OK


@contextmanager
def _protocol_streams() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Yield standard input and output for the protocol alone: what anything else prints meanwhile goes to
    standard error."""
    messages, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with messages, answers, redirect_stdout(sys.stderr):
        yield messages, answers
