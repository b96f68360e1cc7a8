"""Compare two typed graphs: what the author changed, and what follows from that.

Two bodies are compared once, however often a node uses them, and not at all if `equality` finds
them equal; so equal graphs have no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mimgraph.compare.equality import comparable, same
from mimgraph.compare.listing import grouped
from mimgraph.compare.model import (
    BodyChanges,
    Change,
    Difference,
    Edit,
    InnerBody,
    Kind,
    Status,
    edits,
    type_edits,
)
from mimgraph.compare.node_changes import (
    Found,
    InnerPair,
    Place,
    Renamed,
    added,
    node_changes,
    removed,
    source_edits,
    sources_as_written,
)
from mimgraph.compare.pair import Comparison, Pair
from mimgraph.inspection.facts import source_text
from mimgraph.ir.typed_graph import Body, Limits, TypedGraph, amount_text

PLAIN_INPUT = {"dtype": "float32", "optional": False}  # facts of an added input that are not shown


def difference(old: TypedGraph, new: TypedGraph) -> Difference:
    """Return what changed from the old graph to the new."""
    comparison = Comparison(old, new)
    inside = BodyChanges("")
    if not same(old, new, comparison.numbers):
        inside = _inside(comparison.pair(old.body, new.body), {})
        inside.changes[:0] = _spec_changes(old, new)
    else:
        inside.changes[:0] = _param_changes({}, _searches(old, new))
    inside.changes[:0] = _limit_changes(old, new)
    was, now = ([str(c) for c in graph.constraints] for graph in (old, new))
    costs_was, costs_now = comparison.costs
    return Difference(
        (old.name, new.name),
        tuple(grouped(inside)),
        (tuple(c for c in was if c not in now), tuple(c for c in now if c not in was)),
        (costs_was.total, costs_now.total),
        inside,
    )


def _spec_changes(old: TypedGraph, new: TypedGraph) -> Iterator[Change]:
    """Yield the changes of the name of a graph and of its params."""
    if old.name != new.name:
        edit = Edit("name", old.name, new.name)
        yield Change("changed", "graph", new.name, edits=(edit,))
    was, now = old.body.params, new.body.params
    values = {name: Edit("value", was[name], now[name]) for name in _differing(was, now)}
    yield from _param_changes(values, _searches(old, new))


def _param_changes(*differing: Mapping[str, Edit]) -> Iterator[Change]:
    """Yield a change for each param, with all edits of it."""
    for name in dict.fromkeys(name for edits_ in differing for name in edits_):
        found = tuple([edits_[name] for edits_ in differing if name in edits_])
        yield Change("changed", "param", name, "param", edits=found)


def _searches(old: TypedGraph, new: TypedGraph) -> dict[str, Edit]:
    """Return what changed of the values that a search may give the params; equal graphs may differ in it."""
    was, now = ({n: str(one) for n, one in graph.spaces.items()} for graph in (old, new))
    return {
        name: Edit("search", was.get(name), now.get(name))
        for name in (*was, *now)
        if was.get(name) != now.get(name)
    }


def _limit_changes(old: TypedGraph, new: TypedGraph) -> Iterator[Change]:
    """Yield the change of the limits of the cost; equal graphs may have other limits."""
    differing = tuple(edits(_limit_facts(old.limits), _limit_facts(new.limits)))
    if differing:
        yield Change("changed", "graph", new.name, edits=differing)


def _limit_facts(limits: Limits | None) -> dict[str, str]:
    """Return what the spec says of limits: `20M` by `limit of parameters`."""
    if limits is None:
        return {}
    sizes = {f"size {name} of limits": f"{size}" for name, size in limits.sizes.items()}
    return {f"limit of {n}": amount_text(limit) for n, limit in limits.amounts.items()} | sizes


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the names in both whose values differ."""
    return [name for name in old if name in new and comparable(old[name]) != comparable(new[name])]


def _inside(pair: Pair, known: dict[Pair, BodyChanges]) -> BodyChanges:
    """Return the changes of two bodies and of those inside them; each pair is in `known` afterwards."""
    if pair not in known:
        inside = known[pair] = BodyChanges(pair.new.family)
        for found in _body_changes(pair):
            match found:
                case Change():
                    inside.changes.append(found)
                case Renamed(was, name):
                    inside.renamed[was] = name
                case InnerPair(was, name, inner, times, runs):
                    inside.inner.append(InnerBody(was, name, _inside(inner, known), times, runs))
    return known[pair]


