"""Assign letters to modules that are used more than once."""

from __future__ import annotations

from collections.abc import Iterable

from mimgraph.picture.diagram.model import Box


def letters(every: Iterable[Box]) -> dict[str, str]:
    """Return a letter for each use of a shared module, by the id of the box: `{"tower": "A", "again": "A"}`."""
    owned = {box.id: box.shares for box in every if box.shares}
    owners = list(dict.fromkeys(owner for owner in owned.values() if owner not in owned))
    letters = {
        owner: chr(ord("A") + i % 26) + (str(i // 26) if i >= 26 else "")
        for i, owner in enumerate(owners)
    }
    for use, owner in owned.items():
        while owner in owned:
            owner = owned[owner]
        letters[use] = letters[owner]
    return letters
