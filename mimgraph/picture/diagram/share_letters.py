"""The letters by which a picture tells which modules are the same."""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.picture.diagram.model import Box


def letters(every: Mapping[str, Box]) -> dict[str, str]:
    """A letter for each module that is used again, by the ids of all its uses."""
    owned = {box.id: box.shares for box in every.values() if box.shares}
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
