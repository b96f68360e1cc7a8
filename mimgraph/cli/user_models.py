"""Import the user's own model for a command: `my_model.py:Net`, with `--arg`, `--input` and `--example`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, NamedTuple

from mimgraph.cli.errors import CallError, CannotImport
from mimgraph.cli.settings import read_settings
from mimgraph.diagnostics.render import visible
from mimgraph.support.progress import progress

if TYPE_CHECKING:
    from mimgraph.imported import Imported
    from mimgraph.importer.user_code import Reference

CODE = (
    "my_model.py:Net or package.module:Net, a class, function or object of yours, whose code is run"
)


class ModelOptions(NamedTuple):
    """How a command makes a model, and which inputs this has."""

    arguments: Sequence[str] = ()
    inputs: Sequence[str] = ()
    example: str | None = None


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


def model_options(args: argparse.Namespace) -> ModelOptions:
    """Return the options of `add_model_options`."""
    return ModelOptions(args.arg, args.input, args.example)


def user_code(source: str) -> Reference | None:
    """Return the name in Python code that a source of a graph is; None for the path of a file."""
    if ":" not in source:
        return None
    from mimgraph.importer.user_code import reference  # a path of a spec rarely needs it

    return reference(source)


def import_model(wanted: Reference, options: ModelOptions, **more: Any) -> Imported:
    """Return the import of a model; what its code prints goes to standard error."""
    with progress("loading torch"):
        from mimgraph.imported import from_module
        from mimgraph.importer.inputs.bind import bind
        from mimgraph.importer.inputs.given import from_text
        from mimgraph.importer.inputs.model import InputError
        from mimgraph.importer.lift.errors import ImportFailed
        from mimgraph.importer.user_code import build
        from mimgraph.importer.user_errors import UserCodeError
        from mimgraph.importer.wrappers import without_wrappers

    with redirect_stdout(sys.stderr), progress("importing the model"):
        try:
            model = build(wanted, read_settings("--arg", "NAME=VALUE", options.arguments))
            model = without_wrappers(model)
            inputs = bind(model, _example(options.example), map(from_text, options.inputs))
            return from_module(model, inputs, **more)
        except UserCodeError as error:
            raise CallError(str(error)) from None
        except InputError as error:
            raise CallError(error.for_command) from None
        except ImportFailed as error:
            raise CannotImport(f"{wanted} cannot be imported: {error.fault}") from None


def _example(path: str | None) -> Any:
    """Return the tensors in the file of `--example`."""
    from mimgraph.importer.inputs.given import from_file

    try:
        return {} if path is None else from_file(path)
    except OSError as error:
        raise CallError(f"cannot read {visible(path or '')}: {error.strerror or error}") from None
