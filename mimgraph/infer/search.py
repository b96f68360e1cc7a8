"""Find what each point of a search space reads, settle a point, and cache typed nodes."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import combinations, product
from typing import Any, NamedTuple, TypeAlias

from mimgraph.diagnostics import Report
from mimgraph.infer.declared import params
from mimgraph.infer.evaluation import in_block, in_inputs, in_nodes, in_value
from mimgraph.infer.rewrites import SearchedOps, without_other_choices
from mimgraph.infer.state import ALONE, Context, Joint, KnownNode
from mimgraph.infer.structure import ScopeNodes, calls, scopes
from mimgraph.infer.typer import NodeTyper
from mimgraph.infer.warnings import unread_params
from mimgraph.ir.declared_graph import Apply, Graph, Node
from mimgraph.ir.declared_values import Chosen, Dimension, Option
from mimgraph.ir.expression import identity
from mimgraph.ir.rewrite import Options, Rewriter
from mimgraph.ir.typed_graph import ALWAYS, TypedNode

# the choices under which something is read: all these params must have one of these values
Guard: TypeAlias = frozenset[tuple[str, frozenset[str]]]
UNGUARDED: Guard = frozenset()
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
        once = frozenset((UNGUARDED,))
        for one in self.graph.inputs:
            yield from ((name, Read(one.name, once)) for name in in_inputs((one,)))
        if self.graph.limits is not None:
            limits = [option.value for option in self.graph.limits.options]
            yield from ((name, Read("limits", once)) for name in in_value(limits))
        for scope in scopes(self.graph):
            block = self.graph.blocks.get(scope.key)
            guards = self._guards_of(scope.key) if block else once
            yield from self._in_scope(scope, guards)
            if block is not None:
                defaults = in_value([option.value for option in block.params.values()])
                for name in (*in_block(replace(block, nodes=(), doc="")), *defaults):
                    if name not in scope.own:
                        yield name, Read(block.family, guards)

    def _in_scope(self, scope: ScopeNodes, around: frozenset[Guard]) -> Iterator[tuple[str, Read]]:
        """Yield the names that the nodes of a scope read, which is used under the guards `around`."""
        path, own = scope.path, scope.own
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

        for node in Rewriter(given=given).nodes(scope.nodes, path):
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
        for scope in scopes(self.graph):
            called = found.setdefault(scope.key, {})
            for call in calls(scope.nodes):
                for name, guard in self._called(call.block, scope.own):
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
            yield from ((str(self._values.get(read)), UNGUARDED) for read in in_value(str(name)))
        else:
            yield name, UNGUARDED

    @cached_property
    def _values(self) -> Mapping[str, Any]:
        """The values of the params, of a searched one its default."""
        return params(self.graph.params, Report())

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
    if UNGUARDED in found or len(found) > MOST_GUARDS:
        return frozenset((UNGUARDED,))
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


# Settle a search: give params their values, and keep what the graph needs at this point alone.


def settled(graph: Graph, given: Mapping[str, Option], names: Collection[str]) -> Graph:
    """Return the graph with these params, and with no search of the params `names`.

    The options of other choices are gone, and so are the params that only they read.
    """
    found = replace(graph, params={**graph.params, **given})
    values = params(found.params, Report())
    plain = {name: one._replace(space=None) for name, one in found.params.items()}
    searched = {name: found.params[name] for name in found.params if name in names}
    fixed = replace(found, params={**plain, **searched})
    kept = without_other_choices(fixed, values, Report())
    free = {name: one for name, one in found.params.items() if name not in names}
    return _without_unread(replace(kept, params={**plain, **free}), graph)


def _without_unread(graph: Graph, before: Graph) -> Graph:
    """Return the graph without the params that nothing reads and something did before."""
    known = {*unread_params(before)}
    while unread := {*unread_params(graph)} - known:
        kept = {name: one for name, one in graph.params.items() if name not in unread}
        graph = replace(graph, params=kept)
    return graph


# Keep the typed nodes of a graph from one point of a search to the next.


MOST = 20_000  # typed nodes that are kept


class PointTypes:
    """The typed layers and merges of the graph itself, at all points that were typed.

    The type of a node follows from the values of the params that it reads, and the types of its sources.
    """

    def __init__(self, graph: Graph) -> None:
        self.names = {node.name: tuple(dict.fromkeys(in_nodes((node,)))) for node in graph.nodes}
        self.known: dict[Hashable, KnownNode] = {}

    def typer(self, context: Context) -> NodeTyper:
        """Return what types the nodes of the graph at another point."""
        return _PointTyper(context, self)


class _PointTyper(NodeTyper):
    """Types the nodes of a graph, or finds them among those that are known."""

    def __init__(self, context: Context, kept: PointTypes) -> None:
        super().__init__(context)
        self._names, self._known = kept.names, kept.known

    def node(self, node: Node, joint: Joint = ALONE) -> TypedNode | None:
        context = self.context
        sources = _sources(context, node) if isinstance(node.operation, Apply) else None
        if sources is None:
            return super().node(node, joint)
        values = tuple([identity(context.env.get(name)) for name in self._names[node.name]])
        key = node.name, values, sources
        known = self._known.get(key)
        if known is None:
            return self._type_anew(node, key)
        context.state.budget.write(known.length, node.span)
        context.state.require(known.constraints)
        return known.typed

    def _type_anew(self, node: Node, key: Hashable) -> TypedNode | None:
        """Return the typed node, and keep it if it follows from the key alone."""
        state = self.context.state
        found, length = state.report.diagnostics, state.budget.length
        before = len(found), len(state.memory.sums), len(state.memory.summands)
        around, state.constraints = state.constraints, {}
        typed = super().node(node)
        own, state.constraints = state.constraints, around
        state.require(own)
        after = len(state.report.diagnostics), len(state.memory.sums), len(state.memory.summands)
        is_alone = state.report.diagnostics is found and after == before
        if typed is None or not is_alone or len(self._known) >= MOST:
            return typed
        known = KnownNode(typed, own, state.budget.length - length)
        if known.is_plain:
            self._known[key] = known
        return typed


def _sources(context: Context, node: Node) -> Hashable | None:
    """Return what a node can see of its sources; None if one is not always given, or is no result."""
    if node.sources is None:
        return None
    found: list[Any] = []
    for source in node.sources:
        name, port = source.name, source.port
        if name in context.inputs:
            type_ = context.inputs[name]
            is_odd = name in context.optional or name in context.scope.nodes or port is not None
            if type_ is None or is_odd:
                return None
            found.append(type_.key)
            continue
        typed = context.typed.get(name)
        if typed is None or typed.presence != ALWAYS or typed.presences:
            return None
        if (typed.default if port is None else port) not in typed.results:
            return None
        results = [(port, type_.key) for port, type_ in typed.results.items()]
        found.append((typed.default, typed.is_own, *results))
    return tuple(found)
