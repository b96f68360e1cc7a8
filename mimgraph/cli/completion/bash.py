"""Write the script that completes mimgraph in bash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mimgraph.cli.completion.words import Command

# where nothing is suggested, bash completes the names of files
SCRIPT = """\
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


def script(commands: Sequence[Command]) -> str:
    """Return the script."""
    names = [command.name for command in commands]
    top = f"            :*) words='{' '.join(names)} --help --version --color' ;;"
    return SCRIPT.format(
        names="|".join(names),
        values="\n".join(_values(commands)),
        words="\n".join([*_words(commands), top]),
    )


def _values(commands: Sequence[Command]) -> Iterator[str]:
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


def _words(commands: Sequence[Command]) -> Iterator[str]:
    """Yield the options of each command, and the words that its arguments may be."""
    for command in commands:
        options = " ".join(name for option in command.options for name in option.names)
        yield f"            {command.name}:-*) words='{options}' ;;"
        words = " ".join(word for value in command.arguments for word in value.words)
        if words:
            yield f"            {command.name}:*) words='{words}' ;;"
