"""A scene: a diagram with the direction, depth, collapsing and theme in which to draw it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias, TypedDict, get_args

from mimgraph.picture.details.model import ComparedDetail, Detail
from mimgraph.picture.diagram.collapse import collapse
from mimgraph.picture.diagram.flat_repeats import fold_repeats
from mimgraph.picture.diagram.fold import close, fold, levels
from mimgraph.picture.diagram.model import Diagram
from mimgraph.picture.themes import PALETTES, Palette
from mimgraph.support.arguments import Depth, as_flag, as_plain, check_depth

Direction: TypeAlias = Literal["TB", "LR"]
Theme: TypeAlias = Literal["light", "dark"]


class View(TypedDict, total=False):
    """The options of `Graph.draw`."""

    direction: Direction
    depth: Depth | None
    collapse: bool
    theme: Theme | None
    wrap: bool


@dataclass(frozen=True)
class Scene:
    """A diagram with the options of `Graph.draw`; a wrong option raises a `ValueError`.

    `direction` is top to bottom or left to right. Blocks are open down to
    `depth`; `readable` chooses one for None. `wrap` sets a long picture in columns. Without a `theme`
    a page has that of the reader's system. `details` returns more about
    each id, for formats that can show it, and `independent` the ids that edges lead from, but that an id does not
    depend on. The blocks `closed` are so at any depth; a page can open them. Formats of plugins draw the
    `graph`, which a picture of a change has not.
    """

    whole: Diagram
    direction: Direction = "TB"
    depth: Depth | None = None
    collapse: bool = False
    theme: Theme | None = None
    wrap: bool = False
    details: Callable[[], Mapping[str, Detail | ComparedDetail]] = dict
    closed: frozenset[str] = frozenset()
    independent: Callable[[], Mapping[str, Sequence[str]]] = dict
    graph: object = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", as_plain("depth", self.depth))
        _check_one_of("direction", self.direction, get_args(Direction))
        if self.theme is not None:
            _check_one_of("theme", self.theme, get_args(Theme))
        check_depth(self.depth)
        as_flag("collapse", self.collapse)
        as_flag("wrap", self.wrap)

    @cached_property
    def all_open(self) -> Diagram:
        """The diagram with all blocks open that are not `closed`, collapsed if that is asked for."""
        found = close(self.whole, self.closed)
        return collapse(found) if self.collapse else found

    @property
    def palette(self) -> Palette:
        """The colours of the theme, light ones without a theme."""
        return PALETTES[self.theme or "light"]

    @cached_property
    def levels(self) -> int:
        """The number of levels of nested blocks, which is the greatest depth."""
        return levels(self.all_open)

    @property
    def opened(self) -> int:
        """The number of levels that are open."""
        return self.depth if isinstance(self.depth, int) else self.levels

    @cached_property
    def shown(self) -> Diagram:
        """The diagram folded and collapsed as asked."""
        folded = fold(self.all_open, self.opened)
        return fold_repeats(folded) if self.collapse else folded


def _check_one_of(name: str, given: Any, words: tuple[str, ...]) -> None:
    if not isinstance(given, str) or given not in words:
        raise ValueError(f"{name} is {' or '.join(map(repr, words))}, not {given!r}")
