"""Find the command in the words of a command line, and parse its arguments.

A command is a line in `GROUPS` and a module of its name in `commands/` (`import_` for `import`), which has
two functions: `add_arguments(parser)`, and `run(args)`, which returns the exit code. Only the module of
the command that is given is imported.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from itertools import pairwise
from keyword import iskeyword
from time import perf_counter

import mimgraph
from mimgraph.cli.argument_parser import ArgumentParser
from mimgraph.cli.arguments import COLORS, add_global_options, add_import
from mimgraph.cli.errors import OK, WRONG_CALL, CallError
from mimgraph.diagnostics.nearest import nearest
from mimgraph.diagnostics.render import visible
from mimgraph.support.terminal import Color, columns, painter, wants_color

GROUPS = {  # by their headings in `mimgraph --help`
    "Look at a model": {
        "check": "report every error in the specs",
        "summary": "print a table of nodes, shapes, parameters and MACs",
        "draw": "draw a picture of the architecture",
        "diff": "show what changed from one spec to another",
        "space": "list the params that a search may change, and check points of the space",
    },
    "Make something of it": {
        "new": "write a folder with a spec, a training script and a test",
        "emit": "write the model as a stand-alone Python file",
        "run": "compile the model and run one forward pass",
        "search": "train models of many params, and find the best",
        "import": "write a spec of an nn.Module, or of a model of another library",
    },
    "Write a spec": {
        "rename": "rename a node, input, param, size or block at all its places",
        "preview": "show the picture in the browser, and redraw it on every save",
        "fmt": "write specs in one style, with their comments",
        "lsp": "serve an editor: diagnostics and shapes while one types",
        "mcp": "serve a language model: tools that check, explain, draw and change specs",
    },
    "Look something up": {
        "gallery": "list the specs that come with mimgraph, or print one of them",
        "layers": "list the layers, merges and keys of a spec, or describe one of them",
        "explain": "list the codes of diagnostics, or explain some of them",
        "schema": "print the JSON Schema of specs, for editors",
        "completion": "print the script that completes commands in a shell",
    },
}
COMMANDS = {name: help for group in GROUPS.values() for name, help in group.items()}
HELP, VERSION = {"-h", "--help"}, {"-V", "--version"}
_OVERVIEW = "mimgraph COMMAND"


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Return the arguments, with the function to run as `command`; raise a `CallError` if they are wrong."""
    before, name, rest = _split(words)
    if name == "help":  # mimgraph help check
        before, name, rest = [*before, "--help"], *_split(rest)[1:]
    if VERSION & {*before}:
        return _answer(_print_version)
    overview().refuse_unknown_options(before)
    if name is None:
        return _answer(partial(_print_help, overview(), is_asked=bool(HELP & {*before})))
    if name not in COMMANDS:
        raise _unknown_command(name)
    parser = command_parser(name)
    if HELP & {*before, *_options(rest)}:
        return _answer(partial(_print_help, parser, is_asked=True))
    return parser.parse([*before, *rest], argparse.Namespace(started=perf_counter()))


def color_choice(words: Sequence[str]) -> Color:
    """Return the value of `--color`, wherever it stands; it holds for errors in the other words, too."""
    options = _options(words)
    values = [word.partition("=")[2] for word in options if word.startswith("--color=")]
    values += (value for word, value in pairwise(options) if word == "--color")
    return next((color for color in COLORS if color in values[-1:]), "auto")


def command_parser(name: str) -> ArgumentParser:
    """Return the parser of one command."""
    module = import_module(f"mimgraph.cli.commands.{name}{'_' * iskeyword(name)}")
    parser = ArgumentParser(f"mimgraph {name}", f"{COMMANDS[name][0].upper()}{COMMANDS[name][1:]}.")
    parser.set_defaults(command=module.run)
    module.add_arguments(parser)
    add_import(parser)
    add_global_options(parser)
    return parser


def overview() -> ArgumentParser:
    """Return the parser of the words before the command."""
    parser = ArgumentParser(
        _OVERVIEW, "Declare multi-input PyTorch models: check, draw, emit, run."
    )
    add_global_options(parser)
    parser.add_argument("-V", "--version", action="store_true", help="print the version")
    return parser


def _split(words: Sequence[str]) -> tuple[list[str], str | None, list[str]]:
    """Return the options before the command, the command if there is one, and what follows it."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        at += 2 if words[at] == "--color" else 1
    return [*words[:at]], words[at] if at < len(words) else None, [*words[at + 1 :]]


def _options(words: Sequence[str]) -> Sequence[str]:
    """Return the words that may be options: those before `--`."""
    return words[: words.index("--")] if "--" in words else words


def _unknown_command(name: str) -> CallError:
    near = nearest(name, COMMANDS)
    if near is None and os.path.exists(name):
        return CallError("name a command before the file", f"mimgraph check {visible(name)}")
    help = f"did you mean {near}?" if near else "mimgraph --help lists the commands"
    return CallError(f"no command is called {name!r}", help)


# --- answers to --help and --version, which are not commands ------------------------------------


def _answer(command: Callable[[], int]) -> argparse.Namespace:
    return argparse.Namespace(command=lambda _: command())


def _print_help(parser: ArgumentParser, is_asked: bool) -> int:
    """Print a help page, to standard error if the words of the call are missing instead."""
    from mimgraph.cli.help import command_help, overview_help  # a check starts faster without it

    stream = sys.stdout if is_asked else sys.stderr
    width, paint = columns(stream) or 80, painter(wants_color(stream))
    if parser.prog == _OVERVIEW:
        print(overview_help(parser, GROUPS, width, paint), file=stream)
    else:
        print(command_help(parser, width, paint), file=stream)
    return OK if is_asked else WRONG_CALL


def _print_version() -> int:
    """Print the version."""
    print(f"mimgraph {mimgraph.__version__}")
    return OK
