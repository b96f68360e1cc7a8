"""A difference of two graphs as data: what was edited, what follows from it, and where."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, TypeAlias

from mimgraph.analysis.cost import Cost
from mimgraph.analysis.equality import plain

Status: TypeAlias = Literal["added", "removed", "changed", "follows"]
Kind: TypeAlias = Literal["graph", "param", "input", "node", "block", "output"]


class Edit(NamedTuple):
    """What differs, as it was and as it is; None where there was or is nothing."""

    what: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one thing: `edits` are what the author did, `effects` what follows from that
    or from other changes.

    `name` is dotted, that of what is removed as it was; `was` is another name that it had. What is
    the same at several places is told once, `times` over: `name` is the first of them, and `label`
    stands for all, `residual.conv` or `emb.*`. `costs` are those of all of them, once and now.
    """

    status: Status
    kind: Kind
    name: str
    op: str = ""
    was: str = ""
    edits: tuple[Edit, ...] = ()
    effects: tuple[Edit, ...] = ()
    costs: tuple[Cost, Cost] = (Cost(), Cost())
    label: str = ""
    times: int = 1

    @property
    def params(self) -> tuple[int, int]:
        """The learned elements, once and now."""
        return self.costs[0].params, self.costs[1].params

    @property
    def told_as(self) -> str:
        """The name, or what stands for all of them."""
        return self.name if self.times == 1 else self.label


class Inner(NamedTuple):
    """Where a body is used in another: the prefix of its names, once and now; how often in a row."""

    was: str
    name: str
    inside: Inside
    times: int


@dataclass(slots=True, eq=False)
class Inside:
    """What changed in a body of a `family`, in its own names; `renamed` are those that it calls
    otherwise now."""

    family: str
    changes: list[Change] = field(default_factory=list)
    inner: list[Inner] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.changes or self.inner)

    def everywhere(self, was: str = "", name: str = "") -> Iterator[Change]:
        """Every change at each place where it is drawn: of equal repeats in a row at the first."""
        for change in self.changes:
            prefix = was if change.status == "removed" else name
            old = dotted(was, change.was or change.name)
            yield replace(change, name=dotted(prefix, change.name), was=old)
        for inner in self.inner:
            yield from inner.inside.everywhere(dotted(was, inner.was), dotted(name, inner.name))

    def names(self, was: str = "", name: str = "") -> Iterator[tuple[str, str]]:
        """Old and new names of what is called otherwise; those of what is inside follow."""
        for old, new in self.renamed.items():
            yield dotted(was, old), dotted(name, new)
        for inner in self.inner:
            yield from inner.inside.names(dotted(was, inner.was), dotted(name, inner.name))

    def told_once(self) -> Iterator[Change]:
        """The changes, one for all that are the same in the uses of one block."""
        groups: dict[Hashable, list[Change]] = {}
        for change in self._counted():
            effects = () if change.edits or change.was else change.effects
            what = change.status, change.kind, change.label, change.op
            groups.setdefault((*what, plain(change.edits), plain(effects)), []).append(change)
        return map(_joined, groups.values())

    def _counted(self) -> Iterator[Change]:
        """The changes of each body that is used, with the first of its places and their number."""
        times: dict[Inside, int] = {self: 1}
        first: dict[Inside, tuple[str, str]] = {self: ("", "")}
        for inside in _outer_first(self):
            was, name = first[inside]
            for change in inside.changes:
                yield _placed(change, inside, was, name, times[inside])
            for inner in inside.inner:
                times[inner.inside] = times.get(inner.inside, 0) + times[inside] * inner.times
                place = dotted(was, inner.was), dotted(name, inner.name)
                first.setdefault(inner.inside, place)


@dataclass(frozen=True, slots=True)
class Difference:
    """All that changed between two graphs; false if nothing did.

    `constraints` are those that need not hold any more, and those that must hold now; `costs` are
    those of the whole.
    """

    names: tuple[str, str]
    changes: tuple[Change, ...]
    constraints: tuple[tuple[str, ...], tuple[str, ...]]
    costs: tuple[Cost, Cost]
    inside: Inside

    def __bool__(self) -> bool:
        return bool(self.changes)


def dotted(prefix: str, name: str) -> str:
    """Both with a dot between them, or the one that is not empty."""
    return f"{prefix}.{name}" if prefix and name else prefix or name


def _outer_first(root: Inside) -> list[Inside]:
    """Every body, each after those that use it."""
    found: dict[Inside, None] = {}

    def walk(inside: Inside) -> None:
        if inside not in found:
            for inner in reversed(inside.inner):
                walk(inner.inside)
            found[inside] = None

    walk(root)
    return list(reversed(found))


def _placed(change: Change, inside: Inside, was: str, name: str, times: int) -> Change:
    """A change as it is told of the whole graph."""
    prefix = was if change.status == "removed" else name
    old, new = change.costs
    return replace(
        change,
        name=dotted(prefix, change.name),
        was=dotted(was, change.was) if change.was else "",
        label=dotted(inside.family, change.label or change.name),
        costs=(_scaled(old, times), _scaled(new, times)),
        times=times,
    )


def _joined(changes: list[Change]) -> Change:
    """One change for those that are the same, with the effects that all have."""
    first, *others = changes
    effects = tuple(e for e in first.effects if all(e in other.effects for other in others))
    old, new = (Cost.sum(change.costs[which] for change in changes) for which in (0, 1))
    times = sum(change.times for change in changes)
    return replace(first, effects=effects, costs=(old, new), times=times)


def _scaled(cost: Cost, times: int) -> Cost:
    """The params and multiplications of so many."""
    return Cost(params=cost.params * times, macs=cost.macs * times, uncounted=cost.uncounted)
