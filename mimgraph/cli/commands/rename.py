"""`mimgraph rename`: give a name in a spec another name, at all its places and in all files that name it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from difflib import unified_diff
from typing import get_args

from mimgraph.cli.errors import OK, CallError
from mimgraph.cli.spec_files import read_text
from mimgraph.cli.writing import writing_all
from mimgraph.diagnostics import Report, SpecError
from mimgraph.diagnostics.render import visible
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ir.typed_operations import Use
from mimgraph.ir.typed_walks import weight_names
from mimgraph.language.edit.paths import find_name
from mimgraph.language.edit.rename import rename
from mimgraph.language.files import first_place, naming_parts
from mimgraph.language.occurrences import Project, project_folder
from mimgraph.language.scopes import Kind
from mimgraph.language.spec_file import load_text
from mimgraph.language.text_edits import edited
from mimgraph.language.yaml_reader import compose
from mimgraph.source import SourceFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("spec", metavar="SPEC", help="the file of the spec, YAML or JSON")
    help = "the name: fc, of a node inside a block residual.conv, of a param also params.hidden"
    parser.add_argument("old", metavar="OLD", help=help)
    parser.add_argument("new", metavar="NEW", help="the new name")
    kinds = [kind for kind in get_args(Kind) if kind != "variable"]  # which is never ambiguous
    help = "of what it is the name, if it is one of several things"
    parser.add_argument("--kind", choices=kinds, help=help)
    parser.add_argument(
        "--diff", action="store_true", help="print what would change, and write nothing"
    )
    parser.epilog = (
        "Comments and layout stay. A public name of an output that is its node's follows it. Specs below "
        "this folder that use SPEC as a part are changed too. The files are written all or none."
    )


def run(args: argparse.Namespace) -> int:
    """Rename and write the files, or print the difference."""
    if args.spec == "-":
        raise CallError("rename changes a file, and standard input is none")
    file = read_text(args.spec)
    path = os.path.realpath(args.spec)
    project = Project(project_folder(path, ["."]), listed=naming_parts)
    report = Report()
    project.add(path, file, compose(file, report.add))
    report.raise_if_any()
    edits = rename(project, find_name(project, path, args.old, args.kind), args.new)
    files = {one.span.file: "" for one in edits}
    texts = {one: edited(one, edits) for one in files}
    keys = _changed_keys(texts)
    if args.diff:
        for one, text in texts.items():
            sys.stdout.writelines(_diff(_shown(one, file, args.spec), one.text, text))
        return OK
    written = {_shown(one, file, args.spec): text for one, text in texts.items()}
    for one in texts:
        places = sum(edit.span.file is one for edit in edits)
        name = visible(_shown(one, file, args.spec))
        print(f"{args.old} -> {args.new}: {places} place{'s' * (places != 1)} in {name}")
    writing_all(
        args, {name: text.encode(errors="surrogateescape") for name, text in written.items()}
    )
    for one, changed in keys.items():
        where = f" of {visible(_shown(one, file, args.spec))}" if len(texts) > 1 else ""
        for old, new in changed:
            print(f"keys of weights{where}: {old} -> {new}")
    return OK


def _changed_keys(texts: dict[SourceFile, str]) -> dict[SourceFile, list[tuple[str, str]]]:
    """Return the keys of weights that change in each file; none for a spec that is wrong before.

    Raise a `SpecError` if a spec was right and would be wrong.
    """
    new = {os.path.realpath(file.name): text for file, text in texts.items()}
    found: dict[SourceFile, list[tuple[str, str]]] = {}
    for file, text in texts.items():
        try:
            before = load_text(file.text, name=file.name, place=first_place(file.name))
        except SpecError:
            continue
        after = load_text(text, name=file.name, place=first_place(file.name, new))
        found[file] = _beginnings_changed(before.typed, after.typed)
    return found


def _shown(one: SourceFile, file: SourceFile, path: str) -> str:
    """Return the path of a file as the user would write it."""
    return path if one is file else os.path.relpath(one.name)


def _diff(name: str, before: str, after: str) -> Iterable[str]:
    old, new = (text.splitlines(keepends=True) for text in (before, after))
    for line in unified_diff(old, new, name, name):
        yield visible(line.rstrip("\r\n")) + "\n"


def _beginnings_changed(before: TypedGraph, after: TypedGraph) -> list[tuple[str, str]]:
    """Return the beginnings of the keys of the state_dict that changed, old and new, in order.

    Both graphs have the same weights in the same order.
    """
    old, new = (weight_names(Use(graph.body, {})) for graph in (before, after))
    found = (
        _without_common_end(one, other) for one, other in zip(old, new, strict=True) if one != other
    )
    return [*dict.fromkeys(found)]


def _without_common_end(old: str, new: str) -> tuple[str, str]:
    """Return two keys without the names at the end in which they agree."""
    left, right = old.split("."), new.split(".")
    while len(left) > 1 and len(right) > 1 and left[-1] == right[-1]:
        left.pop()
        right.pop()
    return ".".join(left), ".".join(right)
