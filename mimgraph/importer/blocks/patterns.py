"""Name the sizes that the nodes of a block use, by patterns of its inputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from mimgraph.importer.draft import Body, Input, Op, Use, inner_nodes
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.sizes import BATCH
from mimgraph.ir.dim import Dim, Size, substitute, symbol, symbols
from mimgraph.ir.names import free_name

_IN_FORMULA = re.compile(r"\$\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
_NAME = re.compile(r"[A-Za-z_]\w*")
# the usual names of the axes of an input, by their number without the batch
_AXES = {1: ("C",), 2: ("L", "C"), 3: ("C", "H", "W"), 4: ("C", "D", "H", "W")}


def name_sizes(body: Body) -> dict[str, Dim]:
    """Give the inputs of a block patterns with the names of sizes that its nodes use.

    What no input has is a param; the sizes are returned that the use gives for these.
    """
    used = [*dict.fromkeys(_used(body))]
    axes = [size for one in body.inputs for size in _sizes(one) if isinstance(size, Dim)]
    names: dict[Size, str] = {}
    params: dict[str, Dim] = {}
    taken = body.names

    def name(size: Dim, wanted: str) -> str:
        names[size] = free_name(wanted, {*taken, *names.values()})
        return names[size]

    for size in used:
        if BATCH in symbols(size):
            message = f"the size {size} has the batch inside"
            raise CannotLift("size", message, body.call)
        if size in names:
            continue
        if size in axes:
            plain = str(size).isidentifier() and not str(size).startswith("_")
            name(size, str(size) if plain else "L")
            continue
        for part in map(symbol, symbols(size)):
            assert isinstance(part, Dim)
            if part not in names:
                wanted = str(part).lstrip("_") if part in axes else f"size_{part}".lower()
                chosen = name(part, wanted)
                if part not in axes:
                    params[chosen] = part
    _replace(body, names)
    _set_patterns(body, names)
    body.params |= dict.fromkeys(params)
    return params


def _sizes(given: Input) -> tuple[Size, ...]:
    """Return the sizes of an input as a pattern has them, without the batch."""
    return given.sizes[1:] if given.sizes and str(given.sizes[0]) == BATCH else given.sizes


def _set_patterns(body: Body, names: dict[Size, str]) -> None:
    for one in body.inputs:
        sizes = _sizes(one)
        if any(size in names for size in sizes):
            _write(body, one, {i: names[size] for i, size in enumerate(sizes) if size in names})


def _write(body: Body, given: Input, named: dict[int, str]) -> None:
    """Give an input a pattern with these names, and others for its other axes."""
    count = len(_sizes(given))
    usual = _AXES.get(count) or tuple(f"A{index}" for index in range(count))
    taken = body.names | {*body.params, *named.values()}
    taken |= {str(name) for one in body.inputs if one is not given for name in one.pattern or ()}
    pattern = list[str]()
    for index in range(count):
        name = named.get(index) or free_name(usual[index], taken)
        taken.add(name)
        pattern.append(name)
    given.pattern = tuple(pattern)


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
            for text in _IN_FORMULA.findall(node.operation.options.get("expr", "")):
                yield from (symbol(name) for name in _NAME.findall(text))
        elif isinstance(node.operation, Use):
            yield from found(node.operation.arguments)


def _replace(body: Body, names: dict[Size, str]) -> None:
    """Write the sizes by their names."""
    parts = {str(size): name for size, name in names.items() if str(size).isidentifier()}

    def in_formula(found: re.Match[str]) -> str:
        return _NAME.sub(lambda m: parts.get(m[0], m[0]), found[0])

    def named(value: Any) -> Any:
        match value:
            case Dim() if value in names:
                return symbol(names[value])
            case Dim():
                return substitute(value, {size: symbol(name) for size, name in parts.items()})
            case str() if "$(" in value:
                return _IN_FORMULA.sub(in_formula, value)
            case dict():
                return {key: named(part) for key, part in value.items()}
            case list():
                return [named(part) for part in value]
        return value

    for node in inner_nodes(body.nodes):
        if isinstance(node.operation, Op):
            node.operation.options = named(node.operation.options)
        elif isinstance(node.operation, Use):
            node.operation.arguments = named(node.operation.arguments)


class Axis(NamedTuple):
    """An axis of an input of a block, without the batch."""

    input: int
    axis: int


class AxisSizes:
    """The sizes that the inputs of a block have at each use; those that are named get a pattern."""

    def __init__(self, bodies: Sequence[Body]) -> None:
        self.bodies = bodies
        self.named: dict[Axis, str] = {}

    def known(self) -> Iterator[tuple[Axis, list[int]]]:
        """Yield the axes whose sizes are numbers that differ between the uses."""
        for index, first in enumerate(self.bodies[0].inputs):
            for axis in range(len(_sizes(first))):
                found = [_sizes(body.inputs[index])[axis : axis + 1] for body in self.bodies]
                values = [size[0] for size in found if size and isinstance(size[0], int)]
                if len(values) == len(self.bodies) and len({*values}) > 1 and min(values) > 1:
                    yield Axis(index, axis), values

    def name(self, axis: Axis) -> str:
        """Return the name of an axis, and let the pattern of its input have it."""
        if axis not in self.named:
            body = self.bodies[0]
            given = body.inputs[axis.input]
            if given.pattern is None:
                _write(body, given, {})
            assert given.pattern is not None
            self.named[axis] = str(given.pattern[axis.axis])
        return self.named[axis]

    @property
    def taken(self) -> set[str]:
        """The names in the patterns."""
        inputs = self.bodies[0].inputs
        return {str(name) for one in inputs for name in one.pattern or ()}

    def write(self) -> None:
        """Give every body the patterns of the first."""
        for body in self.bodies[1:]:
            for one, first in zip(body.inputs, self.bodies[0].inputs, strict=True):
                one.pattern = first.pattern
