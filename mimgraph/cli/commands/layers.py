"""`mimgraph layers`: list or search the layers, merges and keys of a spec, or describe one of them."""

from __future__ import annotations

import argparse
import sys

from mimgraph.cli.arguments import add_format
from mimgraph.cli.errors import OK, CallError
from mimgraph.language.reference_pages import describe, listing, plugin_list
from mimgraph.support.terminal import line_width, printable, wants_color


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    help = "a layer, merge, key or option, also as torch or Keras call it: Conv2d, concat, repeat, cat; default: list all"
    parser.add_argument("name", nargs="?", metavar="NAME", help=help)
    help = "list what has TEXT in its name, category or first line: --search attn"
    parser.add_argument("--search", metavar="TEXT", help=help)
    help = "list what installed packages bring: layers, merges, picture formats and importers"
    parser.add_argument("--plugins", action="store_true", help=help)
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Print the list or the description."""
    if args.name and args.search is not None:
        raise CallError("give a NAME or --search, not both")
    if args.plugins and (args.name or args.search is not None):
        raise CallError("--plugins lists all plugins: leave out NAME and --search")
    width, color = line_width(sys.stdout), wants_color(sys.stdout)
    try:
        if args.plugins:
            text = plugin_list(args.format, width, color)
        elif args.name:
            text = describe(args.name, args.format, width, color)
        else:
            text = listing(args.format, args.search, width, color)
    except KeyError as error:
        raise CallError(*error.args) from None
    print(printable(text))
    return OK
