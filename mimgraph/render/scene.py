"""What is to be drawn and how: a diagram, the direction it runs, how deep it is open, the theme."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from mimgraph.render.detail import Detail
from mimgraph.render.diagram import Diagram
from mimgraph.render.fold import collapse, fold

Direction: TypeAlias = Literal["TB", "LR"]
Theme: TypeAlias = Literal["light", "dark"]


@dataclass(frozen=True)
class Scene:
    """A diagram with what the user asked for.

    `direction` is Graphviz's rankdir: top to bottom or left to right. Blocks are open down to
    `depth`, None opens all. `details` tells more of each id, for renderers that can be asked.
    """

    whole: Diagram
    direction: Direction = "TB"
    depth: int | None = None
    collapse: bool = False
    theme: Theme = "light"
    details: Callable[[], Mapping[str, Detail]] = dict

    @cached_property
    def shown(self) -> Diagram:
        """What is seen at once."""
        folded = fold(self.whole, self.depth)
        return collapse(folded) if self.collapse else folded
