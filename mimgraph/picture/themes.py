"""The colours of both themes: Okabe and Ito's for the kinds, adjusted until text on them is readable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mimgraph.picture.diagram.model import CLOSED, Mark

# a follower and what is unknown have none: they are drawn lighter and thinner
SIGNS: dict[Mark, str] = {"added": "+", "removed": "−", "changed": "~", "faulty": "!"}
DASHED: tuple[Mark, ...] = ("removed", "unknown")  # marks of outlines and edges that are dashed


class Paint(NamedTuple):
    """The colours of an outline and of its inside."""

    line: str
    fill: str


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a theme; `nested` fills clusters by depth, `tags` mark modules that share weights."""

    page: str
    text: str
    faint: str
    edge: str
    wall: str
    nested: tuple[str, ...]
    kinds: Mapping[str, Paint]
    marks: Mapping[Mark, Paint]
    tags: tuple[str, ...]

    def cluster(self, depth: int) -> Paint:
        """Return the colours of a cluster inside `depth` others."""
        return Paint(self.wall, self.nested[min(depth, len(self.nested) - 1)])


PALETTES = {
    "light": Palette(
        page="#ffffff",
        text="#1a1a1a",
        faint="#555555",
        edge="#404040",
        wall="#808080",
        nested=("#f6f6f6", "#ececec", "#e3e3e3"),
        kinds={
            "input": Paint("#0072b2", "#dcecf8"),
            "layer": Paint("#4d4d4d", "#ffffff"),
            "merge": Paint("#b35900", "#fdebd3"),
            "tensor": Paint("#8f4a75", "#f6e3ee"),
            "output": Paint("#00805e", "#d8f0e6"),
            **dict.fromkeys(CLOSED, Paint("#4d4d4d", "#ececec")),
        },
        marks={
            "added": Paint("#00805e", "#c9eddc"),
            "removed": Paint("#98200c", "#fbdcd4"),
            "changed": Paint("#856900", "#faf0b5"),
            "follows": Paint("#856900", "#fdf7dc"),
            "faulty": Paint("#98200c", "#fbdcd4"),
            "unknown": Paint("#6b7280", "#ffffff"),
        },
        tags=("#0072b2", "#8f4a75", "#00805e", "#a34a00"),
    ),
    "dark": Palette(
        page="#0d1117",
        text="#e6edf3",
        faint="#a8b2bd",
        edge="#a0a9b3",
        wall="#768390",
        nested=("#151b23", "#1e252e", "#272f39"),
        kinds={
            "input": Paint("#56b4e9", "#0f2a40"),
            "layer": Paint("#8b949e", "#0d1117"),
            "merge": Paint("#e69f00", "#35260a"),
            "tensor": Paint("#f0a6d2", "#3b2033"),
            "output": Paint("#2fbf91", "#0d3026"),
            **dict.fromkeys(CLOSED, Paint("#8b949e", "#272f39")),
        },
        marks={
            "added": Paint("#2fbf91", "#0f3d2f"),
            "removed": Paint("#f58a6a", "#47200f"),
            "changed": Paint("#e8d24a", "#3b3508"),
            "follows": Paint("#e8d24a", "#25220c"),
            "faulty": Paint("#f58a6a", "#47200f"),
            "unknown": Paint("#8b949e", "#0d1117"),
        },
        tags=("#56b4e9", "#f0a6d2", "#2fbf91", "#e69f00"),
    ),
}
