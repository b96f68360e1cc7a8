"""Parse the arguments of the command line, importing only the module of the command that is given.

A command is a line in `COMMANDS` and a module of its name in `commands/` (`import_` for `import`), which has
two functions: `add_arguments(parser)`, and `run(args)`, which returns the exit code.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from typing import Any, NoReturn

from mimgraph.cli.errors import OK

COMMANDS = {
    "check": "report every error in the specs",
    "summary": "print a table of nodes, shapes, parameters and MACs",
    "draw": "draw a picture of the architecture",
    "diff": "show what changed from one spec to another",
    "emit": "write the model as a stand-alone Python file",
    "run": "compile the model and run one forward pass",
    "import": "write a spec of an nn.Module, or of a model of another library",
    "layers": "list the layers, merges and keys of a spec, or describe one of them",
    "explain": "list the codes of diagnostics, or explain some of them",
    "schema": "print the JSON Schema of specs, for editors",
}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the arguments, with the function to run as `command`; exit where they are wrong."""
    parser = argparse.ArgumentParser(
        prog="mimgraph",
        description="Declare multi-input PyTorch models: check, draw, emit, run.",
        formatter_class=_formatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", prog="mimgraph")
    given = next((word for word in arguments if not word.startswith("-")), None)
    for name, help in COMMANDS.items():
        description = f"{help[0].upper()}{help[1:]}."
        command = commands.add_parser(
            name, help=help, description=description, formatter_class=_formatter
        )
        if name == given:
            _add_arguments(name, command)
    return parser.parse_args(arguments)


def _add_arguments(name: str, command: argparse.ArgumentParser) -> None:
    """Add the arguments of one command, and `--import`, which all of them have."""
    module = import_module(f"mimgraph.cli.commands.{name}{'_' * iskeyword(name)}")
    command.set_defaults(command=module.run)
    command.add_argument(
        "--import",
        action="append",
        default=[],
        metavar="MODULE",
        help="import a Python module first, such as one that registers your layers; repeatable",
    )
    module.add_arguments(command)


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Return a formatter as wide as the terminal.

    argparse makes one for each argument, and imports `shutil` to ask for the width, which takes 2 ms.
    """
    try:
        columns = os.get_terminal_size().columns or 80
    except OSError:  # standard output is no terminal
        columns = 80
    width = None if "COLUMNS" in os.environ else columns - 2
    return argparse.HelpFormatter(prog, width=width)


class _Version(argparse.Action):
    """Prints the version. It is looked up only here, as that takes longer than a check."""

    def __call__(self, *_: Any) -> NoReturn:
        from importlib.metadata import version

        print(f"mimgraph {version('mimgraph')}")
        sys.exit(OK)
