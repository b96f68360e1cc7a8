"""Write the script that completes mimgraph in zsh."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mimgraph.cli.completion.words import Command, Option, Value

# it works as a file of `fpath`, which zsh runs as the function, and in `eval`
SCRIPT = """\
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


def script(commands: Sequence[Command]) -> str:
    """Return the script."""
    return SCRIPT.format(
        commands="\n".join(f"        {_quoted(f'{c.name}:{c.help}')}" for c in commands),
        color="'--color[when to print in colour]:color:(auto always never)'",
        help="'(- *)'{-h,--help}'[print the commands]'",
        version="'(- *)'{-V,--version}'[print the version]'",
        arguments="\n".join(_case(command) for command in commands),
    )


def _case(command: Command) -> str:
    """Return the arguments of a command."""
    specs = [spec for option in command.options for spec in _option(option)]
    specs += [f"*:{_text(value.name)}:{_action(value)}" for value in command.arguments[-1:]]
    specs = [
        *(
            f"{number}:{_text(value.name)}:{_action(value)}"
            for number, value in enumerate(command.arguments[:-1], 1)
        ),
        *specs,
    ]
    words = " ".join(map(_quoted, specs))
    return f"            {command.name}) _arguments {words} ;;"


def _option(option: Option) -> Iterator[str]:
    """Yield a specification for each name of an option."""
    for name in option.names:
        others = " ".join(other for other in option.names if other != name)
        before = "*" if option.is_repeatable else f"({others})" if others else ""
        value = option.value
        after = "" if value is None else f":{_text(value.name)}:{_action(value)}"
        yield f"{before}{name}[{_text(option.help)}]{after}"


def _action(value: Value) -> str:
    """Return how zsh completes a value."""
    return f"({' '.join(value.words)})" if value.words else "_files" if value.is_path else " "


def _text(text: str) -> str:
    """Return a text with the characters escaped that end a part of a specification."""
    return "".join(f"\\{char}" if char in "[]:\\" else char for char in text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
