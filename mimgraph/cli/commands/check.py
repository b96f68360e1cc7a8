"""`mimgraph check`: report every error in the specs, as text or for a tool."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from mimgraph.cli.arguments import SPEC, add_format, add_settings
from mimgraph.cli.errors import OK, WRONG_CALL, WRONG_SPEC, CallError
from mimgraph.cli.loading import load_graph
from mimgraph.cli.printing import point_to_pages, print_call_error, print_diagnostics
from mimgraph.diagnostics import Diagnostic, SpecError, in_order
from mimgraph.diagnostics.render import render_json, visible
from mimgraph.support.files import matching


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    help = f"{SPEC}; a pattern in quotes stands for several: 'specs/**/*.yaml'"
    parser.add_argument("spec", nargs="+", metavar="SPEC", help=help)
    add_settings(parser)
    help = "also report the options that this release of torch does not have yet: 2.10"
    parser.add_argument("--torch", type=_torch, metavar="VERSION", help=help)
    add_format(parser, "sarif", "github")


def _torch(text: str) -> str:
    """Return the text of a release of torch; raise an argparse error if it is not one."""
    from mimgraph.infer.advice.torch_versions import release  # only this option needs it

    try:
        release(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def run(args: argparse.Namespace) -> int:
    """Check every spec and print the faults; files that cannot be read are reported at the end."""
    errors: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    passed: list[str] = []
    unread: list[CallError] = []
    for path in _paths(args.spec, unread):
        try:
            graph = load_graph(path, args.set)
            if args.torch is not None:
                from mimgraph.infer.advice.torch_versions import check_torch

                check_torch(graph.typed, args.torch)
            count = len(graph.typed.body.nodes)
            passed.append(f"{visible(path)}: ok, {count} node{'s' * (count != 1)}")
            warnings += graph.warnings
        except SpecError as error:
            errors += error.diagnostics
        except CallError as error:
            unread.append(error)
    _print(args.format, errors, warnings, passed)
    for fault in {str(fault): fault for fault in unread}.values():
        print_call_error(fault)
    if unread:
        return WRONG_CALL
    return WRONG_SPEC if errors else OK


def _paths(patterns: Sequence[str], unread: list[CallError]) -> Iterator[str]:
    """Yield the files that patterns stand for; a pattern without a file becomes an error of `unread`."""
    for pattern in patterns:
        paths = matching(pattern)
        yield from paths
        if not paths:
            unread.append(CallError(f"no file matches {visible(pattern)}"))


def _print(
    format: str,
    errors: Sequence[Diagnostic],
    warnings: Sequence[Diagnostic],
    passed: Sequence[str],
) -> None:
    found = in_order([*errors, *warnings])
    match format:
        case "text":
            if found:
                print_diagnostics(found, sys.stdout)
                print()
            if passed:
                print("\n".join(passed))
            point_to_pages(found)
        case "json":  # a list of errors alone, so that it is empty if the specs are legal
            print(render_json(in_order(errors)))
            if warnings and sys.stderr.isatty():
                print_diagnostics(in_order(warnings), sys.stderr)
        case _:
            if text := _for_ci(format, found):
                print(text)


def _for_ci(format: str, diagnostics: Sequence[Diagnostic]) -> str:
    from mimgraph.diagnostics.ci import render_github, render_sarif  # only these formats need it

    return render_sarif(diagnostics) if format == "sarif" else render_github(diagnostics)
