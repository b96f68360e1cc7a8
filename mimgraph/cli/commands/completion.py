"""`mimgraph completion`: print the script that completes commands, options and names in a shell."""

from __future__ import annotations

import argparse
import sys

from mimgraph.cli.errors import OK
from mimgraph.cli.shell_completion import SCRIPTS, commands


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        'For this session: eval "$(mimgraph completion bash)", or zsh; mimgraph completion fish | source. '
        "For all: write it to ~/.local/share/bash-completion/completions/mimgraph, to _mimgraph in a folder of "
        "zsh's fpath, or to ~/.config/fish/completions/mimgraph.fish."
    )
    help = "the shell that runs the script"
    parser.add_argument(
        "shell", choices=[*SCRIPTS], metavar="SHELL", help=f"{help}: {', '.join(SCRIPTS)}"
    )


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    sys.stdout.write(SCRIPTS[args.shell](commands()))
    return OK
