"""Repeats that are drawn once: which have one structure, and words for what differs among them."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from mimgraph.ir.typed import Body, Each, Leaf, Repeated, Shared, TypedNode, TypedOperation, Use
from mimgraph.ir.typed import Sequence as Chain
from mimgraph.render.diagram import Box, Item

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)")


class Stretch(NamedTuple):
    """Repeats in a row that have one structure."""

    start: int
    bodies: tuple[Body, ...]

    @property
    def title(self) -> str:
        """The keys of its modules, `0` or `1 to 3`."""
        last = self.start + len(self.bodies) - 1
        return str(self.start) if len(self.bodies) == 1 else f"{self.start} to {last}"


class Structures:
    """Numbers bodies: those that differ in sizes and options alone have the same number."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._known: dict[Body, int] = {}

    def stretches(self, repeated: Repeated) -> Iterator[Stretch]:
        """The repeats of a block, neighbours of one structure together."""
        start = 0
        for _, alike in groupby(repeated.bodies, key=self.number):
            bodies = tuple(alike)
            yield Stretch(start, bodies)
            start += len(bodies)

    def number(self, body: Body) -> int:
        """The number of a body's structure."""
        if body not in self._known:
            nodes = tuple(map(self._node, body.order))
            key = (body.family, nodes, tuple(body.outputs.items()), bool(body.nodes))
            self._known[body] = self._numbers.setdefault(key, len(self._numbers))
        return self._known[body]

    def _node(self, node: TypedNode) -> Hashable:
        results = tuple(node.results), node.default
        return node.name, tuple(node.arguments.items()), results, self._operation(node.operation)

    def _operation(self, operation: TypedOperation) -> Hashable:
        match operation:
            case Leaf(kind, name):
                return kind, name
            case Chain(items) | Each(items):
                return type(operation), tuple(map(self._node, items))
            case Use(body, merge=merge):
                return merge, self.number(body)
            case Repeated(bodies, shared=shared):
                return shared, tuple(map(self.number, bodies))
            case Shared(_, shared_operation):
                return operation.owner, self._operation(shared_operation)


def merged(drawings: Sequence[Item]) -> Item:
    """One item for drawings of one structure, its texts saying how they differ."""
    first = drawings[0]
    lines = [drawing.shapes for drawing in drawings]
    shapes = first.shapes
    if len(set(map(len, lines))) == 1:
        shapes = tuple(map(span, zip(*lines, strict=True)))
    subtitle = span([drawing.subtitle for drawing in drawings])
    if isinstance(first, Box):
        return replace(first, subtitle=subtitle, shapes=shapes)
    inner = [drawing.items for drawing in drawings if not isinstance(drawing, Box)]
    items = tuple(map(merged, zip(*inner, strict=True)))
    return replace(first, subtitle=subtitle, shapes=shapes, items=items)


def span(texts: Sequence[str]) -> str:
    """`Linear 64…256` of texts that differ in numbers alone, else the first and the last."""
    if len(set(texts)) == 1:
        return texts[0]
    words = [_NUMBER.split(text) for text in texts]
    if len({(len(split), *split[::2]) for split in words}) > 1:
        return f"{texts[0]} … {texts[-1]}"
    first, last = words[0], words[-1]
    differs = [len(set(column)) > 1 for column in zip(*words, strict=True)]
    return "".join(
        f"{a}…{b}" if differ else a for a, b, differ in zip(first, last, differs, strict=True)
    )
