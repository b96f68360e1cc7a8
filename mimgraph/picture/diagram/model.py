"""What a picture shows: boxes, clusters and edges, as data that knows no graph and no renderer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

Mark: TypeAlias = Literal["", "added", "removed", "changed"]  # what a comparison says


@dataclass(frozen=True, slots=True)
class Box:
    """An input, layer, merge, tensor or output. `id` is its dotted name, of an output `output ` and
    its name.

    `shapes` has a line for each result that is used; `shares` is the id of what it shares. An
    input that may be left out is `optional`, an output that only training has too. Folding makes
    boxes of other kinds: a `seq`, `block` or `repeat` that is closed, a `chain` of layers in a row.
    """

    id: str
    kind: str
    title: str
    subtitle: str = ""
    shapes: tuple[str, ...] = ()
    tooltip: str = ""
    shares: str = ""
    optional: bool = False
    mark: Mark = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Boxes that are one module: a `seq`, a `block`, or a `repeat` of blocks that differ inside."""

    id: str
    kind: str
    title: str
    subtitle: str
    items: tuple[Item, ...]
    tooltip: str = ""
    shapes: tuple[str, ...] = ()
    mark: Mark = ""


Item: TypeAlias = Box | Cluster


class Edge(NamedTuple):
    """A tensor's way from one box to another: the port that it leaves by, the argument it fills."""

    tail: str
    head: str
    port: str = ""
    argument: str = ""
    mark: Mark = ""

    @property
    def label(self) -> str:
        """`last as query`, or either."""
        return " as ".join(filter(None, (self.port, self.argument)))


@dataclass(frozen=True, slots=True)
class Diagram:
    """A picture: its items in the order they run, inputs first, and the edges among them."""

    name: str
    doc: str
    items: tuple[Item, ...]
    edges: tuple[Edge, ...]


def clusters(items: tuple[Item, ...]) -> Iterator[Cluster]:
    """Every cluster, the outer before the inner."""
    for item in items:
        if isinstance(item, Cluster):
            yield item
            yield from clusters(item.items)


def boxes(items: tuple[Item, ...]) -> Iterator[Box]:
    """Every box, those in clusters too."""
    for item in items:
        if isinstance(item, Box):
            yield item
        else:
            yield from boxes(item.items)


def every(items: tuple[Item, ...]) -> Iterator[Item]:
    """All boxes and clusters, each cluster before what is in it."""
    for item in items:
        yield item
        if isinstance(item, Cluster):
            yield from every(item.items)
