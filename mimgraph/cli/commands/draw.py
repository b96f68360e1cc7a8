"""`mimgraph draw`: draw a picture of the architecture."""

from __future__ import annotations

import argparse

from mimgraph.cli.arguments import PICTURES, add_settings, add_spec, add_view
from mimgraph.cli.errors import OK
from mimgraph.cli.loading import load_graph
from mimgraph.cli.user_models import CODE, add_model_options, model_options
from mimgraph.cli.writing import draw, refuse_to_overwrite


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_spec(parser, also=CODE)
    add_settings(parser)
    help = f"the picture to write, by its ending {PICTURES}"
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help=help)
    add_view(parser)
    add_model_options(parser)


def run(args: argparse.Namespace) -> int:
    """Write the picture."""
    graph = load_graph(args.spec, args.set, model_options(args))
    refuse_to_overwrite(args.spec, graph, args.output)
    draw(args, graph.scene)
    return OK
