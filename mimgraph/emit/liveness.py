"""Find where each value of a forward dies, on every way through its conditions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, TypeAlias

from mimgraph.emit.steps import Condition, Guard, Step
from mimgraph.ir.typed_graph import Presence, Value


@dataclass(frozen=True, slots=True, eq=False)
class Fork:
    """Two ways, of which a condition chooses one."""

    presence: Presence | None
    then: Path
    otherwise: Path
    start: int  # the first step of both


Path: TypeAlias = list["int | Fork"]  # steps by their index
Live: TypeAlias = dict[Value, frozenset[Guard]]  # what is needed, and where
End: TypeAlias = "int | tuple[Fork, bool]"  # a step, or one way of a fork


def needed_by(step: Step) -> Iterable[Value]:
    """Return the values from before that a step needs."""
    if step.loop is None:
        return step.reads
    outside = [value for value in step.reads if value not in step.targets]
    return (*step.loop.carried.values(), *outside)


class Paths:
    """The steps as a tree of forks, and the liveness of their values.

    By the index of a step, `unread` are the values that it makes and nothing reads, and `live` the
    values that are needed after it, which is known only if there are forks.
    """

    def __init__(self, steps: list[Step], inputs: Iterable[str]) -> None:
        self.steps = steps
        self.inputs = frozenset(inputs)  # the caller holds them
        self.unread: dict[int, list[Value]] = {}
        self.live: dict[int, frozenset[Value]] = {}
        self.ends: dict[Value, dict[Guard, End]] = {}
        self.branches = any(step.guard for step in steps)
        self.made = _where_made(steps) if self.branches else {}
        every = list(range(len(steps)))
        self.whole: Path = list(_forked(steps, every, 0)) if self.branches else [*every]
        self._settle(self.whole, {}, ())
        self.ending: dict[End, dict[Value, None]] = {}  # a set, but in order
        for value, ends in self.ends.items():
            for end in ends.values():
                self.ending.setdefault(end, {})[value] = None

    def dying(self, index: int) -> list[Value]:
        """Return the locals that nothing needs after a step, in the order in which it reads them."""
        found: list[Value] = []
        ending = self.ending.get(index, ())
        for value in dict.fromkeys(needed_by(self.steps[index])) if ending else ():
            if value in ending and value.name not in self.inputs:
                found.append(value)
        return found

    def gone(self, fork: Fork, holds: bool) -> list[Value]:
        """Return the locals that one way of a fork does not need, in the order in which they are made."""
        return sorted(self.ending.get((fork, holds), ()), key=lambda v: self.made[v].first)

    def _settle(self, path: Path, live: Live, guard: Guard) -> Live:
        """Return the values that are live before a path if `live` are live after it."""
        here = frozenset([guard])
        for part in reversed(path):
            if isinstance(part, Fork):
                live = self._settle_fork(part, live, guard)
                continue
            step = self.steps[part]
            if self.branches:
                self.live[part] = frozenset(live)
            self.unread[part] = []
            for target in step.targets:
                if target not in live and self._end(target, guard, part):
                    self.unread[part].append(target)
            for target in step.targets:
                live.pop(target, None)
            for value in needed_by(step):
                if value not in live and value not in step.targets:
                    self._end(value, guard, part)
                live[value] = live[value] | here if value in live else here
        return live

    def _settle_fork(self, fork: Fork, live: Live, guard: Guard) -> Live:
        before: Live = {}
        sides: dict[Condition, Live] = {}
        for path, holds in ((fork.then, True), (fork.otherwise, False)):
            way = Condition(fork.presence, holds)
            later = {v: gs for v, gs in live.items() if not all(way.otherwise in g for g in gs)}
            sides[way] = self._settle(path, later, (*guard, way))
            for value, guards in sides[way].items():
                before[value] = before.get(value, frozenset()) | guards
        for way, needed in sides.items():
            for value in before:
                if value not in needed and self._is_local(value, fork, (*guard, way)):
                    self._end(value, (*guard, way), (fork, way.holds))
        return before

    def _end(self, value: Value, guard: Guard, end: End) -> bool:
        """Record that a value dies there, so no later on the same way; return whether it does.

        It does not if it dies later on a way that this one is a part of.
        """
        ends = self.ends.setdefault(value, {})
        if not ends:
            ends[guard] = end
            return True
        here = set(guard)
        later = [other for other in ends if not any(way.otherwise in here for way in other)]
        if not all(here <= set(other) for other in later):
            return False
        for other in later:
            del ends[other]
        ends[guard] = end
        return True

    def _is_local(self, value: Value, fork: Fork, guard: Guard) -> bool:
        """Return whether a value is made before a fork wherever these conditions hold."""
        made = self.made.get(value)
        return (
            made is not None
            and made.first < fork.start
            and any(conditions <= set(guard) for conditions in made.where)
        )


class _Made(NamedTuple):
    """The first step that makes a value, and the conditions under which any step does."""

    first: int
    where: set[frozenset[Condition]]


def _where_made(steps: list[Step]) -> dict[Value, _Made]:
    """Return where each value is made; on both ways of a condition is the same as under neither."""
    first: dict[Value, int] = {}
    guards: dict[Value, set[Guard]] = {}
    for index, step in enumerate(steps):
        for target in step.targets:
            first.setdefault(target, index)
            guards.setdefault(target, set()).add(step.guard)
    for found in guards.values():
        for guard in sorted(found, key=len, reverse=True):
            while guard and (*guard[:-1], guard[-1].otherwise) in found:
                guard = guard[:-1]
                found.add(guard)
    return {value: _Made(first[value], set(map(frozenset, guards[value]))) for value in first}


def _forked(steps: list[Step], indices: list[int], depth: int) -> Iterator[int | Fork]:
    """Yield the steps below `depth` conditions, those under one condition together in a fork."""

    def decides(index: int) -> Condition | None:
        guard = steps[index].guard
        return guard[depth]._replace(holds=True) if len(guard) > depth else None

    for condition, group in groupby(indices, key=decides):
        run = list(group)
        if condition is None:
            yield from run
            continue
        then, otherwise = (
            [index for index in run if steps[index].guard[depth].holds is holds]
            for holds in (True, False)
        )
        yield Fork(
            condition.presence,
            list(_forked(steps, then, depth + 1)),
            list(_forked(steps, otherwise, depth + 1)),
            run[0],
        )
