"""The result of `diff`: the difference of two graphs as text, Markdown, plain data and a picture."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

from mimgraph.compare.change_text import SAMPLE
from mimgraph.compare.markdown import markdown
from mimgraph.compare.model import Change, Difference, Edit
from mimgraph.compare.picture import WAS, Joined, union
from mimgraph.compare.text import text
from mimgraph.cost.cost import Cost
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.picture import RenderError, write
from mimgraph.picture.details.model import ComparedDetail, Detail
from mimgraph.support.arguments import Depth
from mimgraph.support.terminal import WIDTH, line_width, printable

if TYPE_CHECKING:
    from mimgraph.picture.scene import Direction, Scene, Theme, View

Details: TypeAlias = "Callable[[], Mapping[str, Detail]]"  # by the id of an item of the picture


@dataclass(frozen=True)
class Review:
    """The changes from an old graph to a new one; prints as text, and is false if there are none."""

    old: TypedGraph
    new: TypedGraph
    difference: Difference
    details: tuple[Details, Details] = (dict, dict)

    def __bool__(self) -> bool:
        return bool(self.difference)

    def __repr__(self) -> str:
        """Return the text as wide as the terminal, in ASCII if that has no other characters."""
        return printable(self.text(line_width(sys.stdout)))

    def text(self, width: int = WIDTH, color: bool = False) -> str:
        """Return the changes, their effects and the totals, with lines of at most `width` characters."""
        return text(self.difference, width, color)

    def markdown(self) -> str:
        """Return Markdown for a pull request: a table of changes; effects and picture are folded."""
        return markdown(self.difference, self._mermaid())

    def data(self) -> dict[str, Any]:
        """Return all changes as plain data, for JSON."""
        gone, come = self.difference.constraints
        old, new = self.difference.names
        return {
            "name": {"old": old, "new": new},
            **_costs(self.difference.costs),
            "constraints": {"removed": list(gone), "added": list(come)},
            "changes": [_record(change) for change in self.difference.changes],
        }

    def draw(
        self,
        path: str | PathLike[str],
        *,
        direction: Direction = "TB",
        depth: Depth | None = None,
        collapse: bool = False,
        theme: Theme | None = None,
        wrap: bool = False,
    ) -> None:
        """Draw both graphs in one picture, which marks what was added, removed and changed, and what
        only follows.

        It takes the options of `Graph.draw`. Without a `depth`, only blocks in which something
        changed are open, as far as that can be read.
        """
        scene = self.scene(
            direction=direction, depth=depth, collapse=collapse, theme=theme, wrap=wrap
        )
        write(scene, Path(path))

    def show(
        self,
        *,
        direction: Direction = "TB",
        depth: Depth | None = None,
        collapse: bool = False,
        theme: Theme | None = None,
        wrap: bool = False,
    ) -> None:
        """Show the picture that `draw` draws as an interactive page: below the cell of a notebook, else
        in the browser."""
        from mimgraph.picture.show import show

        show(
            self.scene(direction=direction, depth=depth, collapse=collapse, theme=theme, wrap=wrap)
        )

    def scene(self, **view: Unpack[View]) -> Scene:
        """Return the picture that `draw` writes with these options."""
        from mimgraph.compare.picture_folds import folded
        from mimgraph.picture.scene import Scene

        scene = Scene(self._both.diagram, **view, details=self._details)
        return scene if scene.depth is not None else folded(scene, self.difference.names[0])

    def _repr_markdown_(self) -> str:
        return self.markdown()

    @cached_property
    def _both(self) -> Joined:
        from mimgraph.picture.diagram.build import diagram

        return union(diagram(self.old), diagram(self.new), self.difference.inside)

    def _details(self) -> Mapping[str, ComparedDetail]:
        """Return the old and the new details of each item that both graphs have or only one has."""
        old, new = (dict(find()) for find in self.details)
        was = self._both.was
        found = {id_: ComparedDetail(old.get(was.get(id_, "")), now) for id_, now in new.items()}
        gone = old.keys() - was.values()
        return found | {WAS + id_: ComparedDetail(old[id_], None) for id_ in old if id_ in gone}

    def _mermaid(self) -> str:
        """Return the picture as Mermaid, which GitHub renders; "" if there is none or it is too large."""
        if not self:
            return ""
        from mimgraph.picture.formats import mermaid
        from mimgraph.picture.readable_depth import readable

        try:
            return mermaid.render(readable(self.scene()))
        except RenderError:
            return ""


def _record(change: Change) -> dict[str, Any]:
    return {
        "status": change.status,
        "kind": change.kind,
        "name": change.shown_name,
        "op": change.op,
        "was": change.was,
        "edits": [_edit(edit) for edit in change.edits],
        "effects": [_edit(edit) for edit in change.effects],
        **_costs(change.costs),
        "times": change.times,
    }


def _costs(costs: tuple[Cost, Cost]) -> dict[str, Any]:
    """Return counts for one sample, as text if they depend on named sizes; `uncounted` names layers
    whose multiply-accumulates are not known and not counted."""
    old, new = costs
    unknown = sorted(old.uncounted | new.uncounted)
    return {
        "params": {"old": old.params, "new": new.params},
        "frozen": {"old": old.frozen, "new": new.frozen},
        "macs": {"old": old.macs.at(SAMPLE).value, "new": new.macs.at(SAMPLE).value},
        **({"uncounted": unknown} if unknown else {}),
    }


def _edit(edit: Edit) -> dict[str, Any]:
    return {"what": edit.what, "old": _json(edit.old), "new": _json(edit.new)}


def _json(value: Any) -> Any:
    """Return a value as JSON can hold it: a size known only at run time as text."""
    if isinstance(value, list | tuple):
        return list(map(_json, value))
    if isinstance(value, dict):
        return {key: _json(inner) for key, inner in value.items()}
    if value is None or isinstance(value, bool | str):
        return value
    return value if isinstance(value, int | float) else str(value)
