"""`mimgraph layers`: list the layers, merges and keys of a spec, or describe one of them."""

from __future__ import annotations

import argparse

from mimgraph.cli.arguments import add_format
from mimgraph.cli.errors import OK, CallError
from mimgraph.language.reference import describe, listing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    help = "a layer, merge, key or option: Conv2d, concat, repeat, kernel_size; default: list all"
    parser.add_argument("name", nargs="?", metavar="NAME", help=help)
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Print the list or the description."""
    try:
        print(describe(args.name, args.format) if args.name else listing(args.format))
    except KeyError as error:
        raise CallError(str(error.args[0])) from None
    return OK
