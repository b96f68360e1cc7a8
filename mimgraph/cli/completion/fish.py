"""Write the script that completes mimgraph in fish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mimgraph.cli.completion.words import Command, Option, Value


def script(commands: Sequence[Command]) -> str:
    """Return the script."""
    return "\n".join([*_top(commands), *(line for one in commands for line in _lines(one)), ""])


def _top(commands: Sequence[Command]) -> Iterator[str]:
    """Yield the lines that complete commands and the options before them, and no files."""
    yield "complete -c mimgraph -f"
    top = "complete -c mimgraph -n __fish_use_subcommand"
    for command in commands:
        yield f"{top} -a {command.name} -d {_quoted(command.help)}"
    yield f"{top} -l color -x -a 'auto always never' -d 'when to print in colour'"
    yield f"{top} -s h -l help -d 'print the commands'"
    yield f"{top} -s V -l version -d 'print the version'"


def _lines(command: Command) -> Iterator[str]:
    """Yield the lines that complete the words behind a command."""
    start = f"complete -c mimgraph -n '__fish_seen_subcommand_from {command.name}'"
    for value in command.arguments:
        yield f"{start}{_value(value)}"
    for option in command.options:
        yield f"{start}{_names(option)}{_value(option.value) if option.value else ''}"


def _names(option: Option) -> str:
    names = (
        f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in option.names
    )
    return "".join([*names, f" -d {_quoted(option.help)}"])


def _value(value: Value) -> str:
    """Return how fish completes a value."""
    if value.words:
        return f" -x -a '{' '.join(value.words)}'"
    return " -r -F" if value.is_path else " -x"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
