"""Find the line of the user's Python that is running."""

from __future__ import annotations

import os
import sys

import torch

from mimgraph.importer.trace.records import NOWHERE, Place

_OURS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep
_TORCH = os.path.dirname(os.path.abspath(torch.__file__)) + os.sep


def user_place() -> Place:
    """Return the innermost line that is neither in torch nor in this package."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith((_OURS, _TORCH)):
        if frame.f_back is None:
            return NOWHERE
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno)
