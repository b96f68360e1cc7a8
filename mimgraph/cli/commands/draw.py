"""`mimgraph draw`: draw a picture of the architecture."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from mimgraph.cli.arguments import PICTURES, add_settings, add_spec, add_view
from mimgraph.cli.errors import OK, CallError
from mimgraph.cli.loading import load_graph
from mimgraph.cli.printing import print_call_error
from mimgraph.cli.user_models import CODE, add_model_options, model_options
from mimgraph.cli.writing import draw, refuse_to_overwrite
from mimgraph.diagnostics import SpecError

if TYPE_CHECKING:
    from mimgraph.picture.scene import Scene


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_spec(parser, also=CODE)
    add_settings(parser)
    help = f"the picture to write, by its ending {PICTURES}; default: a page that the browser opens"
    parser.add_argument("-o", "--output", metavar="FILE", help=help)
    add_view(parser)
    help = "draw a wrong spec, too: the part that is known, and the faults in red"
    parser.add_argument("--faulty", action="store_true", help=help)
    add_model_options(parser)


def run(args: argparse.Namespace) -> int:
    """Write the picture, or show it in the browser."""
    try:
        graph = load_graph(args.spec, args.set, model_options(args))
    except SpecError as error:
        if args.faulty and error.sketch is not None:
            _draw_faulty(args, partial(error.sketch.scene, error.diagnostics))
        elif error.sketch is not None:
            error.add_note("mimgraph draw SPEC --faulty draws the part that is known")
        raise
    refuse_to_overwrite(args.spec, graph, args.output)
    draw(args, graph.scene)
    return OK


def _draw_faulty(args: argparse.Namespace, scene: Callable[..., Scene]) -> None:
    """Write the picture of a wrong spec; an error in that does not keep the faults from being printed."""
    try:
        refuse_to_overwrite(args.spec, None, args.output)
        draw(args, scene)
    except CallError as error:
        print_call_error(error)
