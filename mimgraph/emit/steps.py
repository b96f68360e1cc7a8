"""Represent the steps of a forward: under which conditions each node runs, and assignments to values
without names yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

from mimgraph.emit.tree import Local
from mimgraph.ir.code import Call, Code, Operand, rebuild, walk
from mimgraph.ir.lowering import MODULE
from mimgraph.ir.typed_graph import ALWAYS, Body, Presence, TypedNode, Value, implies, single_nodes
from mimgraph.ir.typed_operations import Leaf, Shared, unwrap
from mimgraph.ir.typed_walks import needed_in_eval


class Condition(NamedTuple):
    """Whether optional inputs are given or, without a presence, whether the module is in training."""

    presence: Presence | None
    holds: bool = True

    @property
    def otherwise(self) -> Condition:
        """The opposite condition."""
        return self._replace(holds=not self.holds)


Guard = tuple[Condition, ...]  # the outermost first

WHOLE = "*"  # the port of all results of a call together
_UNREAD = "*unread"  # the port of the results of a call that nothing reads
_LIST = "*list "  # the port of a list of the results of a loop, before the name of the result

_FLAT = "*flat "  # the port of a source whose axis is folded into the batch, before its name


def is_intermediate(value: Value) -> bool:
    """Return whether a value is not a result of its node but computed on the way to one."""
    return value.port.startswith("*")


def unread(node: str) -> Value:
    """Return the value of a node that stands for each result of a call that nothing reads."""
    return Value(node, _UNREAD)


def is_unread(value: Value) -> bool:
    """Return whether a value stands for results that nothing reads, which are called `_`."""
    return value.port == _UNREAD


def list_of(node: str, output: str) -> Value:
    """Return the list of one result of a node's loop."""
    return Value(node, f"{_LIST}{output}")


def is_list(value: Value) -> bool:
    """Return whether a value is a list of results of a loop, not a tensor."""
    return value.port.startswith(_LIST)


def flat_of(node: str, source: str) -> Value:
    """Return a source of a node that runs over an axis, with this axis folded into the batch."""
    return Value(node, f"{_FLAT}{source}")


def is_flat(value: Value) -> bool:
    """Return whether a value is a source of a node with an axis folded into the batch."""
    return value.port.startswith(_FLAT)


def flat_name(value: Value) -> str:
    """Return the name of a source with an axis folded into the batch, `video_flat`."""
    return value.port.removeprefix(_FLAT).replace(".", "_") + "_flat"


@dataclass(slots=True, eq=False)
class Step:
    """One assignment, `targets = code`, maybe in a loop; without targets a `return`.

    It runs if all conditions of `guard` hold. `reads` are the values in `code`, `node` is the name of
    the node that it is part of.
    """

    targets: tuple[Value, ...]
    code: Code
    reads: tuple[Value, ...]
    comment: str = ""
    loop: Loop | None = None
    guard: Guard = ()
    node: str = ""


@dataclass(frozen=True, slots=True)
class Loop:
    """`for a, b in iterable:`; `carried` are the targets that start as another value, with it.

    `collected` are the targets that each time appends to a list, with the list. `names` has the names
    that values of the loop get if they are free.
    """

    variables: tuple[str, ...]
    iterable: Code
    carried: Mapping[Value, Value] = field(default_factory=dict)
    collected: Mapping[Value, Value] = field(default_factory=dict)
    names: Mapping[Value, str] = field(default_factory=dict)

    def is_inside(self, value: Value) -> bool:
        """Return whether a value is the result of one step, which nothing reads behind the loop.

        There is no `del` of it, nor of a variable: TorchScript knows them only inside the loop.
        """
        is_named = value in self.names or value in self.collected or is_unread(value)
        return is_named and value not in self.carried


def values_read(code: Code) -> list[Value]:
    """Return the values that a tree reads, in order."""
    return values_in(walk(code))


def values_in(parts: Iterable[Code]) -> list[Value]:
    """Return the values among the parts of a tree."""
    return [part.value for part in parts if type(part) is Local]


