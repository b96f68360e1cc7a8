"""Read the settings that an editor sends: which hints it shows, and how Python files run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_RUN = 600  # seconds


@dataclass(frozen=True)
class Settings:
    """The settings of a session.

    An editor gives them as `{"inlayHints": {"shapes": true, "options": true}}` in its
    `initializationOptions`, or as `mimgraph.inlayHints.shapes` in its configuration.
    `{"python": {"interpreter": "/path/to/python", "seconds": 10}}` are for the runs of Python files,
    without an interpreter that of the server.
    """

    shapes: bool = True
    options: bool = True
    interpreter: str = ""
    seconds: float = 10.0

    @classmethod
    def read(cls, given: Any) -> Settings:
        """Return the settings in what an editor sends; what it leaves out, or writes otherwise, is as by
        default."""
        if isinstance(given, Mapping) and isinstance(given.get("mimgraph"), Mapping):
            given = given["mimgraph"]
        if not isinstance(given, Mapping):
            return cls()
        return cls(*_hints(given.get("inlayHints")), *_python(given.get("python")))


def _hints(given: Any) -> tuple[bool, bool]:
    if isinstance(given, bool):
        return given, given
    if not isinstance(given, Mapping):
        return True, True
    return given.get("shapes") is not False, given.get("options") is not False


def _python(given: Any) -> tuple[str, float]:
    known = given if isinstance(given, Mapping) else {}
    interpreter, seconds = known.get("interpreter"), known.get("seconds")
    if not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_RUN:
        seconds = Settings.seconds
    return interpreter if isinstance(interpreter, str) else "", seconds
