"""Add the arguments that several commands have, and convert their values."""

from __future__ import annotations

import argparse
from typing import Any

from mimgraph.support.arguments import Depth
from mimgraph.support.terminal import Color

PICTURES = ".svg, .png, .pdf, .dot, .html (interactive) or .mmd (Mermaid, which GitHub draws)"
CODE = (
    "my_model.py:Net or package.module:Net, a mimgraph.Graph or nn.Module in Python code, or a class or "
    "function that makes one; the code is run"
)
SPEC = f"a YAML or JSON file, or a .safetensors file with a spec in it; - reads standard input; or {CODE}"
COLORS: tuple[Color, ...] = ("auto", "always", "never")


def add_spec(parser: argparse.ArgumentParser) -> None:
    """Add SPEC, the path of one spec or a name in Python code, with the options for this."""
    parser.add_argument("spec", metavar="SPEC", help=SPEC)
    add_model_options(parser)


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a model that the user's code makes."""
    group = parser.add_argument_group("for a model in Python code")
    help = "an argument of the class or function: hidden=64; repeatable"
    group.add_argument("--arg", action="append", default=[], metavar="NAME=VALUE", help=help)
    help = (
        "an input of forward, without the batch: image=3,224,224, text=T:vocab=1000, "
        "mask=T:dtype=bool; repeatable"
    )
    group.add_argument("--input", action="append", default=[], metavar="NAME=SIZES", help=help)
    help = "a batch that torch.save wrote: a dict by the arguments of forward, or a list"
    group.add_argument("--example", metavar="BATCH.pt", help=help)


def add_settings(
    parser: argparse.ArgumentParser,
    help: str = "replace the value of a param: hidden=128; repeatable",
) -> None:
    """Add `--set PARAM=VALUE`, which may be given several times."""
    parser.add_argument("--set", action="append", default=[], metavar="PARAM=VALUE", help=help)


def add_format(parser: argparse.ArgumentParser, *more: str) -> None:
    """Add `--format`: text, json or one of the others."""
    choices = ["text", "json", *more]
    parser.add_argument(
        "--format", choices=choices, default="text", help="of what is printed; default: text"
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add `-o`, the file to write a text to."""
    help = "the file to write; default: standard output"
    parser.add_argument("-o", "--output", metavar="FILE", help=help)


def add_view(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say how a picture looks."""
    help = "from top to bottom or from left to right; default: TB"
    parser.add_argument("--direction", "-d", choices=["TB", "LR"], default="TB", help=help)
    add_depth(parser, "as many as one page or screen can show")
    help = "draw chains of layers as one box, repeats in a row once, and the inside of a block once"
    parser.add_argument("--collapse", action="store_true", help=help)
    parser.add_argument(
        "--wrap", action="store_true", help="set a long picture in columns, as a text on a page"
    )
    parser.add_argument(
        "--theme",
        choices=["light", "dark"],
        help="of the picture; default: light, and for a page that of the reader's system",
    )


def view(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of `add_view`, by the names that `Graph.draw` gives them."""
    return {
        name: getattr(args, name) for name in ("direction", "depth", "collapse", "theme", "wrap")
    }


def add_depth(parser: argparse.ArgumentParser, default: str) -> None:
    """Add `--depth`, the number of levels of blocks whose insides are shown; `default` says which if
    it is not given."""
    help = f"open this many levels of nested blocks: 0, 1, 2, ..., all; default: {default}"
    parser.add_argument("--depth", type=_depth, default=None, metavar="DEPTH", help=help)


def _depth(text: str) -> Depth:
    if text == "all":
        return "all"
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected 0, 1, 2, ... or all, not {text!r}")
    return int(text)


def positive(text: str) -> int:
    """Return the number that an argument gives, which must be at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, not {text!r}")
    return int(text)


def positive_number(text: str) -> float:
    """Return the number that an argument gives, which must be above 0 and may be a fraction."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, not {text!r}")
    return number


def add_global_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all commands have; `cli/parser.py` reads them before argparse does."""
    group = parser.add_argument_group("Global options")
    help = "when to print in colour; default: auto, on terminals"
    group.add_argument("--color", choices=COLORS, default="auto", help=help)
    group.add_argument("-h", "--help", action="store_true", help="print this help")


def add_import(parser: argparse.ArgumentParser) -> None:
    """Add `--import`, which registers layers of the user's."""
    help = "import a Python module first, such as one that registers your layers; repeatable"
    parser.add_argument("--import", action="append", default=[], metavar="MODULE", help=help)


def integer(text: str) -> int:
    """Return the number that an argument gives."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected an integer, not {text!r}") from None
