"""`mimgraph diff`: show the changes from one spec to another, draw them, and carry weights over."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from mimgraph.cli.arguments import (
    PICTURES,
    SPEC,
    add_model_options,
    add_settings,
    add_view,
    integer,
)
from mimgraph.cli.errors import OK, WRONG_SPEC, CallError
from mimgraph.cli.loading import load_both
from mimgraph.cli.user_models import model_options
from mimgraph.cli.writing import draw, refuse_to_overwrite, writing
from mimgraph.diagnostics import SpecError
from mimgraph.graph import Graph, diff
from mimgraph.language.spec_file import carries_weights
from mimgraph.support.progress import progress
from mimgraph.support.terminal import line_width, printable, wants_color

if TYPE_CHECKING:
    from mimgraph.compare.weights.report import CarryReport


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        "Compare with the last commit: git show HEAD:spec.yaml | mimgraph diff - spec.yaml"
    )
    parser.add_argument("old", metavar="OLD", help=SPEC)
    parser.add_argument("new", metavar="NEW", help="the same")
    add_settings(parser)
    help = "md is Markdown, for a pull request; default: text"
    parser.add_argument("--format", choices=["text", "md", "json"], default="text", help=help)
    help = "weights of OLD: also say which of them carry over to NEW"
    parser.add_argument("--weights", metavar="FILE.safetensors", help=help)
    help = "the seed of weights that start anew; default: 0"
    parser.add_argument("--seed", type=integer, default=0, metavar="S", help=help)
    help = f"also draw both specs in one picture, by its ending {PICTURES}; .safetensors: write the weights for NEW"
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
    report = _carried(args, graphs[args.old], graphs[args.new])
    if args.output is not None and not carries_weights(args.output):
        draw(args, review.scene)
    match args.format:
        case "json":
            import json  # only here, as most print text

            weights = {} if report is None else {"weights": report.data()}
            print(json.dumps({**review.data(), **weights}, indent=2))
        case "md":
            weights_text = "" if report is None else f"\n{report.markdown()}"
            sys.stdout.write(printable(review.markdown() + weights_text))
        case _:
            width, color = line_width(sys.stdout), wants_color(sys.stdout)
            texts = [one.text(width, color=color) for one in (review, report) if one is not None]
            print(printable("\n\n".join(texts)))
    return WRONG_SPEC if review and args.exit_code else OK


def _carried(args: argparse.Namespace, old: Graph, new: Graph) -> CarryReport | None:
    """Return which weights carry over, if there are any, and write them if `--output` is a file for them."""
    writes = args.output is not None and carries_weights(args.output)
    if args.weights is None:
        if writes:
            raise CallError(
                f"to write {args.output}, give the weights of OLD: --weights FILE.safetensors"
            )
        return None
    from mimgraph.carried import carry, carry_report  # needed with weights alone

    try:
        if not writes:
            return carry_report(old, new, args.weights)
        if os.path.realpath(args.weights) == os.path.realpath(args.output):
            raise CallError(f"{args.output} has the weights of OLD: write to another file")
        with progress("loading torch"):
            carried = carry(old, new, args.weights, seed=args.seed)
    except SpecError:
        raise
    except ValueError as error:
        raise CallError(str(error)) from None
    except OSError as error:
        raise CallError(f"cannot read {args.weights}: {error.strerror or error}") from None
    with writing(args, args.output):
        carried.save(args.output)
    return carried.report
