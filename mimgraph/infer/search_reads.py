"""Say where a graph reads each param, and under which choices of a search."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import combinations, product
from typing import Any, NamedTuple, TypeAlias

from mimgraph.diagnostics import Report
from mimgraph.infer.declared import params
from mimgraph.infer.names_read import in_block, in_inputs, in_nodes, in_value
from mimgraph.infer.other_choices import SearchedOps
from mimgraph.infer.outer_shares import calls
from mimgraph.infer.state import State
from mimgraph.ir.declared.graph import Graph, Node
from mimgraph.ir.declared.rewrite import Options, Rewriter
from mimgraph.ir.declared.space import Dimension
from mimgraph.ir.declared.values import Chosen

# the choices under which something is read: all these params must have one of these values
Guard: TypeAlias = frozenset[tuple[str, frozenset[str]]]
ALWAYS: Guard = frozenset()
MOST_GUARDS = 100  # of one block; with more it counts as always read


class Read(NamedTuple):
    """One place that reads a param, `stage.conv`, and the guards under one of which it does."""

    place: str
    guards: frozenset[Guard]


def reads(graph: Graph) -> dict[str, list[Read]]:
    """Return the places that read each param of a checked graph.

    A param that gives the value of another is read where that one is.
    """
    found: dict[str, list[Read]] = {name: [] for name in graph.params}
    for name, read in _Reads(graph).found():
        if name in found and read.guards:
            found[name].append(read)
    for name in reversed([*graph.params]):  # a value may read the params above it
        for above in dict.fromkeys(in_value(graph.params[name].value)):
            if above in found and above != name:
                found[above] += found[name]
    return found


def when(found: Iterable[Read], spaces: Mapping[str, Dimension]) -> frozenset[Guard]:
    """Return the guards under one of which some of these places are read."""
    return simplified((guard for read in found for guard in read.guards), spaces)


def holds(guards: Iterable[Guard], values: Mapping[str, Any]) -> bool:
    """Return whether something is read if the params have these values; others are not known yet."""
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    return any(all(texts.get(name) in allowed for name, allowed in guard) for guard in guards)


class _Reads:
    """The names that each scope of a graph reads, with the guards of the scope and of the options."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._guards: dict[str, frozenset[Guard]] = {}

    def found(self) -> Iterator[tuple[str, Read]]:
        """Yield each name that is read, and the place."""
        once = frozenset((ALWAYS,))
        for one in self.graph.inputs:
            yield from ((name, Read(one.name, once)) for name in in_inputs((one,)))
        if self.graph.limits is not None:
            limits = [option.value for option in self.graph.limits.options]
            yield from ((name, Read("limits", once)) for name in in_value(limits))
        yield from self._in_scope(self.graph.nodes, "", (), once)
        for key, block in self.graph.blocks.items():
            path = block.family if block.is_chain else f"{block.family}."
            guards, own = self._guards_of(key), block.own_names
            yield from self._in_scope(block.nodes, path, own, guards)
            defaults = in_value([option.value for option in block.params.values()])
            for name in (*in_block(replace(block, nodes=(), doc="")), *defaults):
                if name not in own:
                    yield name, Read(block.family, guards)

    def _in_scope(
        self, nodes: tuple[Node, ...], path: str, own: Collection[str], around: frozenset[Guard]
    ) -> Iterator[tuple[str, Read]]:
        """Yield the names that the nodes of a scope read, which is used under the guards `around`."""
        searched, conditional = SearchedOps(self.graph, own), list[tuple[str, str, Guard]]()

        def given(kind: str, name: str, place: str, options: Options) -> Options:
            param = searched.param(name)
            if param is None:
                return options
            kept = {}
            for key, option in options.items():
                having = searched.having(kind, param, key)
                if not having:
                    kept[key] = option
                    continue
                guard = frozenset(((param, having),))
                conditional.extend((one, place, guard) for one in in_value(option.value))
            return kept

        for node in Rewriter(given=given).nodes(nodes, path):
            place = f"{path}{node.name}"
            yield from ((n, Read(place, around)) for n in in_nodes((node,)) if n not in own)
        for name, place, guard in conditional:
            if name not in own:
                yield name, Read(place, self._both(around, (guard,)))

    # --- when each block is used ------------------------------------------------------------------

    def _guards_of(self, key: str) -> frozenset[Guard]:
        """Return the guards under which a block is used."""
        if key not in self._guards:
            self._guards[key] = frozenset()  # in a ring of blocks, which is reported elsewhere
            uses = [*self._calls[""].get(key, ())]
            for user in self.graph.blocks:
                if key in self._calls[user]:
                    uses += self._both(self._guards_of(user), self._calls[user][key])
            self._guards[key] = simplified(uses, self.graph.spaces)
        return self._guards[key]

    @cached_property
    def _calls(self) -> Mapping[str, Mapping[str, list[Guard]]]:
        """The guards of the uses of each block by the scope, "" for the graph itself."""
        found: dict[str, dict[str, list[Guard]]] = {}
        scopes = {"": self.graph.nodes, **{k: b.nodes for k, b in self.graph.blocks.items()}}
        for scope, nodes in scopes.items():
            called = found.setdefault(scope, {})
            own = self.graph.blocks[scope].own_names if scope else ()
            for call in calls(nodes):
                for name, guard in self._called(call.block, own):
                    called.setdefault(name, []).append(guard)
        return found

    def _called(self, name: str, own: Collection[str]) -> Iterator[tuple[str, Guard]]:
        """Yield each block that a call may be of, with the choice under which it is."""
        searched = SearchedOps(self.graph, own)
        param = searched.param(name)
        if param is not None:
            for choice in searched.choices(param):
                yield choice, frozenset(((param, frozenset((choice,))),))
        elif isinstance(name, Chosen):
            yield from ((str(self._values.get(read)), ALWAYS) for read in in_value(str(name)))
        else:
            yield name, ALWAYS

    @cached_property
    def _values(self) -> Mapping[str, Any]:
        """The values of the params, of a searched one its default."""
        return params(State({}, Report()), self.graph.params)

    def _both(self, some: Iterable[Guard], others: Iterable[Guard]) -> frozenset[Guard]:
        """Return the guards under which one of `some` and one of `others` hold."""
        joined = (_joined(one, other) for one, other in product(some, others))
        return simplified((one for one in joined if one is not None), self.graph.spaces)


def _joined(one: Guard, other: Guard) -> Guard | None:
    """Return the guard under which both hold; None if there is no such choice."""
    found = dict(one)
    for name, allowed in other:
        found[name] = found.get(name, allowed) & allowed
    return frozenset(found.items()) if all(found.values()) else None


def simplified(guards: Iterable[Guard], spaces: Mapping[str, Dimension]) -> frozenset[Guard]:
    """Return fewer guards that hold at the same points: those that differ in one param are joined,
    and a param that may have all its values is left out."""
    found = {_without_all(guard, spaces) for guard in guards}
    if ALWAYS in found or len(found) > MOST_GUARDS:
        return frozenset((ALWAYS,))
    for one, other in combinations(found, 2):
        (mine, theirs), rest = (dict(one), dict(other)), one & other
        if mine.keys() == theirs.keys() and len(rest) == len(mine) - 1:
            (name,) = mine.keys() - dict(rest).keys()
            joined = rest | {(name, mine[name] | theirs[name])}
            return simplified((found - {one, other}) | {joined}, spaces)
    return frozenset(found)


def _without_all(guard: Guard, spaces: Mapping[str, Dimension]) -> Guard:
    """Return the guard without the params that may have any of their values."""
    return frozenset((name, some) for name, some in guard if len(some) < spaces[name].size)
