"""`mimgraph check`: report every error in the specs, as text or for a tool."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mimgraph.cli.arguments import SPEC, add_format, add_model_options, add_settings
from mimgraph.cli.errors import OK, WRONG_CALL, WRONG_SPEC, CallError
from mimgraph.cli.loading import load_graph
from mimgraph.cli.printing import point_to_pages, print_call_error, print_diagnostics
from mimgraph.cli.spec_files import spec_paths
from mimgraph.cli.user_models import model_options
from mimgraph.diagnostics import Diagnostic, SpecError, in_order
from mimgraph.diagnostics.ci import render_github, render_sarif
from mimgraph.diagnostics.render import render_json, visible
from mimgraph.infer.requirements import check_torch, release
from mimgraph.language.files import specs_in
from mimgraph.support.progress import progress
from mimgraph.support.terminal import GREEN, RED, painter, wants_color


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    help = f"{SPEC}; a folder, or a pattern in quotes, stands for several: 'specs/**/*.yaml'"
    parser.add_argument("spec", nargs="+", metavar="SPEC", help=help)
    add_settings(parser)
    help = "also report the options that this release of torch does not have yet: 2.10"
    parser.add_argument("--torch", type=_torch, metavar="VERSION", help=help)
    add_format(parser, "sarif", "github")
    add_model_options(parser)


def _torch(text: str) -> str:
    """Return the text of a release of torch; raise an argparse error if it is not one."""
    try:
        release(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


class _Checked(NamedTuple):
    """What was found in the spec at a path: faults, or the number of nodes, or why it cannot be read."""

    path: str
    errors: Sequence[Diagnostic] = ()
    warnings: Sequence[Diagnostic] = ()
    nodes: int | None = None
    unread: CallError | None = None


def run(args: argparse.Namespace) -> int:
    """Check every spec and print the faults; files that cannot be read are reported at the end."""
    is_named: dict[str, bool] = {}  # by the path of each spec; others are found in a folder
    unread: list[CallError] = []
    for given in args.spec:
        try:
            is_named = {**is_named, **spec_paths(given, specs_in)}
        except CallError as error:
            unread.append(error)
    checked: list[_Checked] = []
    with progress("checking", total=len(is_named)) as step:
        for path in is_named:
            checked.append(_check(path, args))
            step()
    _print(args.format, checked, is_named)
    unread += (one.unread for one in checked if one.unread is not None)
    for fault in {str(fault): fault for fault in unread}.values():
        print_call_error(fault)
    if unread:
        return WRONG_CALL
    return WRONG_SPEC if any(one.errors for one in checked) else OK


def _check(path: str, args: argparse.Namespace) -> _Checked:
    """Check one spec."""
    try:
        graph = load_graph(path, args.set, model_options(args))
        if args.torch is not None:
            check_torch(graph.typed, args.torch)
    except SpecError as error:
        return _Checked(path, errors=error.diagnostics)
    except CallError as error:
        return _Checked(path, unread=error)
    return _Checked(path, warnings=graph.warnings, nodes=len(graph.typed.body.nodes))


def _print(format: str, checked: Sequence[_Checked], is_named: Mapping[str, bool]) -> None:
    errors = in_order(_without_doubles(fault for one in checked for fault in one.errors))
    warnings = in_order(_without_doubles(fault for one in checked for fault in one.warnings))
    found = in_order([*errors, *warnings])
    match format:
        case "text":
            if found:
                print_diagnostics(found, sys.stdout)
                print()
            passed = [one for one in checked if one.nodes is not None]
            for one in passed:
                if is_named[one.path]:
                    print(f"{visible(one.path)}: ok, {_count(one.nodes or 0, 'node')}")
            if (
                errors
                or len(passed) != sum(is_named[one.path] for one in passed)
                or len(passed) > 1
            ):
                print(_summary(len(passed), errors, warnings))
            point_to_pages(found)
        case "json":  # a list of errors alone, so that it is empty if the specs are legal
            from mimgraph.language.fixes import fix_records  # only this format needs it

            print(render_json(errors, fix_records(errors, [one.path for one in checked])))
            if warnings and sys.stderr.isatty():
                print_diagnostics(warnings, sys.stderr)
        case _:
            if text := _for_ci(format, found):
                print(text)


def _without_doubles(faults: Iterable[Diagnostic]) -> Iterable[Diagnostic]:
    """Return the faults once each: specs that have a part in common have its faults in common, too."""
    return {
        (one.span.file.name, one.span[1:], one.code, one.message): one for one in faults
    }.values()


def _summary(passed: int, errors: Sequence[Diagnostic], warnings: Sequence[Diagnostic]) -> str:
    """Return the last line: `5 errors in 2 files`, or `12 specs, no errors`."""
    paint = painter(wants_color(sys.stdout))
    also = f" and {_count(len(warnings), 'warning')}" if warnings else ""
    if not errors:
        return paint(GREEN, f"{_count(passed, 'spec')}, no errors") + also
    files = {one.span.file.name for one in [*errors, *warnings]}
    return paint(RED, f"{_count(len(errors), 'error')}{also} in {_count(len(files), 'file')}")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _for_ci(format: str, diagnostics: Sequence[Diagnostic]) -> str:
    return render_sarif(diagnostics) if format == "sarif" else render_github(diagnostics)
