"""Choose where to split a graph so that stages have about equal parameters and work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from mimgraph.cost.cost import Costs
from mimgraph.ir.dim import symbols
from mimgraph.ir.typed import Body, TypedGraph
from mimgraph.pipeline.repeat_pieces import in_pieces, repeat_names
from mimgraph.pipeline.split import Bond, bonds, units

LENGTH = 128  # assumed for a size that is known only at run time
STEPS = 50  # of the binary search; enough for any float


def balanced(graph: TypedGraph, count: int) -> list[str]:
    """Return the nodes that begin the second to the last of `count` stages, so that the largest load
    of a stage is as small as possible."""
    pieces = in_pieces(graph.body, repeat_names(graph.body))
    names = {node: name for name, node in pieces.begins.items()}
    graph = replace(graph, body=pieces.body)
    load, every, places = _load(graph), units(graph.body), _cut_places(graph.body)
    loads = [
        sum(load[node.name] for unit in every[start:end] for node in unit)
        for start, end in pairwise([*places, len(every)])
    ]
    if not 1 <= count <= len(loads):
        why = _why(graph.body) if count > 1 else ""
        raise ValueError(
            f"{graph.name} can be split into 1 to {len(loads)} stages, not {count}{why}"
        )
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
    dims = (dim for type_ in graph.body.inputs.values() for dim in type_.dims)
    names = {name for dim in dims for name in symbols(dim)}
    sizes = dict.fromkeys(names, LENGTH) | {"N": 1}
    macs = {name: int(cost.macs.at(sizes).value) for name, cost in each.items()}
    params = {name: cost.params for name, cost in each.items()}
    found = dict.fromkeys(each, 0.0)
    for amounts in (params, macs):
        total = sum(amounts.values())
        for name, amount in amounts.items():
            found[name] += amount / total if total else 0
    return found


def _cut_places(body: Body) -> list[int]:
    """Return the units at which a stage may begin without parting a bond."""
    every = units(body)
    change = [0] * (len(every) + 1)  # bonds that begin at a unit, minus bonds that end
    for _, start, end in _stretches(body):
        change[start + 1] += 1
        change[end + 1] -= 1
    found, held = [], 0
    for index in range(len(every)):
        held += change[index]
        if not held:
            found.append(index)
    return found


def _stretches(body: Body) -> Iterator[tuple[Bond, int, int]]:
    """Yield each bond with the first and the last unit that it holds together."""
    every = units(body)
    position = {node.name: index for index, unit in enumerate(every) for node in unit}
    for bond in bonds(body):
        made = position[bond.reads]
        read = len(every) - 1 if bond.node is None else position[bond.node.name]
        yield bond, min(made, read), max(made, read)


def _why(body: Body) -> str:
    """Return `; spec.yaml:6:11: logits reads words.weight, ...`, the bond that spans most units."""
    held = [(end - start, bond) for bond, start, end in _stretches(body) if end > start]
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
