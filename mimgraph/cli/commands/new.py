"""`mimgraph new`: write a folder with a spec, a script that trains its model, and a test."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from mimgraph.cli.arguments import add_model_options, add_settings
from mimgraph.cli.errors import OK, CallError
from mimgraph.cli.loading import load_graph
from mimgraph.cli.printing import print_note
from mimgraph.cli.settings import read_settings
from mimgraph.cli.user_models import import_model, model_options, user_code
from mimgraph.cli.writing import writing
from mimgraph.diagnostics.render import visible
from mimgraph.gallery.catalogue import find
from mimgraph.graph import Graph
from mimgraph.project import names
from mimgraph.project.plan import Plan, plan
from mimgraph.project.spec_text import named, renamed
from mimgraph.project.write import part_files, project_files, write_folder

STARTER = Path(names.__file__).with_name("starter.yaml")
MUCH = 10**9  # parameters, for which a machine may lack the memory


class Beginning(NamedTuple):
    """What a project begins with: a graph, the text of its spec, and the files that this needs."""

    graph: Graph
    spec: str
    files: Mapping[str, str]
    layers: str = ""  # the module in these files that registers layers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    help = "the folder to write; its name is that of the spec and the model, too: my_model"
    parser.add_argument("folder", metavar="FOLDER", help=help)
    group = parser.add_mutually_exclusive_group()
    help = "begin with a spec of the gallery, which mimgraph gallery lists, or with a .yaml file"
    group.add_argument("--like", metavar="EXAMPLE", help=help)
    help = "begin with a graph or model of yours, my_model.py:Net, whose code is run"
    group.add_argument("--from", dest="model", metavar="MODEL", help=help)
    add_settings(parser, "write another value of a param: hidden=128; repeatable")
    add_model_options(parser)
    parser.epilog = (
        "Without --like and --from the model reads an image and a table. The data of train.py is made up, "
        "and its losses are guessed from shapes: both are marked there, to be replaced."
    )


def run(args: argparse.Namespace) -> int:
    """Write the folder, and say what to run."""
    folder = Path(args.folder)
    try:
        name = names.checked(folder)
    except names.NameFault as fault:
        raise CallError(str(fault), fault.help) from None
    begin = _of_code(args, folder) if args.model is not None else _of_spec(args)
    try:
        planned = plan(begin.graph, folder.name, name, _modules(args, folder, begin.layers))
    except ValueError as error:
        raise CallError(str(error)) from None
    spec = renamed(begin.spec, name) or named(begin.spec, name)
    if spec is None:  # of a form in which no line can be put, such as JSON
        dumped = begin.graph.dumps()
        spec = renamed(dumped, name) or named(dumped, name) or ""
    files = project_files(planned, spec)
    for part in begin.files:
        if part.casefold() in files:
            message = f"{visible(part)} is a part of the spec, and a file of the project"
            raise CallError(message, "give the folder another name, or the part")
    with writing(args, args.folder):
        write_folder(folder, {**begin.files, **files})
    _print(planned, folder)
    return OK


def _of_spec(args: argparse.Namespace) -> Beginning:
    """Return what a project begins with that is like a spec."""
    if args.arg or args.input or args.example:
        raise CallError("--arg, --input and --example are for a model in Python code: --from")
    path = STARTER if args.like is None else _path(args.like)
    graph = load_graph(str(path), args.set, model_options(args))
    text = path.read_text(encoding="utf-8-sig")
    params = read_settings("--set", "PARAM=VALUE", args.set)
    changed = renamed(text, None, params)
    return Beginning(graph, graph.dumps() if changed is None else changed, part_files(graph, path))


def _path(like: str) -> Path:
    """Return the path of a spec in the gallery, or of a file that was named."""
    if like.endswith((".yaml", ".yml")):
        return Path(like)
    try:
        return find(like)
    except KeyError as error:
        raise CallError(*error.args) from None


def _of_code(args: argparse.Namespace, folder: Path) -> Beginning:
    """Return what a project begins with that is imported from Python code."""
    wanted = user_code(args.model)
    if wanted is None:
        help = f"name the class or function in it: {args.model}:Net"
        is_code = args.model.endswith(".py")
        raise CallError(f"{visible(args.model)} is no model in Python code", help * is_code)
    if args.set:
        raise CallError("Python code takes --arg instead of --set")
    imported = import_model(wanted, model_options(args))
    if isinstance(imported, Graph):
        return Beginning(imported, imported.dumps(), {})
    from mimgraph.imported import texts_of

    spec = folder / f"{folder.name}.yaml"
    texts = texts_of(imported, spec)
    text = texts.pop(spec)
    files = {path.name: content for path, content in texts.items()}
    layers = next((path.stem for path in texts), "")
    if not imported.proven:
        print_note(f"the spec is not proven to compute the same: mimgraph import {wanted} says why")
    return Beginning(imported.graph, text, files, layers)


def _modules(args: argparse.Namespace, folder: Path, layers: str) -> dict[str, str]:
    """Return the modules that register layers, of `--import` or in the project, with their folders."""
    modules = getattr(args, "import")
    here = _relative(os.getcwd(), folder) if modules else ""
    return dict.fromkeys(modules, here) | ({layers: "."} if layers else {})


def _relative(path: str, folder: Path) -> str:
    """Return a path as it is from a folder, on another drive the whole path."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path


def _print(planned: Plan, folder: Path) -> None:
    """Print what to run, and how large a large model is."""
    script = os.path.join(folder, "train.py")
    print(f"Train it:  python {quote(visible(script))}")
    print(f"Test it:   pytest {quote(visible(str(folder)))}")
    print("Then put your data and losses in place of those marked in train.py.")
    if planned.parameters > MUCH:
        size = f"{planned.parameters / 1e9:.1f} billion parameters"
        print_note(f"the model has {size}: --set with smaller params makes a smaller one")
    sys.stdout.flush()
