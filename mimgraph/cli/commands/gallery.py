"""`mimgraph gallery`: list the specs that come with mimgraph, or print one of them."""

from __future__ import annotations

import argparse
import json
import sys

from mimgraph.cli.arguments import add_format
from mimgraph.cli.errors import OK, CallError
from mimgraph.gallery.catalogue import entries, find
from mimgraph.gallery.listing import listing
from mimgraph.support.terminal import line_width, printable, wants_color


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    help = "print this spec, such as two_tower_retrieval; default: list all"
    parser.add_argument("example", nargs="?", metavar="EXAMPLE", help=help)
    add_format(parser)
    parser.epilog = (
        "mimgraph gallery bert_base > bert.yaml copies a spec; mimgraph new my_model --like bert_base "
        "also writes a training script and a test."
    )


def run(args: argparse.Namespace) -> int:
    """Print the list, or a spec as it is written."""
    if args.example is None:
        print(printable(listing(args.format, line_width(sys.stdout), wants_color(sys.stdout))))
        return OK
    try:
        path = find(args.example)
    except KeyError as error:
        raise CallError(*error.args) from None
    text = path.read_text(encoding="utf-8")
    if args.format == "json":
        entry = next(one for one in entries() if one.name == args.example)
        print(json.dumps({**entry._asdict(), "spec": text}, indent=2))
    else:
        sys.stdout.write(printable(text))
    return OK
