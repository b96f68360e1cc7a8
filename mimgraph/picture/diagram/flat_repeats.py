"""Items that come again and again in a row, wired alike, drawn once: a repeat that no block names."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import NamedTuple

from mimgraph.picture.diagram.block_repeats import merged, span
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, Item, boxes

LONGEST = 32  # items of a pattern
FEWEST = 3  # times that it comes
SAVED = 4  # boxes fewer, or it is not worth it
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def once(diagram: Diagram) -> Diagram:
    """The diagram with each pattern as a cluster of the kind `repeat`, in which it stands once."""
    search = _Search(diagram)
    items = tuple(search.level(diagram.items))
    edges = (
        edge._replace(tail=search.drawn_as(edge.tail))
        for edge in diagram.edges
        if edge.head not in search.stands
    )
    return replace(diagram, items=items, edges=tuple(edges))


class _Place(NamedTuple):
    """Where a box stands: in which of the items of a level, and as which of the boxes there."""

    item: int
    inner: int


class _Search:
    def __init__(self, diagram: Diagram) -> None:
        every = list(boxes(diagram.items))
        self.shared = {box.shares for box in every}
        self.reads: dict[str, list[Edge]] = {box.id: [] for box in every}
        self.readers: dict[str, list[str]] = {box.id: [] for box in every}
        for edge in diagram.edges:
            self.reads[edge.head].append(edge)
            self.readers[edge.tail].append(edge.head)
        self.stands: dict[str, str] = {}  # of boxes that are not drawn, those that stand for them

    def level(self, items: tuple[Item, ...]) -> Iterator[Item]:
        """The items beside each other, and what is in them."""
        row, at = _Row(items, self), 0
        while at < len(items):
            size, times = row.pattern(at)
            end = at + size * times
            yield self.drawn([items[i : i + size] for i in range(at, end, size)])
            at = end

    def drawn(self, parts: list[tuple[Item, ...]]) -> Item:
        """The first of what is alike, its words saying how the others differ."""
        first, *others = parts
        if not others:
            (item,) = first
            return self.opened(item)
        for other in others:
            pairs = zip(boxes(first), boxes(other), strict=True)
            self.stands |= {again.id: one.id for one, again in pairs}
        inner = []
        for alike in zip(*parts, strict=True):
            title = span([item.title for item in alike])
            inner.append(self.opened(replace(merged(alike), title=title)))
        if len(inner) == 1:
            (item,) = inner
            text = f"{item.subtitle} × {len(parts)}".lstrip()
            kind = item.kind if isinstance(item, Box) else "repeat"
            return replace(item, kind=kind, subtitle=text)
        id_, shapes = f"{first[0].id} to {others[-1][-1].id}", inner[-1].shapes
        text = f"{len(inner)} nodes × {len(parts)}"
        return Cluster(id_, "repeat", "", text, tuple(inner), shapes=shapes)

    def drawn_as(self, id_: str) -> str:
        """The box that stands for one: patterns may hold patterns."""
        while id_ in self.stands:
            id_ = self.stands[id_]
        return id_

    def opened(self, item: Item) -> Item:
        return item if isinstance(item, Box) else replace(item, items=tuple(self.level(item.items)))

    def look(self, item: Item) -> Hashable:
        """What items that are alike have in common: all but numbers and names."""
        own = item.kind, _NUMBER.sub("0", item.subtitle), len(item.shapes), bool(item.title)
        if item.mark or item.id in self.shared or item.kind in ("input", "output"):
            return item.id
        if isinstance(item, Box):
            return item.id if item.shares else own
        return own, tuple(map(self.look, item.items))


class _Row:
    """Items beside each other, among which patterns are looked for."""

    def __init__(self, items: tuple[Item, ...], search: _Search) -> None:
        self.items, self.search = items, search
        self.looks = [search.look(item) for item in items]
        self.held = [[box.id for box in boxes((item,))] for item in items]
        self.places = {
            id_: _Place(number, inner)
            for number, ids in enumerate(self.held)
            for inner, id_ in enumerate(ids)
        }

    def pattern(self, at: int) -> tuple[int, int]:
        """How many items from there come how many times: one once, if there is no pattern."""
        best, most = (1, 1), SAVED - 1
        for size in range(1, min(LONGEST, (len(self.items) - at) // FEWEST) + 1):
            times = self.times(at, size)
            saved = (times - 1) * sum(map(len, self.held[at : at + size]))
            if times >= FEWEST and saved > most:
                best, most = (size, times), saved
        return best

    def times(self, at: int, size: int) -> int:
        """How often a pattern comes; of each but the last, only the next one may read."""
        number = 1
        while self.alike(at, size, number) and self.is_inner(at + (number - 1) * size, size):
            number += 1
        return number

    def alike(self, at: int, size: int, number: int) -> bool:
        """Whether a pattern comes for that time as it did the time before."""
        other = at + number * size
        one = other - size
        if self.looks[one:other] != self.looks[other : other + size]:
            return False
        carried: dict[str, str] = {}
        for a, b in zip(self.held[one:other], self.held[other : other + size], strict=True):
            for here, there in zip(a, b, strict=True):
                reads = self.search.reads[here], self.search.reads[there]
                if len(reads[0]) != len(reads[1]):
                    return False
                for edge, again in zip(*reads, strict=True):
                    same = edge._replace(tail=again.tail, head=again.head) == again
                    if not (same and self.is_moved(edge.tail, again.tail, one, size, carried)):
                        return False
        return number == 1 or all(self.is_step(*pair, size) for pair in carried.items())

    def is_moved(self, tail: str, again: str, one: int, size: int, carried: dict[str, str]) -> bool:
        """Whether a box is read again as it was: inside, from outside, or carried from before."""
        place = self.places.get(again)
        if place is None or place.item < one:
            return tail == again
        if place.item >= one + size:
            return self.is_step(again, tail, size)
        before = self.places.get(tail)
        if before is not None and before.item >= one:
            return False
        return carried.setdefault(again, tail) == tail

    def is_step(self, later: str, earlier: str, size: int) -> bool:
        """Whether two boxes stand a pattern apart."""
        a, b = self.places[later], self.places.get(earlier)
        return b is not None and a == _Place(b.item + size, b.inner)

    def is_inner(self, start: int, size: int) -> bool:
        """Whether what comes there is read there and the next time alone."""
        for ids in self.held[start : start + size]:
            for reader in (reader for id_ in ids for reader in self.search.readers[id_]):
                place = self.places.get(reader)
                if place is None or not start <= place.item < start + 2 * size:
                    return False
        return True
