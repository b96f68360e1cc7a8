"""The error and the warning that drawing a picture can raise."""

from __future__ import annotations

DRAW_LESS = "fold blocks with depth, and chains with collapse"  # advice that their messages end in


class RenderError(RuntimeError):
    """No picture can be made: the graph is too large."""


class SmallWarning(UserWarning):
    """The picture had to be shrunk until its text is too small to read."""
