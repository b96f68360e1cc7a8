"""`mimgraph completion`: print the script that completes commands, options and names in a shell."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from mimgraph.cli.completion.words import commands
from mimgraph.cli.errors import OK

SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        'For this session: eval "$(mimgraph completion bash)", or zsh; mimgraph completion fish | source. '
        "For all: write it to ~/.local/share/bash-completion/completions/mimgraph, to _mimgraph in a folder of "
        "zsh's fpath, or to ~/.config/fish/completions/mimgraph.fish."
    )
    help = "the shell that runs the script"
    parser.add_argument(
        "shell", choices=SHELLS, metavar="SHELL", help=f"{help}: {', '.join(SHELLS)}"
    )


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    shell = import_module(f"mimgraph.cli.completion.{args.shell}")
    sys.stdout.write(shell.script(commands()))
    return OK
