"""Find the locals of a forward that can share a name, because each replaces the one before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TypeAlias

from mimgraph.emit.forward.liveness import Paths
from mimgraph.emit.forward.plan import Plan
from mimgraph.emit.forward.steps import WHOLE, Loop, Step, is_flat, is_list
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
        self.kept = {plan.values.resolve(value) for value in _shared_or_merged(plan.body)}
        # the first step that makes a value
        self.maker = {value: step for step in reversed(plan.steps) for value in step.targets}
        # the steps that make a value, one on each way through the conditions
        self.makers = _makers(plan.steps) if paths.branches else {}
        self.all: list[Chain] = []
        self.of: dict[Value, Chain] = {}
        # the locals that no later step needs, in the order in which they are read
        self.dying = [
            [value for value in paths.dying(index) if value.name not in plan.body.inputs]
            for index in range(len(plan.steps))
        ]
        for step, dying in zip(plan.steps, self.dying, strict=True):
            for target in step.targets:
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
    yield from (value for value, readers in Counter(read).items() if readers > 1)


def _makers(steps: Iterable[Step]) -> Mapping[Value, list[int]]:
    """Return the steps that make each value, by their index."""
    found: dict[Value, list[int]] = {}
    for index, step in enumerate(steps):
        for target in step.targets:
            found.setdefault(target, []).append(index)
    return found
