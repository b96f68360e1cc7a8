"""Find the named sizes that a layer reads off the tensor that it is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mimgraph.importer.draft import Node, Op
from mimgraph.importer.trace.records import Step
from mimgraph.ir.dims.dim import Dim, symbols


def reads_own_sizes(node: Node) -> bool:
    """Return whether the named sizes in the options of a layer are all sizes of its source, so that it
    may stand in a chain."""
    needed = {name for size in _sizes_in(node.operation) for name in symbols(size)}
    given = node.maker.arguments[0].sizes if isinstance(node.maker, Step) else ()
    return needed <= {name for size in given if isinstance(size, Dim) for name in symbols(size)}


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
