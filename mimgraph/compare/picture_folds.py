"""Fold the picture of a comparison to what changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mimgraph.compare.picture import WAS
from mimgraph.picture.diagram.chains import with_chains
from mimgraph.picture.diagram.model import Cluster, Diagram, Item, every
from mimgraph.picture.readable_depth import fits
from mimgraph.picture.scene import Scene


def folded(scene: Scene, old_name: str) -> Scene:
    """Return the scene of a comparison with those blocks closed in which nothing changed.

    If it is large even with all blocks closed, layers in a row that were all added, removed or not
    changed are one box, too; and of two graphs with little in common the old one is one box.
    """
    found = replace(scene, closed=frozenset(_without_changes(scene.whole.items)))
    if fits(replace(found, depth=0)):
        return found
    whole, chains = with_chains(_with_old_as_one(scene.whole, old_name))
    closed = frozenset((*chains, *_without_changes(whole.items)))
    return replace(scene, whole=whole, closed=closed)


def _without_changes(items: tuple[Item, ...]) -> Iterator[str]:
    """Yield the ids of removed clusters, and of those in which an author changed nothing."""
    for item in items:
        if isinstance(item, Cluster):
            inner = {one.mark for one in every(item.items)}
            if item.mark == "removed" or inner <= {"", "follows"}:
                yield item.id
            else:
                yield from _without_changes(item.items)


def _with_old_as_one(diagram: Diagram, old_name: str) -> Diagram:
    """Return a comparison with all removed items in one cluster if more was removed than is still
    there; else the comparison itself."""
    gone = [item for item in diagram.items if item.mark == "removed"]
    kept = [item for item in diagram.items if item.mark not in ("added", "removed")]
    if len(gone) <= max(1, len(kept)):
        return diagram
    # no node has a name of two words
    id_, text = f"{WAS}graph {old_name}", f"{len(gone)} inputs, nodes and outputs"
    cluster = Cluster(id_, "block", old_name, text, tuple(gone), mark="removed")
    left = [item for item in diagram.items if item.mark != "removed"]
    return replace(diagram, items=(cluster, *left))
