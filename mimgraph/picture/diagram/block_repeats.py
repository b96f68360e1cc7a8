"""Group repeats of a block, and branches of an `each`, that have the same structure, and merge their drawings into one."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

from mimgraph.ir.typed_graph import Body, TypedNode
from mimgraph.ir.typed_operations import Repeated, Shared, TypedOperation, unwrap
from mimgraph.picture.diagram.model import Box, Item

SHORT, LISTED = 4, 6  # numbers that are all listed: if they rise or fall, and if they do not
_NUMBERS = re.compile(
    r"(\d+(?:\.\d+)?(?:[/…]\d+(?:\.\d+)?)*)"
)  # a number, or a span of an inner repeat
_BETWEEN = re.compile("[/…]")


class Stretch(NamedTuple):
    """Consecutive repeats of a block that have the same structure."""

    start: int
    bodies: tuple[Body, ...]
    arguments: tuple[Mapping[str, Any], ...]

    @property
    def title(self) -> str:
        """The names of its modules, `0` or `1 to 3`."""
        last = self.start + len(self.bodies) - 1
        return str(self.start) if len(self.bodies) == 1 else f"{self.start} to {last}"


class Structures:
    """Numbers bodies by structure: bodies that differ only in sizes and options get the same number."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._known: dict[Body, int] = {}

    def stretches(self, repeated: Repeated) -> Iterator[Stretch]:
        """Yield the repeats of a block, consecutive ones of the same structure together."""
        start = 0
        for _, alike in groupby(repeated.bodies, key=self.number):
            bodies = tuple(alike)
            end = start + len(bodies)
            yield Stretch(repeated.first + start, bodies, repeated.arguments[start:end])
            start = end

    def opened(self, operation: TypedOperation) -> tuple[TypedNode, ...]:
        """Return the branches of an `each` with the operations that they run, if they are drawn as one
        cluster: they have one structure, and something inside. Else nothing: the `each` is a box."""
        branches = operation.branches
        if operation.sole is not None:
            branches = tuple(replace(one, operation=unwrap(one.operation)) for one in branches)
        is_alike = len({self._operation(one.operation) for one in branches}) == 1
        return branches if is_alike and has_inside(branches[0].operation) else ()

    def number(self, body: Body) -> int:
        """Return the number of a body's structure."""
        if body not in self._known:
            nodes = tuple(map(self._node, body.order))
            key = (body.family, nodes, tuple(body.outputs.items()), bool(body.nodes))
            self._known[body] = self._numbers.setdefault(key, len(self._numbers))
        return self._known[body]

    def _node(self, node: TypedNode) -> Hashable:
        return tuple(node.arguments.items()), self._item(node)

    def _item(self, node: TypedNode) -> Hashable:
        results = tuple(node.results), node.default, node.over and node.over.axis
        return node.name, results, self._operation(node.operation)

    def _operation(self, operation: TypedOperation) -> Hashable:
        if isinstance(operation, Shared):
            return operation.owner, self._operation(operation.operation)
        # that read what the node reads, or one another
        items = tuple(map(self._item, operation.items))
        bodies = tuple(map(self.number, operation.bodies))
        return type(operation), operation.op, operation.shared, items, bodies


def has_inside(operation: TypedOperation) -> bool:
    """Return whether an operation is drawn as a cluster: it has nodes inside, and is no merge."""
    is_block = operation.bodies and operation.bodies[0].nodes and not operation.merge
    return bool(operation.steps or is_block)


def merged(drawings: Sequence[Item]) -> Item:
    """Return one item for drawings of the same structure, with texts that span their differences."""
    first = drawings[0]
    lines = [drawing.shapes for drawing in drawings]
    shapes = first.shapes
    if len(set(map(len, lines))) == 1:
        shapes = tuple(map(span, zip(*lines, strict=True)))
    subtitle = span([drawing.subtitle for drawing in drawings])
    if isinstance(first, Box):
        brief = span([drawing.brief for drawing in drawings if isinstance(drawing, Box)])
        return replace(first, subtitle=subtitle, shapes=shapes, brief=brief)
    inner = [drawing.items for drawing in drawings if not isinstance(drawing, Box)]
    items = tuple(map(merged, zip(*inner, strict=True)))
    return replace(first, subtitle=subtitle, shapes=shapes, items=items)


def span(texts: Sequence[str]) -> str:
    """Return one text for the texts of all repeats: `Linear 64/8/64`.

    Texts that differ in more than numbers are listed: `ReLU / GELU`."""
    if len(set(texts)) == 1:
        return texts[0]
    if not differ_in_numbers(texts):
        return " / ".join(texts) if len(texts) <= LISTED else f"{texts[0]} … {texts[-1]}"
    return "".join(map(_span_of_numbers, zip(*map(_NUMBERS.split, texts), strict=True)))


def differ_in_numbers(texts: Sequence[str]) -> bool:
    """Return whether texts are equal, or differ in numbers alone."""
    return len({tuple(_NUMBERS.split(text)[::2]) for text in texts}) == 1


def _span_of_numbers(texts: Sequence[str]) -> str:
    """Return the numbers of all repeats: `64/8/64` if they are few, the ends, `64…256`, if many rise or
    fall, and else the least and greatest, as many in no order say no more."""
    if len(set(texts)) == 1:
        return texts[0]
    numbers = [number for text in texts for number in _BETWEEN.split(text)]
    rising = sorted(numbers, key=float)
    is_sorted = numbers in (rising, rising[::-1])
    if len(numbers) <= (SHORT if is_sorted else LISTED) and not any("…" in text for text in texts):
        return "/".join(numbers)
    ends = numbers if is_sorted else rising
    return f"{ends[0]}…{ends[-1]}"
