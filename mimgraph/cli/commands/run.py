"""`mimgraph run`: compile the model and run one forward pass."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from mimgraph.cli.arguments import add_settings, add_spec, integer, positive
from mimgraph.cli.errors import OK, CallError
from mimgraph.cli.loading import load_with_sizes
from mimgraph.cli.user_models import model_options
from mimgraph.cli.writing import writing
from mimgraph.diagnostics import SpecError
from mimgraph.language.spec_file import carries_weights
from mimgraph.summary.text import total_text
from mimgraph.support.offline import offline
from mimgraph.support.progress import progress
from mimgraph.support.terminal import line_width, painter, printable, wants_color

if TYPE_CHECKING:
    from mimgraph.graph import Graph
    from mimgraph.runtime.runner import Run


MOST_LINES = 40  # of a table of nodes that is shown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_spec(parser)
    help = "replace a param, or fill in a size of random inputs: hidden=128, T=50; repeatable"
    add_settings(parser, help)
    help = "arrays by the names of the inputs; default: random inputs"
    parser.add_argument("--inputs", metavar="FILE.npz", help=help)
    help = "the state_dict to load; default: those in SPEC if it is a .safetensors file, else random weights"
    parser.add_argument("--weights", metavar="FILE.safetensors", help=help)
    parser.add_argument("--outputs", metavar="FILE.npz", help="the file to write the outputs to")
    help = "the number of samples of random inputs; default: 2"
    parser.add_argument("--batch", type=positive, default=2, metavar="N", help=help)
    help = "the seed of random weights and inputs; default: 0"
    parser.add_argument("--seed", type=integer, default=0, metavar="S", help=help)
    help = "refuse the network: what is not on this machine is an error, as with MIMGRAPH_OFFLINE=1"
    parser.add_argument("--offline", action="store_true", help=help)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the inputs, every node with its shape, and the outputs."""
    graph, sizes = load_with_sizes(args.spec, args.set, model_options(args))
    if sizes and args.inputs is not None:
        raise CallError(f"the arrays in {args.inputs} give the size {next(iter(sizes))}")
    with progress("loading torch"):  # which a wrong spec need not wait for
        from mimgraph.runtime import array_files, runner

    weights = args.weights or (args.spec if carries_weights(args.spec) else None)
    try:
        given = runner.Given(args.inputs, args.batch, sizes)
        off = offline() if args.offline else nullcontext()
        # torch.hub prints what it downloads
        with progress("running the model"), off, redirect_stdout(sys.stderr):
            run = runner.run(graph.typed, graph.compile, given, weights, args.seed)
        if args.outputs is not None:
            with writing(args, args.outputs):
                array_files.save_arrays(Path(args.outputs), run.outputs)
    except SpecError:
        raise
    except ValueError as error:
        raise CallError(str(error)) from None
    except OSError as error:
        raise CallError(f"cannot read {error.filename}: {error.strerror or error}") from None
    if args.json:
        nodes = graph.summary().data()
        print(json.dumps({**run.data(), "nodes": nodes}, indent=2))
    else:
        _print(graph, run)
    return OK


def _print(graph: Graph, run: Run) -> None:
    """Print the inputs, the table of the nodes or, if that is long, the totals, and the outputs."""
    from mimgraph.runtime.run_text import inputs_text, outputs_text  # imports torch

    width, color = line_width(sys.stdout), wants_color(sys.stdout)
    paint, summary = painter(color), graph.summary()
    nodes = summary.text(width, color)
    if nodes.count("\n") > MOST_LINES:
        nodes = total_text(summary, width, color)
    texts = (inputs_text(run, width, paint), nodes, outputs_text(run, width, paint))
    print(printable("\n\n".join(texts)))
