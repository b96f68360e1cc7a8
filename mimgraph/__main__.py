"""`python -m mimgraph`: the command line."""

from mimgraph.cli import run

run()
