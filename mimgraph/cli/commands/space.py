"""`mimgraph space`: list the params that a search may change, and check points of the space."""

from __future__ import annotations

import argparse
import json
import sys

from mimgraph.cli.arguments import add_format, add_settings, add_spec, integer, positive
from mimgraph.cli.errors import OK, WRONG_SPEC
from mimgraph.cli.loading import load_graph
from mimgraph.cli.printing import point_to_pages, print_diagnostics
from mimgraph.cli.user_models import model_options
from mimgraph.diagnostics.render import visible
from mimgraph.search.listing import data, proof_text, text
from mimgraph.search.prove import Proof
from mimgraph.support.terminal import GREEN, RED, line_width, painter, printable, wants_color


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_spec(parser)
    add_settings(parser, "fix a param, which is not searched then: hidden=128; repeatable")
    help = "check N points, or all if they are fewer, and report which combinations cannot be"
    parser.add_argument("--prove", type=positive, metavar="N", help=help)
    help = "of the points that are drawn at random; default: 0"
    parser.add_argument("--seed", type=integer, default=0, help=help)
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Print the space, or what the check of its points found."""
    graph = load_graph(args.spec, args.set, model_options(args))
    proof = None if args.prove is None else graph.space.prove(args.prove, args.seed)
    if args.format == "json":
        print(json.dumps(data(graph.space, proof), indent=2))
    elif proof is not None:
        _print_proof(proof)
    elif graph.space:
        print(printable(text(graph.space, line_width(sys.stdout), wants_color(sys.stdout))))
    else:
        print(f"{visible(args.spec)}: no param has a search")
    return WRONG_SPEC if proof is not None and proof.failed else OK


def _print_proof(proof: Proof) -> None:
    """Print each fault with the points that have it, and a line on all points."""
    found, paint = proof.diagnostics, painter(wants_color(sys.stdout))
    if found:
        print_diagnostics(found, sys.stdout)
        print()
    print(paint(RED if found else GREEN, proof_text(proof)))
    point_to_pages(found)
