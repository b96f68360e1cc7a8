"""List the specs beside a spec that can be its parts."""

from __future__ import annotations

import os
from collections.abc import Iterator

from mimgraph.editor.features.completion.proposal import Proposal
from mimgraph.language.foreign_files import ENDINGS
from mimgraph.language.parts.part_files import Place

MOST = 500  # entries of a folder that are looked at
DEEPEST = 2  # folders inside the folder of the spec


def part_paths(place: Place) -> Iterator[Proposal]:
    """Yield the paths of the specs in the folder of a spec, and in folders in it, without links."""
    folder = place.files.folder or "."
    for path in sorted(_paths(folder, "", 0)):
        yield Proposal(path, "path")


def _paths(folder: str, inside: str, depth: int) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            found = [one for one, _ in zip(entries, range(MOST), strict=False)]
    except OSError:
        return
    for entry in found:
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        if entry.is_dir() and depth < DEEPEST:
            yield from _paths(entry.path, f"{inside}{entry.name}/", depth + 1)
        elif entry.name.endswith(ENDINGS) and entry.is_file():
            yield f"{inside}{entry.name}"
