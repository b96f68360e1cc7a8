"""Lay out the help of a command, and the overview of all commands, for a width of the terminal."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import NamedTuple

from mimgraph.support.terminal import BOLD, CYAN, GREEN, TEAL, Paint

INDENT = "  "
LEAST = 10  # columns of names, so that the texts of all groups of commands begin in one column
NARROW = 24  # columns of a text beside names; where there are fewer, it stands below them


class Entry(NamedTuple):
    """An argument or a command, and what it means."""

    name: str  # as it is typed: `-o, --output`
    value: str  # what is replaced: `FILE`
    text: str

    @property
    def width(self) -> int:
        """Return the number of columns of the name and the value."""
        return len(self.name) + bool(self.name and self.value) + len(self.value)


Section = tuple[str, Sequence[Entry]]


def command_help(parser: argparse.ArgumentParser, width: int, paint: Paint) -> str:
    """Return the description, usage, arguments and epilog of a command."""
    usage = f"{_heading('Usage', paint)} {paint(BOLD, synopsis(parser))}"
    groups = [(group.title or "", group._group_actions) for group in parser._action_groups]
    sections = [(title, [entry_of(one) for one in actions]) for title, actions in groups if actions]
    rows = [*_lines(parser.description, width), "", usage, *_sections(sections, width, paint)]
    if parser.epilog:
        rows += ["", *_lines(parser.epilog, width)]
    return "\n".join(rows)


def overview_help(
    parser: argparse.ArgumentParser,
    groups: Mapping[str, Mapping[str, str]],
    width: int,
    paint: Paint,
) -> str:
    """Return the commands by their groups, and the options of all of them."""
    usage = f"{_heading('Usage', paint)} {paint(BOLD, synopsis(parser))}"
    sections = [
        *(
            (title, [Entry(name, "", text) for name, text in group.items()])
            for title, group in groups.items()
        ),
        ("Options", [entry_of(action) for action in parser._actions]),
    ]
    rows = [*_lines(parser.description, width), "", usage, *_sections(sections, width, paint), ""]
    more = "mimgraph COMMAND --help shows the arguments of a command."
    return "\n".join([*rows, *_lines(more, width)])


def synopsis(parser: argparse.ArgumentParser) -> str:
    """Return how a command is called: `mimgraph check [OPTIONS] SPEC...`"""
    required = [
        action for action in parser._actions if action.required or not action.option_strings
    ]
    return " ".join([parser.prog, "[OPTIONS]", *map(_required, required)])


def _required(action: argparse.Action) -> str:
    value = _value(action)
    if action.option_strings:
        return f"{action.option_strings[0]} {value}"
    return {"+": f"{value}...", "*": f"[{value}]...", "?": f"[{value}]"}.get(
        str(action.nargs), value
    )


def entry_of(action: argparse.Action) -> Entry:
    names = ", ".join(sorted(action.option_strings, key=len))
    if names.startswith("--"):
        names = f"    {names}"  # below the long names of options that have a short one
    return Entry(names, _value(action), action.help or "")


def _value(action: argparse.Action) -> str:
    """Return what stands for the value of an argument: `FILE`, or its choices, `light|dark`."""
    if action.nargs == 0:
        return ""
    if action.choices is not None:
        return "|".join(map(str, action.choices))
    return str(action.metavar or action.dest.upper())


def _heading(title: str, paint: Paint) -> str:
    return paint(GREEN, f"{title}:")


def _sections(sections: Sequence[Section], width: int, paint: Paint) -> Iterator[str]:
    """Yield the lines of all sections; the texts of a section begin in one column."""
    for title, entries in sections:
        longest = max(LEAST, *(entry.width for entry in entries))
        column = len(INDENT) + longest + len(INDENT)
        yield from ("", _heading(title[0].upper() + title[1:], paint))
        for entry in entries:
            yield from _entry_lines(entry, column, width, paint)


def _entry_lines(entry: Entry, column: int, width: int, paint: Paint) -> Iterator[str]:
    """Yield the name with its text beside it, or below it in a narrow terminal."""
    names = " ".join(filter(None, (paint(CYAN, entry.name), paint(TEAL, entry.value))))
    if width - column < NARROW:
        yield INDENT + names
        yield from (8 * " " + line for line in _lines(entry.text, width - 8))
        return
    first, *others = _lines(entry.text, width - column) or [""]
    gap = " " * (column - len(INDENT) - entry.width)
    yield f"{INDENT}{names}{gap}{first}".rstrip()
    yield from (" " * column + line for line in others)


def _lines(text: str | None, width: int) -> list[str]:
    """Return the lines of a text; no word is broken, also where one is wider than the terminal."""
    return wrap(text or "", max(width, 1), break_long_words=False, break_on_hyphens=False)
