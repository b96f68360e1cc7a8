"""`mimgraph preview`: show the picture of a spec in the browser, and redraw it on every save."""

from __future__ import annotations

import argparse
import os
import re
import sys
import webbrowser
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from mimgraph.cli.arguments import add_settings, add_view, view
from mimgraph.cli.errors import OK, CallError
from mimgraph.cli.settings import read_settings
from mimgraph.cli.watching import check_file
from mimgraph.diagnostics.render import visible
from mimgraph.editor.preview.open_editor import editor_command, open_line
from mimgraph.editor.preview.watched_files import saves

TOKEN = "MIMGRAPH_PREVIEW_TOKEN"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("spec", metavar="SPEC", help="a YAML or JSON file")
    add_settings(parser)
    add_view(parser)
    help = "the port of this machine to serve the page at; default: one that is free"
    parser.add_argument("--port", type=_port, default=0, metavar="PORT", help=help)
    help = "print the address of the page, and open no browser"
    parser.add_argument("--no-open", action="store_true", help=help)
    help = (
        "the command that a click on a node runs: 'code -g {file}:{line}:{column}'; "
        "default: of the editor in $VISUAL or $EDITOR, if it has a window"
    )
    parser.add_argument("--editor", metavar="COMMAND", help=help)
    parser.epilog = "Ctrl-C ends it. The page is served to this machine alone, and its address has a secret token."


def _port(text: str) -> int:
    """Return a number of a port."""
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 65535, not {text!r}")
    return int(text)


def _token(environment: Mapping[str, str]) -> str | None:
    """Return the token that the user chose, so that open pages find a server that is started again."""
    given = environment.get(TOKEN)
    if given is not None and not re.fullmatch(r"[\w-]{22,200}", given, re.ASCII):
        raise CallError(f"{TOKEN} needs 22 to 200 letters, digits, - and _, chosen at random")
    return given


def run(args: argparse.Namespace) -> int:
    """Serve the page until the user ends it."""
    from threading import Thread

    from mimgraph.editor.preview.live_picture import LivePicture
    from mimgraph.editor.preview.page_server import PageServer

    check_file(args.spec)
    try:
        command = editor_command(args.editor, os.environ)
    except ValueError as error:
        raise CallError(str(error)) from None
    live = LivePicture(args.spec, view(args), read_settings("--set", "PARAM=VALUE", args.set))
    opener = partial(open_line, command) if command else None
    try:
        server = PageServer(live, args.port, opener, _token(os.environ))
    except OSError as error:
        raise CallError(f"cannot serve at port {args.port}: {error.strerror or error}") from None
    Thread(target=server.serve_forever, daemon=True).start()
    with suppress(KeyboardInterrupt):
        for number, _ in enumerate(saves(lambda: live.files)):
            live.draw()  # of an editor's text, too: a part may have changed
            if number == 0:
                _say(args, server.address)
    return OK


def _say(args: argparse.Namespace, address: str) -> None:
    """Print the address of the page, and open it."""
    print(f"{visible(args.spec)} is shown at {address}", flush=True)
    if not args.no_open and not webbrowser.open(address):
        print("open this address in a browser", file=sys.stderr)