def _body_changes(pair: Pair) -> Iterator[Found]:
    """Yield all changes of two bodies, in running order; removed nodes come after the others."""
    old, new = pair.old, pair.new
    yield from _head_changes(pair)
    yield from _input_changes(pair)
    for node in new.order:
        if node.name in pair.back:
            before = old.by_name[pair.back[node.name]]
            place = Place(before.name, node.name, node.name)
            yield from node_changes(pair, before, node, place, source_edits(pair, before, node))
        else:
            yield added(pair, node, node.name, sources=sources_as_written(new, node))
    for node in old.order:
        if node.name not in pair.names:
            yield removed(pair, node, node.name, sources=sources_as_written(old, node))
    yield from _output_changes(pair)


def _head_changes(pair: Pair) -> Iterator[Change]:
    """Yield a change if the defaults of a block's params, or the order of inputs, are others."""
    old, new = pair.old, pair.new
    written: list[Edit] = []
    following: list[Edit] = []
    for name in _differing(old.defaults, new.defaults):
        was, now = old.defaults[name], new.defaults[name]
        edit = Edit(f"default {name}", was, now)
        (following if pair.is_computed(was, now) else written).append(edit)
    kept = [pair.names[name] for name in old.inputs if name in pair.names]
    order = [name for name in new.inputs if name in pair.back]
    if kept != order:
        written.append(Edit("order of inputs", kept, order))
    if written or following:
        status: Status = "changed" if written else "follows"
        kind: Kind = "block" if new.family else "graph"
        yield Change(status, kind, "", kind, edits=tuple(written), effects=tuple(following))


def _input_changes(pair: Pair) -> Iterator[Change | Renamed]:
    """Yield the inputs that are new, changed or gone."""
    for name in pair.new.inputs:
        now = _input_facts(pair.new, name)
        if name not in pair.back:
            yield Change("added", "input", name, "input", edits=tuple(edits({}, _notable(now))))
            continue
        was = pair.back[name]
        differing = tuple(edits(_input_facts(pair.old, was), now))
        if was != name:
            yield Renamed(was, name)
        if differing or was != name:
            other_name = was if was != name else ""
            yield Change("changed", "input", name, "input", other_name, differing)
    for name in pair.old.inputs:
        if name not in pair.names:
            gone = tuple(edits(_notable(_input_facts(pair.old, name)), {}))
            yield Change("removed", "input", name, "input", edits=gone)


def _input_facts(body: Body, name: str) -> dict[str, Any]:
    """Return what the spec says of an input; nothing in a block, where the use decides."""
    if body.family:
        return {}
    type_ = body.inputs[name]
    found = {"shape": str(type_), "dtype": type_.dtype, "vocab": type_.vocab}
    return {**found, "optional": name in body.optional}


def _notable(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of an input without those that most inputs have."""
    return {name: value for name, value in facts.items() if value != PLAIN_INPUT.get(name)}


def _output_changes(pair: Pair) -> Iterator[Change]:
    """Yield the outputs that are new, changed or gone."""
    for name in pair.new.outputs:
        if name in pair.outputs:
            yield from _output_change(pair, pair.outputs[name], name)
        else:
            facts = _output_facts(pair.new, name)
            yield Change("added", "output", name, "output", edits=tuple(edits({}, facts)))
    kept = set(pair.outputs.values())
    for name in pair.old.outputs:
        if name not in kept:
            facts = _output_facts(pair.old, name)
            yield Change("removed", "output", name, "output", edits=tuple(edits(facts, {})))


def _output_change(pair: Pair, was: str, name: str) -> Iterator[Change]:
    """Yield what became of an output, if anything did."""
    before, now = _output_facts(pair.old, was), _output_facts(pair.new, name)
    ours, theirs = pair.old.outputs[was], pair.new.outputs[name]
    if pair.renamed(ours) == pair.source(theirs):
        before["from"] = now["from"]
    written = tuple(edits(before, now))
    types = {"": pair.old.output_types[was]}, {"": pair.new.output_types[name]}
    following = tuple(type_edits(*types))
    other_name = was if was != name and not pair.has_nameless_output else ""
    if written or other_name:
        yield Change("changed", "output", name, "output", other_name, written, following)
    elif following:
        yield Change("follows", "output", name, "output", effects=following)


def _output_facts(body: Body, name: str) -> dict[str, Any]:
    """Return what the spec says of an output."""
    found: dict[str, Any] = {"from": source_text(body.outputs[name], body.by_name)}
    if name in body.training:
        found["only"] = "training"
    if name in body.batch_dims:
        found["batch_dim"] = body.batch_dims[name]
    return found
