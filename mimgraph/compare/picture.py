"""Two diagrams as one: what only one of them has is marked, and so is what was edited."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from mimgraph.compare.edit_text import edit_words
from mimgraph.compare.model import Change, Edit, Inside, dotted
from mimgraph.ops import registry
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, Item, Mark, every

DRAWN = ("from", "shape", "share")  # edits that edges and shapes show
OTHER = ("op", "body")  # edits after which nothing inside is what it was
WAS = "was "  # before the ids of what is removed, which others may have now


def union(old: Diagram, new: Diagram, inside: Inside) -> Diagram:
    """The new diagram, with what is removed where it stood."""
    renamed = dict(inside.names())
    for change in inside.changes:
        if change.kind == "output" and change.was:
            renamed[f"output {change.was}"] = f"output {change.name}"
    nodes = (c for c in inside.everywhere() if c.kind in ("input", "node"))
    gone = {change.name for change in nodes if change.status == "removed"}
    joining = _Joining(renamed, gone, _changes(new, inside))
    items = joining.items(old.items, new.items)
    return Diagram(new.name, new.doc, items, joining.edges(old.edges, new.edges))


def _changes(new: Diagram, inside: Inside) -> dict[str, Change]:
    """What an author edited, or a param decides, by the id of what is drawn of it."""
    drawn = _Drawn(new.items)
    found: dict[str, Change] = {}
    for change in inside.everywhere():
        is_drawn = change.status == "changed" or (change.status == "follows" and _told(change))
        if is_drawn and change.kind in ("input", "node", "output"):
            is_output = change.kind == "output" and "." not in change.name
            id_ = f"output {change.name}" if is_output else drawn.id_of(change.name)
            found.setdefault(id_, change)
    return found


class _Drawn:
    """Finds what is drawn for a name: itself, the repeat that stands for it, or what it is in."""

    def __init__(self, items: tuple[Item, ...]) -> None:
        self.ids = {item.id for item in every(items)}
        self.starts = {id_[:end] for id_ in self.ids for end in _ends(id_)}
        self.numbers: dict[str, list[int]] = {}
        for start in self.starts:
            outer, _, key = start.rpartition(".")
            if key.isdigit():
                self.numbers.setdefault(outer, []).append(int(key))
        for numbers in self.numbers.values():
            numbers.sort()

    def id_of(self, name: str) -> str:
        found = ""
        for key in name.split("."):
            inner = dotted(found, key)
            if inner not in self.starts and key.isdigit() and found in self.numbers:
                numbers = self.numbers[found]
                inner = dotted(found, str(numbers[bisect(numbers, int(key)) - 1]))
            if inner not in self.starts:
                break
            found = inner
        while found and found not in self.ids:
            found = found.rpartition(".")[0]
        return found


def _ends(id_: str) -> Iterator[int]:
    """Where the dotted prefixes of an id end, the whole among them."""
    yield from (at for at, character in enumerate(id_) if character == ".")
    yield len(id_)


class _Joining:
    """Joins items; `renamed` are old ids and what they are now, `gone` those whose names another
    may have now, `changes` what was edited by id.

    `enters` and `leaves` are the boxes to which the edges of old ones go now.
    """

    def __init__(
        self, renamed: Mapping[str, str], gone: set[str], changes: Mapping[str, Change]
    ) -> None:
        self.renamed, self.gone, self.changes = renamed, gone, changes
        self.enters: dict[str, str] = {}
        self.leaves: dict[str, str] = {}

    def items(self, old: tuple[Item, ...], new: tuple[Item, ...]) -> tuple[Item, ...]:
        """The new items, each with what stood after it and is gone."""
        by_key = {_key(item.id): item for item in new}
        matched: dict[str, Item] = {}
        gone: dict[str, list[Item]] = {}
        last = ""
        for item in old:
            key = _key(self.renamed.get(item.id, item.id))
            if key in by_key and item.id not in self.gone:
                last = key
                if not self.is_other(item, by_key[key]):
                    matched[key] = item
                    continue
            gone.setdefault(last, []).append(self.removed(item))
        found = gone.get("", [])
        for key, item in by_key.items():
            found.append(self.both(matched[key], item) if key in matched else _added(item))
            found += gone.get(key, [])
        return tuple(found)

    def is_other(self, old: Item, new: Item) -> bool:
        """Whether one holds what the other cannot, as it does something else."""
        change = self.changes.get(new.id)
        edits = () if change is None else change.edits
        holds = isinstance(old, Cluster) or isinstance(new, Cluster)
        return holds and any(edit.what in OTHER for edit in edits)

    def removed(self, item: Item) -> Item:
        """An old item that is gone, and all in it."""
        id_ = WAS + item.id
        if isinstance(item, Cluster):
            inner = tuple(map(self.removed, item.items))
            return replace(item, id=id_, items=inner, mark="removed")
        self.ends(item, id_, id_)
        return replace(item, id=id_, shares="", mark="removed")

    def ends(self, old: Item, enters: str, leaves: str) -> None:
        """Where the edges of an old item, and of all in it, go now."""
        for item in every((old,)):
            self.enters[item.id], self.leaves[item.id] = enters, leaves

    def both(self, old: Item, new: Item) -> Item:
        """An item that both have: the new one, with what it was."""
        inner = [item.id for item in every((new,)) if isinstance(item, Box)]
        if isinstance(old, Box) or isinstance(new, Box):
            self.ends(old, inner[0], inner[-1])
        else:
            new = replace(new, items=self.items(old.items, new.items))
        if len(old.shapes) == len(new.shapes):
            new = replace(new, shapes=tuple(map(_both, old.shapes, new.shapes)))
        change = self.changes.get(new.id)
        if change is None:
            return new
        title = _both(old.title, new.title) if change.was else new.title
        return replace(new, title=title, subtitle=_edited(change) or new.subtitle, mark="changed")

    def edges(self, old: tuple[Edge, ...], new: tuple[Edge, ...]) -> tuple[Edge, ...]:
        """The new edges, then the old ones that are gone."""
        moved = (e._replace(tail=self.leaves[e.tail], head=self.enters[e.head]) for e in old)
        left = Counter(edge for edge in moved if edge.tail != edge.head)
        found = []
        for edge in new:
            mark: Mark = "" if left[edge] else "added"
            left[edge] -= 1
            found.append(edge._replace(mark=mark))
        return (*found, *(edge._replace(mark="removed") for edge in (+left).elements()))


def _key(id_: str) -> str:
    """What an item is called among its siblings; an output is no node."""
    return id_ if " " in id_ else id_.rpartition(".")[2]


def _added(item: Item) -> Item:
    if isinstance(item, Cluster):
        item = replace(item, items=tuple(map(_added, item.items)))
    return replace(item, mark="added")


def _edited(change: Change) -> str:
    """`Linear out_features 32 → 64`, `ReLU → GELU`; nothing where the picture tells it all."""
    told = _told(change)
    words = ", ".join(map(edit_words, told))
    if not told or told[0].what == "op":
        return words.removeprefix("op ")
    return f"{change.op} {words}"


def _told(change: Change) -> list[Edit]:
    """The edits, and the options that follow from those of params; what the sizes decide is none."""
    op = registry.find("layer", change.op)
    left_out = {"key", *(op.inferred if op is not None else ())}
    effects = [e for e in change.effects if not (e.is_of_type or e.what in left_out)]
    return [*(edit for edit in change.edits if edit.what not in DRAWN), *effects]


def _both(old: str, new: str) -> str:
    return new if old == new else f"{old} → {new}"
