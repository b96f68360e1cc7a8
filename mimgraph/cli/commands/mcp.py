"""`mimgraph mcp`: serve a language model over standard input and output."""

from __future__ import annotations

import argparse
import os

from mimgraph.cli.errors import OK, CallError
from mimgraph.diagnostics.render import visible


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    help = "the folder whose specs may be read and written; default: the working directory"
    parser.add_argument("folder", nargs="?", default=".", metavar="FOLDER", help=help)
    parser.add_argument("--read-only", action="store_true", help="write no file")
    parser.set_defaults(is_protocol=True)  # what modules of --import print goes elsewhere
    parser.epilog = (
        "A client starts it; the manual has the settings. It needs the SDK of the Model Context Protocol: "
        "pip install 'mimgraph[mcp]'"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until the client ends the session."""
    try:
        from mimgraph.editor.mcp.folder import Folder
        from mimgraph.editor.mcp.server import make_server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "anyio", "pydantic"):
            raise
        help = "pip install 'mimgraph[mcp]'"
        raise CallError("the server needs the package mcp, which is not installed", help) from None
    try:
        os.chdir(args.folder)
    except OSError as error:
        reason = error.strerror or error
        raise CallError(f"cannot serve {visible(args.folder)}: {reason}") from None
    # the processes that run the tools import nothing from the folder
    os.environ["PYTHONSAFEPATH"] = "1"
    folder = Folder(os.path.realpath("."), args.read_only)
    make_server(folder, modules=tuple(getattr(args, "import"))).run()
    return OK
