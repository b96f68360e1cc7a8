"""Choose where to split a graph so that stages have about equal parameters and work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from mimgraph.cost.bind_sizes import named_sizes
from mimgraph.cost.cost import Costs
from mimgraph.ir.typed_graph import Body, TypedGraph, TypedNode
from mimgraph.pipeline.repeat_pieces import in_pieces, repeat_names
from mimgraph.pipeline.split import Bond, bonds, units
from mimgraph.support.arguments import as_plain

LENGTH = 128  # assumed for a size that is known only at run time
STEPS = 50  # of the binary search; enough for any float

Units: TypeAlias = Sequence[Sequence[TypedNode]]


class Held(NamedTuple):
    """A bond, with the numbers of the first and the last unit that it holds together."""

    bond: Bond
    first: int
    last: int


def balanced(graph: TypedGraph, count: int) -> list[str]:
    """Return the nodes that begin the second to the last of `count` stages, so that the largest load
    of a stage is as small as possible."""
    pieces = in_pieces(graph.body, repeat_names(graph.body))
    names = {node: name for name, node in pieces.begins.items()}
    graph = replace(graph, body=pieces.body)
    load, every = _load(graph), units(graph.body)
    held = list(_held_together(graph.body, every))
    places = _cut_places(every, held)
    loads = [
        sum(load[node.name] for unit in every[start:end] for node in unit)
        for start, end in pairwise([*places, len(every)])
    ]
    if not 1 <= count <= len(loads):
        why = _why(graph.body, held) if count > 1 else ""
        possible = f"1 to {len(loads)} stages" if len(loads) > 1 else "no more than one stage"
        raise ValueError(f"{graph.name} can be split into {possible}, not {count}{why}")
    low, high = max(loads), sum(loads)
    for _ in range(STEPS):
        middle = (low + high) / 2
        if len(_filled(loads, count, middle)) > count:
            low = middle
        else:
            high = middle
    return [names[every[places[index]][-1].name] for index in _filled(loads, count, high)[1:]]


def _load(graph: TypedGraph) -> dict[str, float]:
    """Return the load of each node: its share of all parameters plus its share of all MACs."""
    costs = Costs(graph)
    each = {node.name: costs.node(node) for node in graph.body.nodes}
    sizes = dict.fromkeys(named_sizes(graph), LENGTH) | {"N": 1}
    macs = {name: int(cost.macs.at(sizes).value) for name, cost in each.items()}
    params = {name: cost.params for name, cost in each.items()}
    found = dict.fromkeys(each, 0.0)
    for amounts in (params, macs):
        total = sum(amounts.values())
        for name, amount in amounts.items():
            found[name] += amount / total if total else 0
    return found


def _cut_places(every: Units, held_together: Iterable[Held]) -> list[int]:
    """Return the units at which a stage may begin without parting a bond."""
    change = [0] * (len(every) + 1)  # bonds that begin at a unit, minus bonds that end
    for _, start, end in held_together:
        change[start + 1] += 1
        change[end + 1] -= 1
    found, held = [], 0
    for index in range(len(every)):
        held += change[index]
        if not held:
            found.append(index)
    return found


def _held_together(body: Body, every: Units) -> Iterator[Held]:
    """Yield each bond with the first and the last unit that it holds together."""
    position = {node.name: index for index, unit in enumerate(every) for node in unit}
    for bond in bonds(body):
        made = position[bond.reads]
        read = len(every) - 1 if bond.node is None else position[bond.node.name]
        yield Held(bond, min(made, read), max(made, read))


def _why(body: Body, held_together: Iterable[Held]) -> str:
    """Return `; spec.yaml:6:11: logits reads words.weight, ...`, the bond that spans most units."""
    held = [(end - start, bond) for bond, start, end in held_together if end > start]
    if not held:
        return ""
    _, bond = max(held, key=lambda one: one[0])
    return f"; {bond.text(body)}, so {bond.reads} and {bond.reader} must be in one stage"


def _filled(loads: Sequence[float], count: int, limit: float) -> list[int]:
    """Return where each stage begins if stages are filled up to a limit, and none is empty."""
    starts, held = [0], 0.0
    for index, load in enumerate(loads):
        is_last_chance = len(loads) - index == count - len(starts)
        if index and (is_last_chance or held + load > limit):
            starts.append(index)
            held = 0.0
        held += load
    return starts


def stage_starts(graph: TypedGraph, stages: Iterable[str] | str | int) -> tuple[str, ...]:
    """Return the nodes that begin a stage, except the first; for a number, balanced ones."""
    stages = as_plain("split", stages)
    if isinstance(stages, int) and not isinstance(stages, bool):
        return tuple(balanced(graph, stages))
    if isinstance(stages, str):
        return (stages,)
    names: list[object] = [*stages] if isinstance(stages, Iterable) else [stages]
    found = [name for name in names if isinstance(name, str)]
    if odd := [name for name in names if not isinstance(name, str)]:
        raise TypeError(f"split takes a number of stages or names of nodes, not {odd[0]!r:.40}")
    return tuple(dict.fromkeys(found))
