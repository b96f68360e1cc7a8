"""Read the settings that an editor sends: which hints it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Settings:
    """The settings of a session.

    An editor gives them as `{"inlayHints": {"shapes": true, "options": true}}` in its
    `initializationOptions`, or as `mimgraph.inlayHints.shapes` in its configuration.
    """

    shapes: bool = True
    options: bool = True

    @classmethod
    def read(cls, given: Any) -> Settings:
        """Return the settings in what an editor sends; what it leaves out, or writes otherwise, is as by
        default."""
        if isinstance(given, Mapping) and isinstance(given.get("mimgraph"), Mapping):
            given = given["mimgraph"]
        hints = given.get("inlayHints") if isinstance(given, Mapping) else None
        if isinstance(hints, bool):
            return cls(hints, hints)
        if not isinstance(hints, Mapping):
            return cls()
        return cls(hints.get("shapes") is not False, hints.get("options") is not False)
