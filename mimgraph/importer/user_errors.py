"""Run the user's code; an error in it names the last line of the user that was run."""

from __future__ import annotations

import linecache
import os
import sysconfig
import traceback
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar

from mimgraph.diagnostics import SpecError

R = TypeVar("R")


class UserCodeError(ValueError):
    """Raised for code of the user that cannot be loaded or called; the message says what to change."""


class UserLine(NamedTuple):
    """A line of a Python file of the user."""

    file: str
    line: int

    def __str__(self) -> str:
        text = linecache.getline(self.file, self.line).strip()
        return f"{shown_path(self.file)}:{self.line}: {text}"


def run_users(what: str, function: Callable[..., R], *args: Any, **keywords: Any) -> R:
    """Return what a function of the user returns; a `UserCodeError` has the user's last line."""
    try:
        return function(*args, **keywords)
    except SystemExit as error:
        help = 'put what shall not run under if __name__ == "__main__":'
        raise UserCodeError(f"{what} ended the program: {help}") from error
    except (UserCodeError, SpecError):  # which has the line of the user
        raise
    except Exception as error:
        raise UserCodeError(fault_text(what, error)) from error


def fault_text(what: str, error: BaseException) -> str:
    """Return the text of an error of the user's code, with the user's last line."""
    return "\n".join([f"{what} failed: {_text(error)}", *_place(error)])


def last_line(error: BaseException) -> UserLine | None:
    """Return the innermost line of the user's own files that an error came through."""
    frames = traceback.extract_tb(error.__traceback__)
    users = [f for f in frames if f.lineno is not None and is_users_file(f.filename)]
    return UserLine(users[-1].filename, users[-1].lineno or 0) if users else None


@cache
def is_users_file(file: str) -> bool:
    """Return whether a file is the user's own: not installed, not of Python, and not ours."""
    if file.startswith("<"):
        return False
    real = os.path.realpath(file)
    if {"site-packages", "dist-packages"} & {*real.split(os.sep)}:
        return False
    return not any(real.startswith(folder + os.sep) for folder in _installed())


@cache
def _installed() -> tuple[str, ...]:
    """Return the folders of Python, of installed packages and of mimgraph."""
    ours = os.path.dirname(os.path.dirname(__file__))
    paths = (sysconfig.get_path(key) for key in ("stdlib", "platstdlib", "purelib", "platlib"))
    return tuple(os.path.realpath(path) for path in (*paths, ours))


def shown_path(file: str) -> str:
    """Return the path of a file for a message: relative if it is below the working directory."""
    try:
        relative = os.path.relpath(file)
    except ValueError:  # on another drive
        return file
    return file if relative.startswith("..") else relative


def _text(error: BaseException) -> str:
    """Return the class and the message of an error."""
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {message}".removesuffix(": ")


def _place(error: BaseException) -> list[str]:
    """Return the user's line, if there is one, for the end of a message."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return [f"  {UserLine(error.filename, error.lineno)}"]
    line = last_line(error)
    return [] if line is None else [f"  {line}"]
