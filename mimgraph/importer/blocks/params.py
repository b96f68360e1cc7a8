"""Give a block params for the values that differ between its uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mimgraph.importer.blocks.patterns import AxisSizes
from mimgraph.importer.blocks.slots import Slot, complete, is_plain, slots
from mimgraph.importer.draft import Body, Expression
from mimgraph.ir.grammar import NODE_WORDS
from mimgraph.ir.names import free_name, param_fault
from mimgraph.ops import registry

FEWEST_USES = 3  # for an expression of a param or size, which holds by chance for fewer
MOST_FACTOR = 16
_RATIOS = (2, *range(3, MOST_FACTOR + 1), 24, 32, 64)


def parametrise(bodies: Sequence[Body]) -> list[dict[str, Any]]:
    """Let bodies of equal structure be one block; return the arguments of each use.

    Params have the names of torch's options. Values that are always equal are one param, and those
    that a size of the inputs or another param always gives are an expression of it.
    """
    complete([*bodies])
    sizes = AxisSizes(bodies)
    params: dict[str, list[Any]] = {}
    first = bodies[0]
    own = first.names | {*first.params}
    for column in [*zip(*([*slots(body)] for body in bodies), strict=True)]:
        values = [slot.value for slot in column]
        if all(_same(value, values[0]) for value in values):
            continue
        text = next(_expressions(values, params, sizes), None)
        if text is None:
            text = _param_name(column[0], {*params, *own, *sizes.taken, *NODE_WORDS})
            params[text] = values
        for slot in column:
            slot.set(Expression(text))
    sizes.write()
    for body in bodies:
        body.params |= {name: _default(name, values) for name, values in params.items()}
    return [{name: values[use] for name, values in params.items()} for use in range(len(bodies))]


def _same(one: Any, two: Any) -> bool:
    return type(one) is type(two) and bool(one == two)


def _expressions(
    values: Sequence[Any], params: Mapping[str, Sequence[Any]], sizes: AxisSizes
) -> Iterator[str]:
    """Yield what gives these values: a size of an input, a param, or a multiple or part of one."""
    numbers = all(type(value) is int for value in values)
    derived = numbers and len(values) >= FEWEST_USES
    if derived:
        yield from (sizes.name(axis) for axis, size in sizes.known() if size == values)
    for name, given in params.items():
        if all(map(_same, given, values)):
            yield name
    if derived:
        for name, given in params.items():
            yield from _ratios(name, given, values)
        for axis, size in sizes.known():
            for text in _ratios("#", size, values):
                yield text.replace("#", sizes.name(axis))


def _ratios(name: str, base: Sequence[Any], values: Sequence[int]) -> Iterator[str]:
    """Yield `2 * width` or `width // 2` where that is exact for every use."""
    if any(type(one) is not int for one in base):
        return
    for factor in _RATIOS:
        if [factor * one for one in base] == values:
            yield f"{factor} * {name}"
        exact = factor == 2 or not any(one % factor for one in base)
        if exact and [one // factor for one in base] == values:
            yield f"{name} // {factor}"


def _param_name(slot: Slot, taken: set[str]) -> str:
    """Return the option's name; behind the node's where something has it already."""
    plain = slot.option not in taken and not param_fault(slot.option)
    return free_name(slot.option if plain or not slot.node else f"{slot.node}_{slot.option}", taken)


def _default(name: str, values: Sequence[Any]) -> Any:
    """Return the value of more than half of the uses, or torch's default; None if there is neither."""
    value, count = Counter(map(repr, values)).most_common(1)[0]
    if 2 * count > len(values):
        return next(one for one in values if repr(one) == value)
    conv = registry.find("layer", "Conv2d")
    usual = conv.defaults.get(name) if conv is not None else None
    return usual if is_plain(usual) and any(_same(usual, one) for one in values) else None
