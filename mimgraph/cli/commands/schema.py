"""`mimgraph schema`: print the JSON Schema of specs, for editors."""

from __future__ import annotations

import argparse

from mimgraph.cli.arguments import add_output
from mimgraph.cli.errors import OK
from mimgraph.cli.printing import print_warning
from mimgraph.cli.writing import write
from mimgraph.language import schema
from mimgraph.ops.custom import registration


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Write the schema, with the layers and merges of plugins."""
    for broken in registration.load_all():
        print_warning(f"the schema lacks a name: {broken}")
    write(args, schema.text())
    return OK
