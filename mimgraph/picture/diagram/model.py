"""The diagram that a picture shows: boxes, clusters and edges, independent of graphs and formats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

# set in the picture of a comparison, where an item `follows` if it differs only because others
# changed, and in the picture of a wrong graph
Mark: TypeAlias = Literal["", "added", "removed", "changed", "follows", "faulty", "unknown"]

CLOSED = ("seq", "block", "repeat", "chain")  # kinds of boxes that stand for a closed cluster


@dataclass(frozen=True, slots=True)
class Box:
    """An input, layer, merge, tensor or output, or a closed cluster.

    `id` is its dotted name; for an output it is `output ` and the name. `shapes` has a line for
    each result that is used. `shares` is the id of the box or cluster whose module it shares. An
    input is `optional` if it may be left out, an output if only training returns it. A closed
    cluster has the kind `seq`, `block` or `repeat`; a chain of layers drawn as one has `chain`.
    In a comparison `edits` say what changed, `out_features 32 → 64`, and `effects` which inferred
    options changed with that.
    `faults` are the lines of the messages that it shows if it is faulty.
    `brief` is the subtitle in few words, for the text of a chain. An output that comes
    from an item with the same shapes has a `source`: the title of the item, or "" for one of several outputs.
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
    edits: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    brief: str = ""
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """The boxes of one module: a `seq`, a `block`, or a `repeat` of blocks that differ inside."""

    id: str
    kind: str
    title: str
    subtitle: str
    items: tuple[Item, ...]
    tooltip: str = ""
    shapes: tuple[str, ...] = ()
    mark: Mark = ""
    edits: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()


Item: TypeAlias = Box | Cluster


class Edge(NamedTuple):
    """A tensor from one box to another, with the port that it leaves by and the argument it fills."""

    tail: str
    head: str
    port: str = ""
    argument: str = ""
    mark: Mark = ""

    @property
    def label(self) -> str:
        """The port and the argument, `last as query`; one name if only one is known or both are equal."""
        return " as ".join(filter(None, dict.fromkeys((self.port, self.argument))))


@dataclass(frozen=True, slots=True)
class Diagram:
    """A picture: its items in execution order, inputs first, and the edges between boxes."""

    name: str
    doc: str
    items: tuple[Item, ...]
    edges: tuple[Edge, ...]


def every(items: tuple[Item, ...]) -> Iterator[Item]:
    """Yield all boxes and clusters, nested ones too, each cluster before its items."""
    for item in items:
        yield item
        if isinstance(item, Cluster):
            yield from every(item.items)


def clusters(items: tuple[Item, ...], depth: int = 0) -> Iterator[tuple[Cluster, int]]:
    """Yield every cluster with the number of clusters around it, outer ones first."""
    for item in items:
        if isinstance(item, Cluster):
            yield item, depth
            yield from clusters(item.items, depth + 1)


def boxes(items: tuple[Item, ...]) -> Iterator[Box]:
    """Yield all boxes, those in clusters too."""
    return (item for item in every(items) if isinstance(item, Box))
