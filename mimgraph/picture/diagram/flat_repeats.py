"""Find items that repeat in a row, wired alike each time, and draw them once: repeats without a block."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import NamedTuple

from mimgraph.picture.diagram.block_repeats import merged, span
from mimgraph.picture.diagram.chain_text import times_text
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, Item, boxes

LONGEST = 32  # items of a pattern
FEWEST = 3  # repeats of a pattern
# boxes that drawing a pattern once must save at least; equal blocks in a row are always one
SAVED = 4
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def fold_repeats(diagram: Diagram) -> Diagram:
    """Return the diagram with each repeating pattern as one cluster of the kind `repeat`."""
    search = _Search(diagram)
    items = tuple(search.level(diagram.items))
    edges = (
        edge._replace(tail=search.drawn_as(edge.tail))
        for edge in diagram.edges
        if edge.head not in search.stand_in
    )
    return replace(diagram, items=items, edges=tuple(edges))


class _Place(NamedTuple):
    """The position of a box: the number of its item on a level, and its number among that item's boxes."""

    item: int
    inner: int


class _Search:
    """Replaces patterns by their first repeat on every level of a diagram."""

    def __init__(self, diagram: Diagram) -> None:
        every = list(boxes(diagram.items))
        self.shared = {box.shares for box in every}
        self.reads: dict[str, list[Edge]] = {box.id: [] for box in every}
        self.readers: dict[str, list[str]] = {box.id: [] for box in every}
        for edge in diagram.edges:
            self.reads[edge.head].append(edge)
            self.readers[edge.tail].append(edge.head)
        self.stand_in: dict[str, str] = {}  # for each box left out, the equal one that is drawn

    def level(self, items: tuple[Item, ...]) -> Iterator[Item]:
        """Yield the items of one level, patterns as one item, and the same inside clusters."""
        level, at = _Level(items, self), 0
        while at < len(items):
            size, times = level.pattern(at)
            end = at + size * times
            yield self.drawn([items[i : i + size] for i in range(at, end, size)])
            at = end

    def drawn(self, repeats: list[tuple[Item, ...]]) -> Item:
        """Return one item for all repeats of a pattern, with texts that span their differences."""
        first, *others = repeats
        if not others:
            (item,) = first
            return self.with_inner(item)
        for other in others:
            pairs = zip(boxes(first), boxes(other), strict=True)
            self.stand_in |= {again.id: one.id for one, again in pairs}
        inner = []
        for alike in zip(*repeats, strict=True):
            title = span([item.title for item in alike])
            inner.append(self.with_inner(replace(merged(alike), title=title)))
        if len(inner) == 1:
            (item,) = inner
            text = times_text(item.subtitle, len(repeats)).lstrip()
            kind = item.kind if isinstance(item, Box) else "repeat"
            return replace(item, kind=kind, subtitle=text)
        id_, shapes = f"{first[0].id} to {others[-1][-1].id}", inner[-1].shapes
        text = f"{len(inner)} nodes × {len(repeats)}"
        return Cluster(id_, "repeat", "", text, tuple(inner), shapes=shapes)

    def drawn_as(self, id_: str) -> str:
        """Return the id of the box that is drawn for a box; patterns may be nested."""
        while id_ in self.stand_in:
            id_ = self.stand_in[id_]
        return id_

    def with_inner(self, item: Item) -> Item:
        """Return an item; a cluster with the patterns inside it drawn once."""
        return item if isinstance(item, Box) else replace(item, items=tuple(self.level(item.items)))

    def key(self, item: Item) -> Hashable:
        """Return a key that is equal for items that differ only in numbers and names."""
        own = item.kind, _NUMBER.sub("0", item.subtitle), len(item.shapes), bool(item.title)
        if item.mark or item.id in self.shared or item.kind in ("input", "output"):
            return item.id
        if isinstance(item, Box):
            return item.id if item.shares else own
        return own, tuple(map(self.key, item.items))


class _Level:
    """The items of one cluster or of the whole diagram, searched for patterns.

    A repeat matches the one before it if both read alike: the same boxes outside, or boxes at the same
    place inside the repeat or in the repeat before it. A repeat may be read only by itself and the next
    one; only the last may be read by others.
    """

    def __init__(self, items: tuple[Item, ...], search: _Search) -> None:
        self.items, self.search = items, search
        self.keys = [search.key(item) for item in items]
        self.held = [[box.id for box in boxes((item,))] for item in items]
        self.places = {
            id_: _Place(number, inner)
            for number, ids in enumerate(self.held)
            for inner, id_ in enumerate(ids)
        }

    def pattern(self, at: int) -> tuple[int, int]:
        """Return how many items the best pattern from there has, and how often it repeats; (1, 1) if
        there is none."""
        best, most = (1, 1), 0
        for size in range(1, min(LONGEST, (len(self.items) - at) // 2) + 1):
            times = self.times(at, size)
            saved = (times - 1) * sum(map(len, self.held[at : at + size]))
            is_enough = times >= FEWEST and saved >= SAVED
            if saved > most and (is_enough or (size == 1 and self.is_one_block(at, times))):
                best, most = (size, times), saved
        return best

    def is_one_block(self, at: int, times: int) -> bool:
        """Return whether so many items from there use one block, alike even in their numbers."""
        first, *others = self.items[at : at + times]
        alike = first.subtitle, first.shapes
        return first.kind == "block" and all((o.subtitle, o.shapes) == alike for o in others)

    def times(self, at: int, size: int) -> int:
        """Return how often the items from there repeat in a row."""
        number = 1
        while self.repeats(at, size, number) and self.is_private(at + (number - 1) * size, size):
            number += 1
        return number

    def repeats(self, at: int, size: int, number: int) -> bool:
        """Return whether repeat `number` of a pattern matches the repeat before it."""
        other = at + number * size
        one = other - size
        if self.keys[one:other] != self.keys[other : other + size]:
            return False
        carried: dict[str, str] = {}
        for a, b in zip(self.held[one:other], self.held[other : other + size], strict=True):
            for here, there in zip(a, b, strict=True):
                reads = self.search.reads[here], self.search.reads[there]
                if len(reads[0]) != len(reads[1]):
                    return False
                for edge, again in zip(*reads, strict=True):
                    same = edge._replace(tail=again.tail, head=again.head) == again
                    if not (same and self.reads_alike(edge.tail, again.tail, one, size, carried)):
                        return False
        return number == 1 or all(self.is_next(*pair, size) for pair in carried.items())

    def reads_alike(
        self, tail: str, again: str, one: int, size: int, carried: dict[str, str]
    ) -> bool:
        """Return whether the later repeat reads `again` just as the repeat from item `one` reads `tail`.

        Boxes of the earlier repeat that the later one reads are collected in `carried`.
        """
        place = self.places.get(again)
        if place is None or place.item < one:
            return tail == again
        if place.item >= one + size:
            return self.is_next(again, tail, size)
        before = self.places.get(tail)
        if before is not None and before.item >= one:
            return False
        return carried.setdefault(again, tail) == tail

    def is_next(self, later: str, earlier: str, size: int) -> bool:
        """Return whether two boxes are at the same place of two repeats in a row."""
        a, b = self.places[later], self.places.get(earlier)
        return b is not None and a == _Place(b.item + size, b.inner)

    def is_private(self, start: int, size: int) -> bool:
        """Return whether the boxes of the repeat at `start` are read only by itself and the next repeat."""
        for ids in self.held[start : start + size]:
            for reader in (reader for id_ in ids for reader in self.search.readers[id_]):
                place = self.places.get(reader)
                if place is None or not start <= place.item < start + 2 * size:
                    return False
        return True
