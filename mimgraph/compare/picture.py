"""Join two diagrams in one that marks what was added, removed and changed."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from mimgraph.compare.edit_text import edit_words
from mimgraph.compare.model import BodyChanges, Change, dotted
from mimgraph.compare.picture_words import both_shapes, caused_by_sizes, edited, old_to_new
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, Item, Mark, every

REPLACED = ("op", "body")  # edits that replace all that is inside a node
WAS = "was "  # prefix of removed ids, as new items may have the same


class Joined(NamedTuple):
    """The diagram of two graphs, and the old ids of the items that both graphs have, by their ids."""

    diagram: Diagram
    was: Mapping[str, str]


def union(old: Diagram, new: Diagram, inside: BodyChanges) -> Joined:
    """Return the new diagram with the removed items in their old places."""
    renamed = dict(inside.names())
    for change in inside.changes:
        if change.kind == "output" and change.was:
            renamed[f"output {change.was}"] = f"output {change.name}"
    nodes = (c for c in inside.everywhere() if c.kind in ("input", "node"))
    gone = {change.name for change in nodes if change.status == "removed"}
    joining = _Joining(renamed, gone, _changes(new, inside))
    items = joining.items(old.items, new.items)
    edges = joining.edges(old.edges, new.edges)
    fed_anew = {edge.head for edge in edges if edge.mark}
    items = tuple(_with_sources(item, fed_anew, joining.changes) for item in items)
    name = old_to_new(old.name, new.name)
    return Joined(Diagram(name, new.doc, items, edges), joining.was)


def _changes(new: Diagram, inside: BodyChanges) -> dict[str, Change]:
    """Return the changes to mark, by the id of the item that shows them."""
    finder = _ItemFinder(new.items)
    found: dict[str, Change] = {}
    around: dict[str, Change] = {}
    for change in inside.everywhere():
        change = caused_by_sizes(change, around)
        around.setdefault(change.name, change)
        is_in_both = change.status in ("changed", "follows")
        if is_in_both and change.kind in ("input", "node", "output"):
            is_output = change.kind == "output" and "." not in change.name
            id_ = f"output {change.name}" if is_output else finder.id_of(change.name)
            known = found.get(id_)
            if known is None or (known.status, change.status) == ("follows", "changed"):
                found[id_] = change
    return found


class _ItemFinder:
    """Finds the item that shows a dotted name: its own, that of an equal repeat or branch, or the one around it."""

    def __init__(self, items: tuple[Item, ...]) -> None:
        self.ids = {item.id for item in every(items)}
        self.starts = {id_[:end] for id_ in self.ids for end in _ends(id_)}
        self.numbers: dict[str, list[int]] = {}
        for start in self.starts:
            outer, _, key = start.rpartition(".")
            if key.isdigit():
                self.numbers.setdefault(outer, []).append(int(key))
        # a start that is no id of an item is the first branch of an `each`, or of equal repeats
        self.first_branch = {start.rpartition(".")[0]: start for start in self.starts - self.ids}
        for numbers in self.numbers.values():
            numbers.sort()

    def id_of(self, name: str) -> str:
        """Return the id of the item that shows a name, "" if none does."""
        found = ""
        for key in name.split("."):
            inner = dotted(found, key)
            if inner not in self.starts and key.isdigit() and found in self.numbers:
                numbers = self.numbers[found]
                inner = dotted(found, str(numbers[bisect(numbers, int(key)) - 1]))
            inner = inner if inner in self.starts else self.first_branch.get(found, inner)
            if inner not in self.starts:
                break
            found = inner
        while found and found not in self.ids:
            found = found.rpartition(".")[0]
        return found


def _ends(id_: str) -> Iterator[int]:
    """Yield the positions where dotted prefixes of an id end, including the whole id."""
    yield from (at for at, character in enumerate(id_) if character == ".")
    yield len(id_)


class _Joining:
    """Joins the items and edges of two diagrams.

    `renamed` has the new id of each old one that changed, `gone` the removed ids, `changes` what to
    mark by id. `enters` and `leaves` are the boxes where edges into and out of an old item end now;
    `was` gets the old id of each item that is in both.
    """

    def __init__(
        self, renamed: Mapping[str, str], gone: set[str], changes: Mapping[str, Change]
    ) -> None:
        self.renamed, self.gone, self.changes = renamed, gone, changes
        self.enters: dict[str, str] = {}
        self.leaves: dict[str, str] = {}
        self.was: dict[str, str] = {}

    def items(self, old: tuple[Item, ...], new: tuple[Item, ...]) -> tuple[Item, ...]:
        """Return the new items, each followed by the removed ones that stood after it."""
        by_key = {_key(item.id): item for item in new}
        matched: dict[str, Item] = {}
        gone: dict[str, list[Item]] = {}
        last = ""
        for item in old:
            key = _key(self.renamed.get(item.id, item.id))
            if key in by_key and item.id not in self.gone:
                last = key
                if not self.is_replaced(item, by_key[key]):
                    matched[key] = item
                    continue
            gone.setdefault(last, []).append(self.removed(item))
        found = gone.get("", [])
        for key, item in by_key.items():
            found.append(self.both(matched[key], item) if key in matched else _added(item))
            found += gone.get(key, [])
        return tuple(found)

    def is_replaced(self, old: Item, new: Item) -> bool:
        """Return whether a cluster became something else, so that both are shown."""
        change = self.changes.get(new.id)
        edits = () if change is None else change.edits
        holds = isinstance(old, Cluster) or isinstance(new, Cluster)
        return holds and any(edit.what in REPLACED for edit in edits)

    def removed(self, item: Item) -> Item:
        """Return an old item and all inside it, marked as removed."""
        id_ = WAS + item.id
        if isinstance(item, Cluster):
            inner = tuple(map(self.removed, item.items))
            return replace(item, id=id_, items=inner, mark="removed")
        self.ends(item, id_, id_)
        return replace(item, id=id_, shares="", mark="removed")

    def ends(self, old: Item, enters: str, leaves: str) -> None:
        """Set the boxes where edges of an old item, and of all inside it, end now."""
        for item in every((old,)):
            self.enters[item.id], self.leaves[item.id] = enters, leaves

    def both(self, old: Item, new: Item) -> Item:
        """Return the new one of an item in both diagrams, with what changed: `8 → 16`."""
        self.was[new.id] = old.id
        inner = [item.id for item in every((new,)) if isinstance(item, Box)]
        if isinstance(old, Box) or isinstance(new, Box):
            self.ends(old, inner[0], inner[-1])
        else:
            new = replace(new, items=self.items(old.items, new.items))
        change = self.changes.get(new.id)
        if change is not None:
            new = edited(old, new, change)
        if len(old.shapes) == len(new.shapes):
            new = replace(new, shapes=tuple(map(both_shapes, old.shapes, new.shapes)))
        if not new.mark and old.shapes != new.shapes:
            new = replace(new, mark="follows")
        return new

    def edges(self, old: tuple[Edge, ...], new: tuple[Edge, ...]) -> tuple[Edge, ...]:
        """Return the new edges, then the removed ones."""
        moved = (e._replace(tail=self.leaves[e.tail], head=self.enters[e.head]) for e in old)
        left = Counter(edge for edge in moved if edge.tail != edge.head)
        found = []
        for edge in new:
            mark: Mark = "" if left[edge] else "added"
            left[edge] -= 1
            found.append(edge._replace(mark=mark))
        return (*found, *(edge._replace(mark="removed") for edge in (+left).elements()))


def _with_sources(item: Item, fed_anew: set[str], changes: Mapping[str, Change]) -> Item:
    """Return an item; it names the sources that changed if no marked edge shows that: these lead to the
    boxes `fed_anew`."""
    change = changes.get(item.id)
    if isinstance(item, Cluster):
        inner = tuple(_with_sources(one, fed_anew, changes) for one in item.items)
        item = replace(item, items=inner)
    if change is None or not fed_anew.isdisjoint(one.id for one in every((item,))):
        return item
    words = (edit_words(edit) for edit in change.edits if edit.what == "from")
    return replace(item, edits=(*item.edits, *words))


def _key(id_: str) -> str:
    """Return the last part of an id; `output y` stays whole, as a node may be called y."""
    return id_ if " " in id_ else id_.rpartition(".")[2]


def _added(item: Item) -> Item:
    """Return an item and all inside it, marked as added."""
    if isinstance(item, Cluster):
        item = replace(item, items=tuple(map(_added, item.items)))
    return replace(item, mark="added")
