"""The review of a change: the difference of two graphs as text, Markdown, plain data and a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

from mimgraph.compare.markdown import markdown
from mimgraph.compare.model import Change, Difference, Edit
from mimgraph.compare.picture import WAS, union
from mimgraph.compare.text import SAMPLE, text
from mimgraph.cost.cost import Cost
from mimgraph.ir.typed import TypedGraph
from mimgraph.picture import RenderError, write
from mimgraph.picture.details.model import Detail
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.fold import close_unmarked
from mimgraph.picture.formats import mermaid
from mimgraph.picture.scene import Scene
from mimgraph.support.terminal import printable

Details: TypeAlias = Callable[[], Mapping[str, Detail]]  # by the id of what is drawn


@dataclass(frozen=True, repr=False)
class Review:
    """What changed from an old graph to a new one; it prints as text, and is false if nothing did."""

    old: TypedGraph
    new: TypedGraph
    difference: Difference
    details: tuple[Details, Details] = (dict, dict)

    def __bool__(self) -> bool:
        return bool(self.difference)

    def __repr__(self) -> str:
        """The text, in ASCII where standard output shows no more."""
        return printable(self.text())

    def text(self, color: bool = False) -> str:
        """The changes a line each, then what follows from them."""
        return text(self.difference, color)

    def markdown(self) -> str:
        """For a pull request: a table, with what follows and a picture to unfold."""
        return markdown(self.difference, self._mermaid())

    def data(self) -> dict[str, Any]:
        """All changes as plain data."""
        gone, come = self.difference.constraints
        old, new = self.difference.names
        return {
            "name": {"old": old, "new": new},
            **_costs(self.difference.costs),
            "constraints": {"removed": list(gone), "added": list(come)},
            "changes": [_record(change) for change in self.difference.changes],
        }

    def draw(self, path: str | PathLike[str], **how: Any) -> None:
        """Draw both graphs as one, with marks on what is added, removed and changed; what holds
        nothing of that is closed. `how` is said as to `Graph.draw`."""
        write(self._scene(**how), Path(path))

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _scene(self, **how: Any) -> Scene:
        both = union(diagram(self.old), diagram(self.new), self.difference.inside)
        return Scene(close_unmarked(both), details=self._details, **how)

    def _details(self) -> Mapping[str, Detail]:
        """Those of the new graph, and of what is removed from the old."""
        old, new = (find() for find in self.details)
        return {**{WAS + id_: detail for id_, detail in old.items()}, **new}

    def _mermaid(self) -> str:
        """The picture as text, where GitHub shows that."""
        if not self:
            return ""
        try:
            return mermaid.render(self._scene())
        except RenderError:  # it is too large
            return ""


def _record(change: Change) -> dict[str, Any]:
    return {
        "status": change.status,
        "kind": change.kind,
        "name": change.shown_name,
        "op": change.op,
        "was": change.was,
        "edits": [_plain_edit(edit) for edit in change.edits],
        "effects": [_plain_edit(edit) for edit in change.effects],
        **_costs(change.costs),
        "times": change.times,
    }


def _costs(costs: tuple[Cost, Cost]) -> dict[str, Any]:
    """Counts of a sample, a text where they depend on sizes; the multiplications are without those
    of layers in `uncounted`."""
    old, new = costs
    unknown = sorted(old.uncounted | new.uncounted)
    return {
        "params": {"old": old.params, "new": new.params},
        "frozen": {"old": old.frozen, "new": new.frozen},
        "macs": {"old": old.macs.at(SAMPLE).value, "new": new.macs.at(SAMPLE).value},
        **({"uncounted": unknown} if unknown else {}),
    }


def _plain_edit(edit: Edit) -> dict[str, Any]:
    return {"what": edit.what, "old": _plain(edit.old), "new": _plain(edit.new)}


def _plain(value: Any) -> Any:
    """A value as JSON has it; a size known only at run time as its text."""
    if isinstance(value, list | tuple):
        return list(map(_plain, value))
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if value is None or isinstance(value, bool | str):
        return value
    return value if isinstance(value, int | float) else str(value)
