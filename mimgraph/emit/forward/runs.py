"""Find the conditions under which each node runs, and with which of its arguments.

An input may be left out, and some outputs are given in training only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import Enum
from typing import NamedTuple

from mimgraph.emit.forward.steps import Condition, Guard
from mimgraph.ir.code import Call, Operand
from mimgraph.ir.lowering import MODULE
from mimgraph.ir.typed_graph import ALWAYS, Body, Presence, TypedNode, Value, implies, single_nodes
from mimgraph.ir.typed_operations import Leaf, Shared, unwrap
from mimgraph.ir.typed_walks import needed_in_eval

TRAINING = Condition(None)


class Result(Enum):
    """What a node gives in one of its runs."""

    COMPUTED = "its op on its sources"
    FALLBACK = "what fills the place of a missing source"
    NONE = "None, as it does not run"


class Run(NamedTuple):
    """One way in which a node runs, without the arguments that are then missing."""

    node: TypedNode
    guard: Guard
    result: Result = Result.COMPUTED


def runs(body: Body) -> Iterator[Run]:
    """Yield every way in which each node runs, nodes in running order."""
    needed = needed_in_eval(body)
    for node in _running_order(body, needed):
        guard = () if node.name in needed else (TRAINING,)
        for one in single_nodes(node):
            if not body.optional:
                yield Run(one, guard)
            elif one.presence == ALWAYS:
                yield from _filled(body, one, guard)
            else:
                yield from _filled(body, one, _under(guard, one.presence))
                yield Run(one, _under(guard, one.presence, holds=False), Result.NONE)


def _under(guard: Guard, presence: Presence, holds: bool = True) -> Guard:
    return guard if presence == ALWAYS else (*guard, Condition(presence, holds))


def _filled(body: Body, node: TypedNode, guard: Guard) -> Iterator[Run]:
    """Yield the runs of a node, and that in which a missing source is filled in."""
    leaf = unwrap(node.operation)
    if not isinstance(leaf, Leaf) or leaf.lowering.fallback is None:
        yield from _with_arguments(body, node, guard, frozenset())
        return
    presence = body.presence_of(node.arguments["input"])
    yield from _with_arguments(body, node, _under(guard, presence), frozenset())
    if presence != ALWAYS:
        yield Run(node, _under(guard, presence, holds=False), Result.FALLBACK)


def _with_arguments(
    body: Body, node: TypedNode, guard: Guard, gone: frozenset[str]
) -> Iterator[Run]:
    """Yield a run for each way in which masks, lengths and states are given or missing.

    One that the module takes as None too is passed in any case. `gone` are those that are missing.
    """
    for keys in sorted(node.without, key=lambda keys: (len(keys), sorted(keys))):
        presence = body.presence_of(node.arguments[min(keys)])
        decided = any(condition.presence == presence for condition in guard)
        if not decided and not _takes_none(node, keys):
            yield from _with_arguments(body, node, _under(guard, presence), gone)
            without = _under(guard, presence, holds=False)
            yield from _with_arguments(body, node, without, gone | keys)
            return
    yield Run(_without(node, gone), guard)


def _without(node: TypedNode, gone: frozenset[str]) -> TypedNode:
    """Return the node without the arguments of these keys."""
    less = node.without.get(gone)
    if less is None:
        return node
    operation = less.operation
    if isinstance(node.operation, Shared):
        operation = replace(node.operation, operation=operation)
    return replace(less, name=node.name, operation=operation, presence=node.presence)


def _running_order(body: Body, needed: set[str]) -> Iterable[TypedNode]:
    """Return the nodes in running order, what only training needs where it keeps nothing alive.

    That is as soon as its sources are there, or just before it is read if it reads only inputs.
    """
    if not body.training:
        return body.order
    end = len(body.order)
    place: dict[str, int] = {}
    for index, node in enumerate(body.order):
        after = (place[name] for name in _sources(node) if name in place)
        place[node.name] = index if node.name in needed else max(after, default=-1)
    readers: dict[str, int] = {}
    for node in reversed(body.order):
        if place[node.name] < 0:
            place[node.name] = readers.get(node.name, end)
        for name in _sources(node):
            readers[name] = min(readers.get(name, end), place[node.name])
    return sorted(body.order, key=lambda node: (place[node.name], node.name not in needed))


def _sources(node: TypedNode) -> list[str]:
    """Return the names of the nodes and inputs that a node reads."""
    return [value.name.partition(".")[0] for value in node.arguments.values()]


def may_lack_a_source(body: Body, node: TypedNode) -> bool:
    """Return whether a node runs although one of its sources may be missing."""
    sources = map(body.presence_of, node.arguments.values())
    return not all(implies(node.presence, presence) for presence in sources)


def nullable(body: Body) -> Iterator[Value]:
    """Yield the values that are read or returned also where they are missing, and then are None."""
    if not body.optional:
        return
    for node in body.single_nodes:
        leaf = unwrap(node.operation)
        decided = {key for keys in node.without for key in keys if not _takes_none(node, keys)}
        if isinstance(leaf, Leaf) and leaf.lowering.fallback is not None:
            decided.add("input")
        for key, value in node.arguments.items():
            if key not in decided and not implies(node.presence, body.presence_of(value)):
                yield value
    yield from (value for value in body.outputs.values() if body.presence_of(value) != ALWAYS)


def _takes_none(node: TypedNode, keys: frozenset[str]) -> bool:
    """Return whether the module takes None for these arguments, so that one call serves both ways."""
    if node.over is not None:
        return False  # an argument is folded only where it is given
    operation, less = unwrap(node.operation), unwrap(node.without[keys].operation)
    assert isinstance(operation, Leaf) and isinstance(less, Leaf)
    whole, rest = operation.lowering, less.lowering
    if not isinstance(whole.call, Call) or whole.call.function != MODULE:
        return False
    named = tuple(
        (name, code)
        for name, code in whole.call.keywords
        if not (isinstance(code, Operand) and code.key in keys)
    )
    return replace(whole.call, keywords=named) == rest.call and whole.steps == rest.steps
