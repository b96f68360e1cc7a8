"""Collect the words that a shell completes, from the parsers of all commands."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mimgraph.cli.parser import COMMANDS, command_parser

FILES = ("SPEC", "OLD", "NEW", "MODEL", "FILE", "BATCH")  # stand for paths, also before an ending


class Value(NamedTuple):
    """What follows an option, or stands alone: a path, one of some words, or any text."""

    name: str
    words: Sequence[str] = ()
    is_path: bool = False


class Option(NamedTuple):
    """An option by its names, with a value unless it is a switch."""

    names: Sequence[str]
    help: str
    value: Value | None
    is_repeatable: bool


class Command(NamedTuple):
    """A command with its options, and the arguments that are no options."""

    name: str
    help: str
    options: Sequence[Option]
    arguments: Sequence[Value]


def commands() -> list[Command]:
    """Return all commands, with the names of layers and specs and the codes of diagnostics as words."""
    from mimgraph.diagnostics.codes import CODES
    from mimgraph.gallery.catalogue import entries
    from mimgraph.language.reference.entries import bare_keys, every_op

    names: dict[str, Sequence[str]] = {
        "CODE": [*CODES],
        "EXAMPLE": [one.name for one in entries()],
        "NAME": [*(op.name for op in every_op()), *bare_keys()],
    }
    return [_command(name, command_parser(name), names) for name in COMMANDS]


def _command(
    name: str, parser: argparse.ArgumentParser, names: Mapping[str, Sequence[str]]
) -> Command:
    options, arguments = [], []
    for action in parser._actions:
        value = None if action.nargs == 0 else _value(action, names)
        if action.option_strings:
            is_repeatable = action.default == []
            help = action.help or ""
            options.append(Option(action.option_strings, help, value, is_repeatable))
        elif value is not None:
            arguments.append(value)
    return Command(name, COMMANDS[name], options, arguments)


def _value(action: argparse.Action, names: Mapping[str, Sequence[str]]) -> Value:
    name = str(action.metavar or action.dest)
    words = [str(choice) for choice in action.choices or names.get(name, ())]
    return Value(name, words, is_path=name.partition(".")[0] in FILES)
