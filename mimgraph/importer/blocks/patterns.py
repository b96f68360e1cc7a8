"""Name the sizes that the nodes of a block use, by patterns of its inputs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mimgraph.importer.draft import Body, Op, inner_nodes
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.ir.dims.dim import Dim, Size, symbol, symbols
from mimgraph.ir.names import free_name

_IN_FORMULA = re.compile(r"\$\(([^()]*(?:\([^()]*\)[^()]*)*)\)")


def name_sizes(body: Body) -> None:
    """Give the inputs of a block patterns with the names of sizes that its nodes use."""
    used = [*_used(body)]
    if not used:
        return
    names: dict[Size, str] = {}
    axes = [size for one in body.inputs for size in one.sizes if isinstance(size, Dim)]
    taken = {one.name for one in body.inputs} | {node.name for node in body.nodes}
    for size in used:
        if size in axes and str(size).isidentifier():
            names[size] = str(size)
        elif size in axes:
            names.setdefault(size, free_name("L", taken | {*names.values()}))
        else:
            missing = [name for name in symbols(size) if symbol(name) not in axes and name != "N"]
            if missing or "N" in symbols(size):
                raise CannotLift(
                    "size", f"the size {size} is known outside of the block alone", body.call
                )
            names |= {symbol(name): name for name in symbols(size)}
    _replace(body, names)
    _set_patterns(body, names, taken)


def _set_patterns(body: Body, names: dict[Size, str], taken: set[str]) -> None:
    filler = iter(free for i in range(10**6) if (free := f"A{i}") not in taken)
    for one in body.inputs:
        sizes = one.sizes[1:] if one.sizes and str(one.sizes[0]) == "N" else one.sizes
        if any(size in names for size in sizes):
            one.pattern = tuple(names.get(size) or next(filler) for size in sizes)


def _used(body: Body) -> Iterator[Dim]:
    """Yield the expressions of named sizes in the options of the nodes."""

    def found(value: Any) -> Iterator[Dim]:
        if isinstance(value, Dim):
            yield value
        elif isinstance(value, dict):
            for part in value.values():
                yield from found(part)
        elif isinstance(value, list | tuple):
            for part in value:
                yield from found(part)

    for node in inner_nodes(body.nodes):
        if isinstance(node.operation, Op):
            yield from found(node.operation.options)


def _replace(body: Body, names: dict[Size, str]) -> None:
    """Write the sizes by their names."""

    def named(value: Any) -> Any:
        if isinstance(value, Dim):
            return symbol(names[value]) if value in names else value
        if isinstance(value, dict):
            return {key: named(part) for key, part in value.items()}
        if isinstance(value, list):
            return [named(part) for part in value]
        return value

    for node in inner_nodes(body.nodes):
        if isinstance(node.operation, Op):
            node.operation.options = named(node.operation.options)
