"""Find the named sizes that a layer reads off the tensor that it is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mimgraph.importer.draft import Node, Op
from mimgraph.importer.lift.typing import type_of
from mimgraph.importer.trace.records import Step
from mimgraph.ir.dim import Dim
from mimgraph.ir.types import can_be_read


def reads_own_sizes(node: Node) -> bool:
    """Return whether the named sizes in the options of a layer can be read from its source, so that it may
    stand in a chain."""
    given = node.maker.arguments[:1] if isinstance(node.maker, Step) else ()
    types = [type_of(value) for value in given]
    return all(can_be_read(size, types) for size in _sizes_in(node.operation))


def _sizes_in(value: Any) -> Iterator[Dim]:
    match value:
        case Dim():
            yield value
        case Op(options=options):
            yield from _sizes_in(options)
        case dict():
            yield from _sizes_in([*value.values()])
        case list() | tuple():
            for one in value:
                yield from _sizes_in(one)
