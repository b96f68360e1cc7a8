"""Load the user's own graph or module for a command: `my_model.py:Net`, with `--arg`, `--input` and
`--example`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, NamedTuple

from mimgraph.cli.errors import CallError, CannotImport
from mimgraph.cli.settings import read_settings
from mimgraph.diagnostics.render import visible
from mimgraph.graph import Graph
from mimgraph.importer.inputs.model import InputError
from mimgraph.support.progress import progress

if TYPE_CHECKING:
    from mimgraph.imported import Imported
    from mimgraph.importer.user_code import Reference


class ModelOptions(NamedTuple):
    """How a command makes a model, and which inputs this has."""

    arguments: Sequence[str] = ()
    inputs: Sequence[str] = ()
    example: str | None = None


def model_options(args: argparse.Namespace) -> ModelOptions:
    """Return the options of `arguments.add_model_options`."""
    return ModelOptions(args.arg, args.input, args.example)


def user_code(source: str) -> Reference | None:
    """Return the name in Python code that a source of a graph is; None for the path of a file."""
    if ":" not in source:
        return None
    from mimgraph.importer.user_code import reference  # a path of a spec rarely needs it

    return reference(source)


def file_of(source: str) -> str:
    """Return the file of a source of a graph, also of one that is a name in imported Python code."""
    wanted = user_code(source)
    if wanted is None or wanted.is_file:
        return wanted.place if wanted else source
    return getattr(sys.modules.get(wanted.place), "__file__", None) or ""


def refuse_code(source: str) -> None:
    """Raise a `CallError` for Python code where a command needs the source of a spec."""
    if user_code(source) is not None:
        help = "write a file with mimgraph import or, for a graph, with graph.dump(path)"
        raise CallError(f"{visible(source)} is Python code, and this command reads a file", help)


def import_model(wanted: Reference, options: ModelOptions, **more: Any) -> Imported | Graph:
    """Return the import of a module, or a graph itself; what the code prints goes to standard error."""
    with progress("loading torch"):
        from mimgraph.imported import from_module
        from mimgraph.importer.inputs.bind import bind
        from mimgraph.importer.inputs.given import from_text
        from mimgraph.importer.lift.errors import ImportFailed
        from mimgraph.importer.user_code import build
        from mimgraph.importer.user_errors import UserCodeError
        from mimgraph.importer.wrappers import without_wrappers

    with redirect_stdout(sys.stderr), progress("importing the model"):
        try:
            arguments = read_settings("--arg", "NAME=VALUE", options.arguments)
            made = build(wanted, arguments, Graph)
            if isinstance(made, Graph):
                return made
            model = without_wrappers(made)
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
