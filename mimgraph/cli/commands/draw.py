"""`mimgraph draw`: draw a picture of the architecture."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from mimgraph.cli.arguments import PICTURES, add_settings, add_spec, add_view
from mimgraph.cli.errors import OK, CallError
from mimgraph.cli.loading import load_graph
from mimgraph.cli.printing import print_call_error
from mimgraph.cli.user_models import model_options
from mimgraph.cli.watching import watching
from mimgraph.cli.writing import draw, refuse_to_overwrite
from mimgraph.diagnostics import SpecError

if TYPE_CHECKING:
    from mimgraph.picture.scene import Scene


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_spec(parser)
    add_settings(parser)
    help = f"the picture to write, by its ending {PICTURES}; default: a page that the browser opens"
    parser.add_argument("-o", "--output", metavar="FILE", help=help)
    add_view(parser)
    help = "draw a wrong spec, too: the part that is known, and the faults in red"
    parser.add_argument("--faulty", action="store_true", help=help)
    help = "draw it again whenever the spec or a part of it is saved, until Ctrl-C"
    parser.add_argument("--watch", action="store_true", help=help)


def run(args: argparse.Namespace) -> int:
    """Write the picture, or show it in the browser; with `--watch` write it on every save."""
    if not args.watch:
        _draw(args)
        return OK
    if args.output is None:
        raise CallError("--watch needs -o, the picture to write: mimgraph preview shows a page")
    return watching(args.spec, partial(_draw, args))


def _draw(args: argparse.Namespace) -> Sequence[str]:
    """Write the picture, or show it in the browser; return the files of the parts of the spec."""
    args.started = perf_counter()
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
    return graph.declared.part_files


def _draw_faulty(args: argparse.Namespace, scene: Callable[..., Scene]) -> None:
    """Write the picture of a wrong spec; an error in that does not keep the faults from being printed."""
    try:
        refuse_to_overwrite(args.spec, None, args.output)
        draw(args, scene)
    except CallError as error:
        print_call_error(error)
