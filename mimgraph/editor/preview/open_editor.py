"""Open a line of a file in the user's editor, without a shell."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import PurePath

# The arguments of each editor that opens a line in a window of its own; others need a terminal.
COMMANDS = {
    **dict.fromkeys(("code", "codium", "cursor", "windsurf"), "-g {file}:{line}:{column}"),
    **dict.fromkeys(("zed", "zeditor", "subl"), "{file}:{line}:{column}"),
    **dict.fromkeys(("idea", "pycharm"), "--line {line} --column {column} {file}"),
    "emacsclient": "-n +{line}:{column} {file}",
    "gvim": "--remote-silent +{line} {file}",
    "kate": "-l {line} -c {column} {file}",
    "gedit": "{file} +{line}:{column}",
}
FIELD = re.compile(r"\{(?:file|line|column)\}")


def editor_command(given: str | None, environment: Mapping[str, str]) -> list[str] | None:
    """Return the command that opens a line, with fields for the file, line and column.

    That is the `given` one, or of an editor in whose terminal we run, or in $VISUAL or $EDITOR; None if
    none of them opens a window. A `ValueError` says what is wrong with the given one.
    """
    if given is not None:
        words = shlex.split(given)
        if not words or not any("{file}" in word for word in words):
            found = _completed(words)
            if found is None:
                message = "the command of the editor needs {file}, and may have {line} and {column}"
                raise ValueError(f"{message}: 'code -g {{file}}:{{line}}:{{column}}'")
            return found
        return words
    named = [environment.get("VISUAL", ""), environment.get("EDITOR", "")]
    if environment.get("TERM_PROGRAM") == "vscode":
        named.insert(0, "code")
    for command in named:
        if found := _completed(shlex.split(command)):
            return found
    return None


def _completed(words: list[str]) -> list[str] | None:
    """Return the command of a known editor with its arguments; None if it is not known or not found."""
    if not words or shutil.which(words[0]) is None:
        return None
    arguments = COMMANDS.get(PurePath(words[0]).stem.lower())
    return [*words, *arguments.split()] if arguments else None


def open_line(command: list[str], file: str, line: int, column: int) -> None:
    """Start the editor; it is not waited for. An `OSError` says that it cannot be started."""
    values = {"{file}": os.path.abspath(file), "{line}": str(line), "{column}": str(column)}
    # all at once: a field in a value stays as it is
    words = [FIELD.sub(lambda field: values[field[0]], word) for word in command]
    nothing = subprocess.DEVNULL
    subprocess.Popen(words, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
