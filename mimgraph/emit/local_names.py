"""Name the locals of a forward."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TypeAlias

from mimgraph.emit.liveness import Paths, needed_by
from mimgraph.emit.plan import Plan
from mimgraph.emit.steps import (
    WHOLE,
    Loop,
    Step,
    flat_name,
    is_flat,
    is_intermediate,
    is_list,
    is_unread,
)
from mimgraph.emit.tree import Local
from mimgraph.emit.values import argument_names, module_arguments, spelled
from mimgraph.ir.code import Code, Name
from mimgraph.ir.names import EMITTED, free_name
from mimgraph.ir.typed_graph import Body, Value
from mimgraph.ir.typed_operations import Leaf, Repeated, Scan, unwrap

Chain: TypeAlias = list[Value]


class Chains:
    """The locals of a plan as chains: a value follows another if its step is the last to need it.

    In `y = self.a(x); y = self.b(y)` the result of `b` follows that of `a`. Nothing follows a value
    that several nodes read, or that meets others in a merge.
    """

    def __init__(self, plan: Plan, paths: Paths) -> None:
        self.paths = paths
        self.kept = set(map(plan.values.resolve, _shared_or_merged(plan.body)))
        self.maker: dict[Value, Step] = {}  # the first step that makes a value
        # the steps that make a value, one on each way through the conditions
        self.makers = _makers(plan.steps) if paths.branches else {}
        self.all: list[Chain] = []
        self.of: dict[Value, Chain] = {}
        # the locals that no later step needs, in the order in which they are read
        self.dying: list[list[Value]] = []
        for index, step in enumerate(plan.steps):
            dying = paths.dying(index)
            self.dying.append(dying)
            for target in step.targets:
                self.maker.setdefault(target, step)
                if target not in self.of:  # else made in another way where something is missing
                    self._append(target, self._before(step, target, dying))

    def _before(self, step: Step, target: Value, dying: list[Value]) -> Value | None:
        """Return the value that a target follows, if any."""
        if step.loop is not None:
            value = step.loop.carried.get(target)
            if value is None or value not in dying or needed_in_loop(step, step.loop, target):
                return None
        elif len(dying) == 1 == len(step.targets):
            (value,) = dying
            if is_flat(value):  # which has the name of the source
                return None
        else:
            return None
        kept = value in self.kept or value.port == WHOLE or is_list(value)
        return None if kept or self._is_needed(self.of[value], target) else value

    def _is_needed(self, chain: Chain, target: Value) -> bool:
        """Return whether a value of the chain is needed after a step that makes the target."""
        return any(
            other != target and self.of.get(other) is chain
            for index in self.makers.get(target, ())
            for other in self.paths.live[index]
        )

    def _append(self, value: Value, before: Value | None) -> None:
        if before is None:
            self.all.append([])
        self.of[value] = self.all[-1] if before is None else self.of[before]
        self.of[value].append(value)

    def split(self, chain: Chain) -> Iterator[Chain]:
        """Yield the parts of a chain that get a name each.

        The result of a loop, and one of several results, are not called by the name of a later node.
        """
        part = chain[:1]
        for before, value in pairwise(chain):
            maker = self.maker[before]
            loop = self.maker[value].loop
            several = len(maker.targets) > 1 and loop is None
            if several or (
                maker.loop is not None and not _same_name(maker.loop, before, loop, value)
            ):
                yield part
                part = []
            part.append(value)
        yield part


def _same_name(one: Loop, before: Value, other: Loop | None, value: Value) -> bool:
    """Return whether two loops want the same name for a value and the one that follows it."""
    name = one.names.get(before)
    return other is not None and name is not None and name == other.names.get(value)


def needed_in_loop(step: Step, loop: Loop, target: Value) -> bool:
    """Return whether the value that a target is carried from is needed beside it in the loop."""
    before = loop.carried[target]
    others = (value for other, value in loop.carried.items() if other != target)
    return before in others or before in step.reads


def _shared_or_merged(body: Body) -> Iterator[Value]:
    """Yield the values that several nodes read, and those that meet others in a merge or block.

    Of the sources of a layer only the first is handed along; others, like a mask, are kept too.
    """
    read = list(body.outputs.values())
    for node in body.single_nodes:
        if len(node.arguments) == 1:
            read += node.arguments.values()
            continue
        sources = list(dict.fromkeys(node.arguments.values()))
        read += sources
        match unwrap(node.operation):
            case Leaf(kind="layer"):
                yield from sources[1:]
            case Repeated() | Scan():
                pass  # a loop assigns to what it carries
            case _ if len(sources) > 1:
                yield from sources
    for value, readers in Counter(read).items():
        if readers > 1:
            yield value


def _makers(steps: Iterable[Step]) -> Mapping[Value, list[int]]:
    """Return the steps that make each value, by their index."""
    found: dict[Value, list[int]] = {}
    for index, step in enumerate(steps):
        for target in step.targets:
            found.setdefault(target, []).append(index)
    return found


# Choose the name of every local and argument of a forward.


MAIN = "x"
UNREAD = "_"
AMBIGUOUS = ("l", "I", "O")  # names that linters refuse, and readers should


class LocalNames:
    """The name of every local of a plan whose steps are complete.

    A chain has the name of its last node; the one that ends in the result is `x`, if no input is.
    """

    def __init__(self, plan: Plan, paths: Paths) -> None:
        self.arguments = argument_names(plan.body)
        chains = Chains(plan, paths)
        self.dying = chains.dying
        modules = module_arguments(plan.body).values()
        unread = free_name(UNREAD, {*self.arguments.values(), *modules})
        reserved = {*self.arguments.values(), *modules, unread, *AMBIGUOUS, *EMITTED}
        rebound: dict[Value, Value] = {}
        wanted: dict[Value, str] = {}
        for index, step in enumerate(plan.steps):
            if step.loop is not None:
                rebound.update(_rebound(plan, paths, chains, step.loop, index))
                reserved.update(step.loop.variables)
                for value, loop_name in step.loop.names.items():
                    wanted[value] = spelled(loop_name)
        # of all results that nothing reads
        self._names = dict.fromkeys(filter(is_unread, chains.of), unread)
        main = None if MAIN in reserved else _main(plan, chains)
        parts: list[Chain] = []
        for chain in chains.all:
            if chain is not main:
                parts += chains.split(chain)
        ports = Counter(value.name for value in chains.of if not is_intermediate(value))
        if main is not None:
            reserved.add(MAIN)
            self._names.update(dict.fromkeys(main, MAIN))
        brief: dict[str, str] = {}  # of locals that live only while their node runs
        # what a step computes on its way to a result gives way to the names of the nodes
        for part in sorted(parts, key=lambda part: is_intermediate(part[-1])):
            named = part[-1]
            if named in self._names:  # what nothing reads
                continue
            if rebound:
                named = next((rebound[value] for value in part if value in rebound), named)
            given = wanted.get(named) or _name_of(named, ports[named.name] > 1)
            is_brief = is_list(named) or is_flat(named)
            name = brief.get(given) if is_brief else self.arguments.get(named.name)
            if name is None:
                name = free_name(given, reserved)
                reserved.add(name)
            if is_brief:
                brief[given] = name
            self._names.update(dict.fromkeys(part, name))

    def name(self, value: Value) -> str:
        """Return the name of a local or argument."""
        argument = self.arguments.get(value.name)
        return self._names[value] if argument is None else argument

    def named(self, part: Code) -> Code | None:
        """Return the name of a local; None for other code."""
        return Name(self.name(part.value)) if isinstance(part, Local) else None


def _rebound(
    plan: Plan, paths: Paths, chains: Chains, loop: Loop, index: int
) -> Iterator[tuple[Value, Value]]:
    """Yield each result of a loop that may take the name of the value it starts as, with that value.

    So a block rebinds its inputs, `a, b = layer(a, b)`; the inputs of the whole graph keep their names.
    """
    body, step = plan.body, plan.steps[index]
    if len(step.targets) > 1 or step.targets[0] in loop.names:
        for target, before in loop.carried.items():
            if before.name in body.inputs:
                is_free = body.family != "" and before in paths.ending.get(index, ())
            else:
                is_free = chains.of[before] is chains.of[target]
            plain = not before.port and target not in chains.kept
            wanted = loop.names.get(target, before.name) == before.name
            needed = needed_in_loop(step, loop, target)
            if plain and wanted and is_free and not needed:
                yield target, before


def _main(plan: Plan, chains: Chains) -> Chain | None:
    """Return the chain from the inputs to the one result, if no node of another has its name."""
    last = [value for value in dict.fromkeys(plan.steps[-1].reads) if value in chains.of]
    if len(plan.body.outputs) != 1 or len(last) != 1 or last[0] in chains.kept:
        return None
    main = chains.of[last[0]]
    others = (other for other, chain in chains.of.items() if chain is not main)
    is_taken = any(other.name == MAIN for other in others)
    return None if is_taken or last[0] not in _fed(plan) else main


def _fed(plan: Plan) -> set[Value]:
    """Return the inputs and all that is computed from them, not from tensors of the module alone."""
    found = {Value(name, "") for name in plan.body.inputs}
    for step in plan.steps:
        if not found.isdisjoint(needed_by(step)):
            found.update(step.targets)
    return found


def _name_of(value: Value, is_one_of_several: bool) -> str:
    """Return the name of a node; with the port if it has several results, or with the step."""
    if is_flat(value):
        return spelled(flat_name(value))
    name = value.name.replace(".", "_")  # of an item of an `each`
    port = value.port.lstrip("*").replace(".", "_")
    has_port = port != name if is_intermediate(value) else is_one_of_several
    return spelled(f"{name}_{port}" if port and has_port else name)
