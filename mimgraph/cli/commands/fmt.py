"""`mimgraph fmt`: write specs in one style, or say which are not in it."""

from __future__ import annotations

import argparse
import sys
from typing import NamedTuple

from mimgraph.cli.errors import OK, WRONG_CALL, WRONG_SPEC, CallError
from mimgraph.cli.printing import print_call_error, print_diagnostics, print_note
from mimgraph.cli.spec_files import read_text, spec_paths
from mimgraph.diagnostics import Diagnostic, SpecError, in_order
from mimgraph.diagnostics.render import visible
from mimgraph.language.files import specs_and_parts_in
from mimgraph.language.formatter import FormatError, formatted
from mimgraph.support.files import write_whole
from mimgraph.support.terminal import GREEN, RED, painter, wants_color


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    help = (
        "a YAML file; a folder, or a pattern in quotes, stands for several; - reads standard input"
    )
    parser.add_argument("spec", nargs="+", metavar="SPEC", help=help)
    help = "write nothing, and exit with 1 if a spec is not in the style"
    parser.add_argument("--check", action="store_true", help=help)
    help = "write nothing, and print what would change"
    parser.add_argument("--diff", action="store_true", help=help)
    parser.epilog = (
        "A wrong spec is formatted, too, unless YAML cannot read it. JSON is left as it is."
    )


class _Spec(NamedTuple):
    """A spec before and after, and the faults that keep it as it is."""

    path: str
    old: str
    new: str
    faults: tuple[Diagnostic, ...]


def run(args: argparse.Namespace) -> int:
    """Format every spec; files that cannot be read or written are reported at the end."""
    unread: list[CallError] = []
    specs: list[_Spec] = []
    for given in args.spec:
        try:
            paths = spec_paths(given, specs_and_parts_in)
        except CallError as error:
            unread.append(error)
            continue
        for path, is_named in paths.items():
            if is_named or not path.endswith(".json"):
                try:
                    specs.append(_format(path, args))
                except CallError as error:
                    unread.append(error)
    faults = in_order([fault for one in specs for fault in one.faults])
    if faults:
        print_diagnostics(faults, sys.stderr)
    _print_summary(specs, args)
    for fault in unread:
        print_call_error(fault)
    if unread:
        return WRONG_CALL
    changed = args.check and any(one.new != one.old for one in specs)
    return WRONG_SPEC if faults or changed else OK


def _format(path: str, args: argparse.Namespace) -> _Spec:
    """Format one spec, and write it or show what would change."""
    try:
        file = read_text(path)
    except SpecError as error:
        fault = error.diagnostics[0]
        raise CallError(f"{visible(fault.span.file.name)}: {fault.message}", fault.help) from None
    name, old = file.name, file.text
    try:
        new, faults = formatted(file)
    except FormatError:
        help = "this is a bug of mimgraph, please report it with the spec; the file stays as it is"
        raise CallError(
            f"{visible(name)}: the text in the style would mean something else", help
        ) from None
    spec = _Spec(path, old, new, faults)
    if args.diff:
        sys.stdout.write(_difference(name, old, new))
    elif path == "-" and not args.check:
        sys.stdout.write(new)
    elif not args.check and new != old:
        try:
            write_whole(path, new)
        except OSError as error:
            reason = error.strerror or error
            raise CallError(f"cannot write {visible(path)}: {reason}") from None
    if path.endswith(".json"):
        print_note(f"{visible(path)} is JSON and stays as it is")
    return spec


def _difference(name: str, old: str, new: str) -> str:
    """Return a unified diff."""
    from difflib import unified_diff  # only this option needs it

    lines = unified_diff(
        old.splitlines(), new.splitlines(), visible(name), visible(name), lineterm=""
    )
    return "".join(f"{visible(line)}\n" for line in lines)


def _print_summary(specs: list[_Spec], args: argparse.Namespace) -> None:
    """Print the specs that changed, or would, and how many did not."""
    paint = painter(wants_color(sys.stderr))
    would = args.check or args.diff
    changed = [one for one in specs if one.new != one.old and (would or one.path != "-")]
    for one in changed:
        word = paint(RED, "would format") if would else paint(GREEN, "formatted")
        print(f"{word} {visible(one.path)}", file=sys.stderr)
    same = sum(one.new == one.old and not one.faults for one in specs)
    if [one.path for one in specs] != ["-"] and same:
        print(f"{same:,} spec{'s' * (same != 1)} already in the style", file=sys.stderr)
