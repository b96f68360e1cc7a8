"""`mimgraph summary`: print a table of nodes, shapes, parameters and MACs."""

from __future__ import annotations

import argparse
import sys

from mimgraph.cli.arguments import add_depth, add_format, add_settings, add_spec, positive
from mimgraph.cli.errors import OK, CallError
from mimgraph.cli.loading import load_with_sizes
from mimgraph.cli.user_models import model_options
from mimgraph.support.terminal import line_width, printable, wants_color


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_spec(parser)
    help = "replace a param, or fill in a size of the inputs: hidden=128, T=50; repeatable"
    add_settings(parser, help)
    add_format(parser, "csv", "md")
    help = "give shapes, MACs and memory for a batch of N samples, instead of one sample"
    parser.add_argument("--batch", type=positive, metavar="N", help=help)
    add_depth(parser, "all")


def run(args: argparse.Namespace) -> int:
    """Print the summary of a spec."""
    graph, sizes = load_with_sizes(args.spec, args.set, model_options(args))
    try:
        summary = graph.summary(args.batch, sizes, args.depth)
    except ValueError as error:
        raise CallError(str(error)) from None
    match args.format:
        case "json":
            import json  # only here, as most print text

            print(json.dumps(summary.data(), indent=2))
        case "csv":
            print(printable(summary.csv()), end="")
        case "md":
            print(printable(summary.markdown()))
        case _:
            width = line_width(sys.stdout)
            print(printable(summary.text(width, color=wants_color(sys.stdout))))
    return OK
