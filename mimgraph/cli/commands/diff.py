"""`mimgraph diff`: show the changes from one spec to another, and draw them with `--output`."""

from __future__ import annotations

import argparse
import json
import sys

from mimgraph.cli.arguments import PICTURES, SPEC, add_settings, add_view
from mimgraph.cli.errors import OK, WRONG_SPEC, CallError
from mimgraph.cli.loading import load_both
from mimgraph.cli.user_models import CODE, add_model_options, model_options
from mimgraph.cli.writing import draw, refuse_to_overwrite
from mimgraph.graph import diff
from mimgraph.support.terminal import line_width, printable, wants_color


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        "Compare with the last commit: git show HEAD:spec.yaml | mimgraph diff - spec.yaml"
    )
    parser.add_argument("old", metavar="OLD", help=f"{SPEC}; or {CODE}")
    parser.add_argument("new", metavar="NEW", help="the same")
    add_settings(parser)
    help = "md is Markdown, for a pull request; default: text"
    parser.add_argument("--format", choices=["text", "md", "json"], default="text", help=help)
    help = f"also draw both specs in one picture, by its ending {PICTURES}"
    parser.add_argument("-o", "--output", metavar="FILE", help=help)
    add_view(parser)
    help = "exit with 1 if the specs differ, as git diff does (a wrong spec exits with 1 anyway)"
    parser.add_argument("--exit-code", action="store_true", help=help)
    add_model_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print the changes."""
    if args.old == args.new == "-":
        raise CallError("only one of OLD and NEW can be standard input")
    graphs = load_both(args.old, args.new, args.set, model_options(args))
    review = diff(graphs[args.old], graphs[args.new])
    if args.output is not None:
        for spec in (args.old, args.new):
            refuse_to_overwrite(spec, graphs[spec], args.output)
        draw(args, review.scene)
    match args.format:
        case "json":
            print(json.dumps(review.data(), indent=2))
        case "md":
            sys.stdout.write(printable(review.markdown()))
        case _:
            width = line_width(sys.stdout)
            print(printable(review.text(width, color=wants_color(sys.stdout))))
    return WRONG_SPEC if review and args.exit_code else OK
