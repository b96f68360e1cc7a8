"""`mimgraph explain`: list the codes of diagnostics, or print the pages of some."""

from __future__ import annotations

import argparse
import sys

from mimgraph.cli.errors import OK, CallError
from mimgraph.diagnostics.codes import CODES
from mimgraph.diagnostics.explain import listing, page, page_text
from mimgraph.diagnostics.nearest import nearest
from mimgraph.support.terminal import columns, painter, printable, wants_color

WIDEST = 100  # columns of a text that is pleasant to read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    help = "the code of a diagnostic: shape-mismatch; default: list all"
    parser.add_argument("codes", nargs="*", metavar="CODE", help=help)


def run(args: argparse.Namespace) -> int:
    """Print the list or the pages."""
    for code in args.codes:
        if code not in CODES:
            near = nearest(code, CODES)
            help = f"did you mean {near}?" if near else "mimgraph explain lists them"
            raise CallError(f"no code is called {code!r}", help)
    width, paint = min(columns(sys.stdout) or WIDEST, WIDEST), painter(wants_color(sys.stdout))
    pages = (page_text(page(code), width, paint) for code in args.codes)
    print(printable("\n\n\n".join(pages) if args.codes else listing(width, paint)))
    return OK
