"""Write the scripts that complete commands, options and names of mimgraph in bash, zsh and fish."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from mimgraph.cli.parser import COMMANDS, command_parser
from mimgraph.diagnostics.codes import CODES
from mimgraph.gallery.catalogue import entries
from mimgraph.language.reference import bare_keys, every_op

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


# --- bash ------------------------------------------------------------------------------------------

# where nothing is suggested, bash completes the names of files
BASH_SCRIPT = """\
_mimgraph() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command= words= i
    if [[ $word == = ]]; then word=  # of --theme=dark
    elif [[ $before == = ]]; then before=${{COMP_WORDS[COMP_CWORD-2]}}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${{COMP_WORDS[i]}} in
            {names}) command=${{COMP_WORDS[i]}}; break ;;
        esac
    done
    case $command:$before in
{values}
        *) case $command:$word in
{words}
        esac ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _mimgraph mimgraph
"""


def bash_script(commands: Sequence[Command]) -> str:
    """Return the script that completes mimgraph in bash."""
    names = [command.name for command in commands]
    top = f"            :*) words='{' '.join(names)} --help --version --color' ;;"
    return BASH_SCRIPT.format(
        names="|".join(names),
        values="\n".join(_bash_values(commands)),
        words="\n".join([*_bash_words(commands), top]),
    )


def _bash_values(commands: Sequence[Command]) -> Iterator[str]:
    """Yield a case for the options that have the same words as values, perhaps none."""
    yield "        :--color) words='auto always never' ;;"
    for command in commands:
        cases: dict[str, list[str]] = {}
        for option in command.options:
            if option.value is not None:
                given = (f"{command.name}:{name}" for name in option.names)
                cases.setdefault(" ".join(option.value.words), []).extend(given)
        for words, names in cases.items():
            yield f"        {'|'.join(names)}) words='{words}' ;;"


def _bash_words(commands: Sequence[Command]) -> Iterator[str]:
    """Yield the options of each command, and the words that its arguments may be."""
    for command in commands:
        options = " ".join(name for option in command.options for name in option.names)
        yield f"            {command.name}:-*) words='{options}' ;;"
        words = " ".join(word for value in command.arguments for word in value.words)
        if words:
            yield f"            {command.name}:*) words='{words}' ;;"


# --- zsh -------------------------------------------------------------------------------------------

# it works as a file of `fpath`, which zsh runs as the function, and in `eval`
ZSH_SCRIPT = """\
#compdef mimgraph
_mimgraph() {{
    local state line curcontext=$curcontext
    local -a commands=(
{commands}
    )
    _arguments -C {color} {help} {version} '1: :->command' '*:: :->arguments'
    case $state in
        command) _describe -t commands command commands ;;
        arguments) case $line[1] in
{arguments}
        esac ;;
    esac
}}
if [[ $funcstack[1] == _mimgraph ]]; then _mimgraph "$@"; else compdef _mimgraph mimgraph; fi
"""


def zsh_script(commands: Sequence[Command]) -> str:
    """Return the script that completes mimgraph in zsh."""
    return ZSH_SCRIPT.format(
        commands="\n".join(f"        {_zsh_quoted(f'{c.name}:{c.help}')}" for c in commands),
        color="'--color[when to print in colour]:color:(auto always never)'",
        help="'(- *)'{-h,--help}'[print the commands]'",
        version="'(- *)'{-V,--version}'[print the version]'",
        arguments="\n".join(_zsh_case(command) for command in commands),
    )


def _zsh_case(command: Command) -> str:
    """Return the arguments of a command."""
    specs = [spec for option in command.options for spec in _zsh_option(option)]
    specs += [f"*:{_zsh_text(value.name)}:{_zsh_action(value)}" for value in command.arguments[-1:]]
    specs = [
        *(
            f"{number}:{_zsh_text(value.name)}:{_zsh_action(value)}"
            for number, value in enumerate(command.arguments[:-1], 1)
        ),
        *specs,
    ]
    words = " ".join(map(_zsh_quoted, specs))
    return f"            {command.name}) _arguments {words} ;;"


def _zsh_option(option: Option) -> Iterator[str]:
    """Yield a specification for each name of an option."""
    for name in option.names:
        others = " ".join(other for other in option.names if other != name)
        before = "*" if option.is_repeatable else f"({others})" if others else ""
        value = option.value
        after = "" if value is None else f":{_zsh_text(value.name)}:{_zsh_action(value)}"
        yield f"{before}{name}[{_zsh_text(option.help)}]{after}"


def _zsh_action(value: Value) -> str:
    """Return how zsh completes a value."""
    return f"({' '.join(value.words)})" if value.words else "_files" if value.is_path else " "


def _zsh_text(text: str) -> str:
    """Return a text with the characters escaped that end a part of a specification."""
    return "".join(f"\\{char}" if char in "[]:\\" else char for char in text)


def _zsh_quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


# --- fish ------------------------------------------------------------------------------------------


def fish_script(commands: Sequence[Command]) -> str:
    """Return the script that completes mimgraph in fish."""
    return "\n".join(
        [*_fish_top(commands), *(line for one in commands for line in _fish_lines(one)), ""]
    )


def _fish_top(commands: Sequence[Command]) -> Iterator[str]:
    """Yield the lines that complete commands and the options before them, and no files."""
    yield "complete -c mimgraph -f"
    top = "complete -c mimgraph -n __fish_use_subcommand"
    for command in commands:
        yield f"{top} -a {command.name} -d {_fish_quoted(command.help)}"
    yield f"{top} -l color -x -a 'auto always never' -d 'when to print in colour'"
    yield f"{top} -s h -l help -d 'print the commands'"
    yield f"{top} -s V -l version -d 'print the version'"


def _fish_lines(command: Command) -> Iterator[str]:
    """Yield the lines that complete the words behind a command."""
    start = f"complete -c mimgraph -n '__fish_seen_subcommand_from {command.name}'"
    for value in command.arguments:
        yield f"{start}{_fish_value(value)}"
    for option in command.options:
        yield f"{start}{_fish_names(option)}{_fish_value(option.value) if option.value else ''}"


def _fish_names(option: Option) -> str:
    names = (
        f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in option.names
    )
    return "".join([*names, f" -d {_fish_quoted(option.help)}"])


def _fish_value(value: Value) -> str:
    """Return how fish completes a value."""
    if value.words:
        return f" -x -a '{' '.join(value.words)}'"
    return " -r -F" if value.is_path else " -x"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


SCRIPTS = {"bash": bash_script, "zsh": zsh_script, "fish": fish_script}
