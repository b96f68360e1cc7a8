"""`mimgraph import`: write a spec of an nn.Module, or of a model of another library."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING, TextIO

from mimgraph.cli.arguments import CODE, add_format, add_model_options
from mimgraph.cli.errors import OK, WRONG_SPEC, CallError
from mimgraph.cli.printing import print_written
from mimgraph.cli.user_models import import_model, model_options, user_code
from mimgraph.cli.writing import writing
from mimgraph.diagnostics import SpecError
from mimgraph.diagnostics.render import visible
from mimgraph.graph import Graph
from mimgraph.support.terminal import line_width, printable, wants_color

if TYPE_CHECKING:
    from mimgraph.imported import Imported
    from mimgraph.importer.report.report import ImportReport

FILES = "a program of torch.export (.pt2), which is code too; or a model of Keras (.keras, .json)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        "The spec is compared with the module on inputs of several sizes. The exit status is 0 if they "
        "agree, 1 if that is not proven. A file of Keras has no module to compare with."
    )
    parser.add_argument("model", metavar="MODEL", help=f"{CODE}; {FILES}")
    help = "the spec to write; default: standard output"
    parser.add_argument("-o", "--output", metavar="FILE.yaml", help=help)
    help = "also write the weights, by the keys of the spec's model"
    parser.add_argument("--weights", metavar="FILE.safetensors", help=help)
    help = "keep a module of the model as Python code, a layer of its own: encoder.attn; repeatable"
    parser.add_argument("--opaque", action="append", default=[], metavar="PATH", help=help)
    help = "give nodes and blocks short names and forms, also where that changes keys of weights"
    parser.add_argument("--tidy", action="store_true", help=help)
    help = "open a .pt2 file, which is code as a Python file is: torch runs what it holds"
    parser.add_argument("--trust", action="store_true", help=help)
    help = "exit with 1 also if a part stays Python code, is fixed for these inputs, or is left out"
    parser.add_argument("--strict", action="store_true", help=help)
    add_format(parser)
    add_model_options(parser)


def run(args: argparse.Namespace) -> int:
    """Write the spec and print the report."""
    _check_output(args)
    imported = _import(args)
    report = imported.report
    if args.weights is not None:
        if any(one.code == "weights" for one in report.remarks):
            raise CallError(f"{args.model} has no weights that could be written")
        with writing(args, args.weights):
            imported.graph.save(imported.compile(), args.weights)
        report = report.with_weights()
    if args.output is not None:
        _write_spec(imported, args)
    _print(imported, report, args)
    is_good = report.is_exact if args.strict else report.proven or not imported.comparable
    return OK if is_good else WRONG_SPEC


def _write_spec(imported: Imported, args: argparse.Namespace) -> None:
    """Write the spec, and beside it the layers that stay Python, if there are any."""
    with writing(args, args.output):
        beside = imported.dump(args.output)
    if beside is not None:
        print_written(str(beside), args.started)


def _import(args: argparse.Namespace) -> Imported:
    """Return the import of a module in Python code, or of a file."""
    wanted = user_code(args.model)
    if wanted is not None:
        imported = import_model(wanted, model_options(args), opaque=args.opaque, tidy=args.tidy)
        if isinstance(imported, Graph):
            help = "write its spec in the code: graph.dump('graph.yaml')"
            raise CallError(f"{wanted} is a graph, and import takes a module", help)
        return imported
    if args.model.endswith(".py"):
        raise CallError(f"name the class or function in it: {args.model}:Net")
    if args.arg or args.input or args.example:
        raise CallError(
            f"{args.model} is a file, which has its inputs: give no --arg, --input, --example"
        )
    return _import_file(args.model, args)


def _import_file(path: str, args: argparse.Namespace) -> Imported:
    """Return the import of a model in a file; only a `.pt2` holds code, which `--trust` lets torch run."""
    if not os.path.exists(path):
        raise CallError(f"there is no file {path}")
    is_program = path.endswith(".pt2")
    if is_program and not args.trust:
        raise CallError(f"{visible(path)} is code, as a Python file is: add --trust to run it")
    from mimgraph.imported import from_module  # imports torch
    from mimgraph.importer.exported import load_exported

    try:
        model = load_exported(path) if is_program else path
        return from_module(model, opaque=args.opaque, tidy=args.tidy)
    except SpecError:
        raise
    except OSError as error:
        raise CallError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise CallError(str(error)) from None


def _check_output(args: argparse.Namespace) -> None:
    """Raise a `CallError` for an output that cannot be written or would replace code or the model, as
    an import may take long."""
    for output in (args.output, args.weights):
        if output is None:
            continue
        if not output:
            raise CallError("the path of the file to write is empty")
        if output.endswith(".py"):
            raise CallError(f"{visible(output)} is Python code: write the spec to a .yaml file")
        if not os.path.isdir(os.path.dirname(output) or "."):
            raise CallError(f"cannot write {visible(output)}: there is no such folder")
        exist = os.path.exists(output) and os.path.exists(args.model)
        if exist and os.path.samefile(output, args.model):
            raise CallError(f"{visible(output)} is the model that is read")


def _print(imported: Imported, report: ImportReport, args: argparse.Namespace) -> None:
    """Print the report, or the spec with the report on standard error."""
    if args.format == "json":
        print(json.dumps(report.data(), indent=2))
    elif args.output is None:
        sys.stdout.write(imported.dumps())
        print(_text(report, sys.stderr), file=sys.stderr)
    else:
        print(printable(_text(report, sys.stdout)))


def _text(report: ImportReport, stream: TextIO) -> str:
    """Return the report in the width and with the colors of the stream."""
    return report.text(line_width(stream), color=wants_color(stream))
