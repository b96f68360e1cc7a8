"""`mimgraph emit`: write the model as a stand-alone Python file."""

from __future__ import annotations

import argparse

from mimgraph.cli.arguments import add_output, add_settings, add_spec
from mimgraph.cli.errors import OK
from mimgraph.cli.loading import load_graph
from mimgraph.cli.user_models import model_options
from mimgraph.cli.writing import refuse_to_overwrite, write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_spec(parser)
    add_settings(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Write the source of the module."""
    graph = load_graph(args.spec, args.set, model_options(args))
    refuse_to_overwrite(args.spec, graph, args.output)
    write(args, graph.source())
    return OK