# Find the conditions under which each node runs, and with which of its arguments.
#
# An input may be left out, and some outputs are given in training only.


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
    for node in _running_order(body, needed) if body.training else body.order:
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


# Inline the calls of an `each` into the step that reads them all: `torch.cat((self.emb["a"](a),
# ...))`.


LOOKUPS = ("Embedding", "EmbeddingBag")


Waiting = dict[str, list[Step]]  # the calls that may be inlined, by the name of their `each`


def inlined(steps: list[Step], body: Body, outputs: Iterable[Value]) -> list[Step]:
    """Return the steps with the calls of each `each` inside the step that reads them in order.

    The calls read only inputs, so nothing lives longer. They still run before any step that stands
    between, unless they are lookups, whose order does not matter.
    """
    readers = Counter(outputs)
    for step in steps:
        readers.update(values_read(step.code))
        readers.update(step.loop.carried.values() if step.loop else ())
    sizes = Counter(step.targets[0].name.partition(".")[0] for step in steps)
    found: list[Step] = []
    waiting: Waiting = {}
    for step in steps:
        if each := _each_of(step, readers, body):
            waiting.setdefault(each, []).append(step)
            continue
        taken = _taken(step, waiting, sizes, body)
        calls = [call for name in taken for call in waiting.pop(name)]
        for name in [name for name in waiting if not _may_wait(name, waiting, step, body)]:
            found += waiting.pop(name)
        made = {call.targets[0]: call.code for call in calls}
        found.append(with_code(step, made) if made else step)
    return found + [call for calls in waiting.values() for call in calls]


def _taken(step: Step, waiting: Waiting, sizes: Mapping[str, int], body: Body) -> list[str]:
    """Return the names of the `each`s whose calls can stand in the step, in the order they run now."""
    read = _reads(step, waiting)
    names = list(dict.fromkeys(value.name.partition(".")[0] for value in read))
    in_order = [call.targets[0] for name in names for call in waiting[name]] == read
    whole = all(len(waiting[name]) == sizes[name] for name in names)
    fixed = [name for name in waiting if not _looks_up(body, name)]
    as_before = [name for name in names if name in fixed] in ([], fixed)
    return names if in_order and whole and as_before and _is_plain(step) else []


def _may_wait(name: str, waiting: Waiting, step: Step, body: Body) -> bool:
    """Return whether the calls of an `each` may run after a step."""
    return _looks_up(body, name) and not _reads(step, {name: waiting[name]})


def _each_of(step: Step, readers: Counter[Value], body: Body) -> str:
    """Return the `each` whose call on an input the step is, if it is read once; else ""."""
    name, is_item, _ = step.targets[0].name.partition(".")
    called = isinstance(step.code, Call) and len(step.targets) == 1 and _is_plain(step)
    once = readers[step.targets[0]] == 1
    from_inputs = all(value.name in body.inputs for value in step.reads)
    return name if is_item and called and once and from_inputs else ""


def _is_plain(step: Step) -> bool:
    """Return whether a step runs once and under no condition."""
    return step.loop is None and not step.guard


def _looks_up(body: Body, name: str) -> bool:
    """Return whether an `each` is of embeddings, which give the same at any time."""
    branches = body.by_name[name].operation.branches
    return all(one.op_name in LOOKUPS for one in branches)


def _reads(step: Step, waiting: Waiting) -> list[Value]:
    """Return the results of waiting calls that the step reads, in its order."""
    made = {call.targets[0] for calls in waiting.values() for call in calls}
    carried = step.loop.carried.values() if step.loop else ()
    return [value for value in (*values_read(step.code), *carried) if value in made]


def with_code(step: Step, made: Mapping[Value, Code]) -> Step:
    """Return the step with code in place of the locals that it makes."""
    code = rebuild(
        step.code, lambda part: made.get(part.value) if isinstance(part, Local) else None
    )
    return replace(step, code=code, reads=tuple(dict.fromkeys(values_read(code))))
