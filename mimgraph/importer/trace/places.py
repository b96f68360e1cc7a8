"""Find the line of the user's Python that is running."""

from __future__ import annotations

import inspect
import os
import sys
from functools import cache
from types import FrameType

import torch

from mimgraph.importer.trace.records import NOWHERE, Place

_OURS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep
_COMMANDS = os.path.join(_OURS, "cli") + os.sep  # above them there are no lines of the user
_TRACER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tracer.py")
_TORCH = os.path.dirname(os.path.abspath(torch.__file__)) + os.sep
_PYTHON = os.path.dirname(os.path.abspath(os.__file__)) + os.sep


def class_file(cls: type) -> str:
    """Return the file in which a class is defined, "" for one that was defined in no file."""
    try:
        return inspect.getsourcefile(cls) or ""
    except (OSError, TypeError):
        return ""


def user_place() -> Place:
    """Return the innermost line that is neither in Python's library, nor in torch, nor in this package.

    An exported program has none below the function that runs it.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not _is_outside(frame):
        if not _is_between(frame.f_code.co_filename):
            return Place(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return NOWHERE


def _is_outside(frame: FrameType) -> bool:
    """Return whether a frame is that of a command, or of the function that runs the model."""
    code = frame.f_code
    return code.co_filename.startswith(_COMMANDS) or (
        code.co_name == "run" and code.co_filename == _TRACER
    )


@cache
def _is_between(file: str) -> bool:
    """Return whether a file is of Python, torch or this package."""
    is_python = file.startswith(_PYTHON) and "site-packages" not in file
    return is_python or file.startswith((_OURS, _TORCH, "<frozen"))
