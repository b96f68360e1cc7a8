"""End the traceback of a user's mistake at the user's line: `@entry_point`, and `@entry_points` on a class.

An error that a `raise` statement of this package raises is about what the user wrote, and our frames
only hide the line to correct. Any other error is a bug of ours, and keeps them.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator
from functools import wraps
from types import FunctionType, TracebackType
from typing import Any, TypeVar, cast

R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)

# methods that raise nothing about a user's argument, or that only other entry points call
_QUIET = ("__repr__", "__hash__", "apply_layer", "apply_to")
_BETWEEN = ("contextlib", "functools")  # modules whose frames stand between ours
_CUT = "_mimgraph_cut"  # marks an error whose traceback ends in a line of the user


def entry_point(function: F) -> F:
    """Return the function with our own frames left out of the tracebacks of users' mistakes.

    A bare `raise` adds no frame of the function that it is in, so that the last frame is the caller's.
    """

    @wraps(function)
    def entered(*args: Any, **keywords: Any) -> Any:
        try:
            return function(*args, **keywords)
        except Exception as error:
            if _is_users(error):
                _suggest_keyword(error, function)
                _cut(error)
            raise

    return cast("F", entered)


_ENTERED = entry_point(print).__code__


def _suggest_keyword(error: Exception, function: Callable[..., object]) -> None:
    """Add the parameter that was probably meant to the error for an unknown one, as Python 3.13 does."""
    text = str(error)
    start = f"{function.__qualname__}() got an unexpected keyword argument '"
    if not (isinstance(error, TypeError) and text.startswith(start) and text.endswith("'")):
        return
    from difflib import get_close_matches  # needed for errors alone

    while hasattr(function, "__wrapped__"):  # it is under another decorator
        function = function.__wrapped__
    code = function.__code__
    named = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    for near in get_close_matches(text[len(start) : -1], named, n=1):
        error.args = (f"{text}. Did you mean {near!r}?",)


def entry_points(cls: C) -> C:
    """Make each public method of a class, and each special one such as `__call__`, an entry point."""
    for name, value in [*vars(cls).items()]:
        is_private = name.startswith("_") and not name.endswith("__")
        if isinstance(value, FunctionType) and not is_private and name not in _QUIET:
            setattr(cls, name, entry_point(value))
    return cls


def is_ours(module: str) -> bool:
    """Return whether a module, by its name, is a part of mimgraph."""
    return module.partition(".")[0] == "mimgraph"


def call_users(function: Callable[..., R], *args: Any, **keywords: Any) -> R:
    """Call a function of the user, such as that of a block: its own errors are users' mistakes, too."""
    try:
        return function(*args, **keywords)
    except Exception as error:
        _, *inside = _frames(error.__traceback__)
        if not any(map(_is_ours, inside)):
            setattr(error, _CUT, True)
        raise


def _is_users(error: Exception) -> bool:
    """Return whether an error is about what the user wrote: a `raise` statement of ours raised it.

    So are arguments that our functions do not have, and files that cannot be read or written.
    """
    if hasattr(error, _CUT) or isinstance(error, OSError):
        return True
    if isinstance(error, AssertionError | NotImplementedError):
        return False
    last = [*_frames(error.__traceback__)][-1]
    # the function, perhaps under another decorator, does not have these arguments
    at_call = last.tb_frame.f_code is _ENTERED or _module(last) in _BETWEEN
    is_call = at_call and isinstance(error, TypeError)
    return is_call or (_is_ours(last) and _is_raised(last) and _has_text(error))


def _has_text(error: Exception) -> bool:
    """Return whether an error has a message, or the list of diagnostics of a `SpecError`.

    One without is a bug: `raise TypeError(node)` ends a function that knows every kind of node.
    """
    return bool(error.args) and isinstance(error.args[0], str | list)


def _is_raised(last: TracebackType) -> bool:
    """Return whether the frame runs a `raise` statement, as its line says."""
    frame = last.tb_frame
    line = linecache.getline(frame.f_code.co_filename, last.tb_lineno, frame.f_globals)
    return line.lstrip().startswith("raise")


def _cut(error: Exception) -> None:
    """Leave only the user's frames in the traceback of an error."""
    frames = [*_frames(error.__traceback__)]
    while not hasattr(error, _CUT) and not _is_ours(frames[-1]):
        frames.pop()  # of Python's library, which found that a file is missing
    setattr(error, _CUT, True)
    found: TracebackType | None = None
    for one in reversed(frames):
        if not _is_ours(one):
            found = TracebackType(found, one.tb_frame, one.tb_lasti, one.tb_lineno)
    error.__traceback__ = found


def _is_ours(one: TracebackType) -> bool:
    module = _module(one)
    return is_ours(module) or module in _BETWEEN


def _module(one: TracebackType) -> str:
    return str(one.tb_frame.f_globals.get("__name__", ""))


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    """Yield the entries of a traceback, the outermost first."""
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next
