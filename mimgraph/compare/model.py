"""A difference of two graphs as data: what was edited, what follows from it, and where."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, TypeAlias

from mimgraph.compare.equality import comparable
from mimgraph.cost.cost import Cost
from mimgraph.ir.expression import Variable, to_text, variables

Status: TypeAlias = Literal["added", "removed", "changed", "follows"]
Kind: TypeAlias = Literal["graph", "param", "input", "node", "block", "output"]


class Edit(NamedTuple):
    """What differs, as it was and as it is; None where there was or is nothing."""

    what: str
    old: Any
    new: Any

    @property
    def is_of_type(self) -> bool:
        """Whether it tells of the type of a result."""
        return self.what.split()[-1] in ("shape", "dtype")


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
    """Where a body is used in another: the prefix of its names, once and now; how often in a row,
    and how often what is there ran and runs, which is more where it is shared."""

    was: str
    name: str
    inside: Inside
    times: int
    runs: tuple[int, int]


class _Uses(NamedTuple):
    """All uses of a body: the prefix of its names at the first, and their numbers as of an `Inner`."""

    was: str
    name: str
    times: int
    runs: tuple[int, int]

    def of(self, inner: Inner) -> _Uses:
        """Those of a body that is used in it."""
        names = dotted(self.was, inner.was), dotted(self.name, inner.name)
        runs = self.runs[0] * inner.runs[0], self.runs[1] * inner.runs[1]
        return _Uses(*names, self.times * inner.times, runs)

    def and_(self, more: _Uses) -> _Uses:
        """These and more."""
        runs = self.runs[0] + more.runs[0], self.runs[1] + more.runs[1]
        return self._replace(times=self.times + more.times, runs=runs)


@dataclass(slots=True, eq=False)
class Inside:
    """What changed in a body of a `family`, in its own names; `renamed` are those that it calls
    otherwise now, and `outputs` those of its outputs."""

    family: str
    changes: list[Change] = field(default_factory=list)
    inner: list[Inner] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)

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
            effects = () if change.edits or change.was else _telling(change.effects)
            edits = comparable(tuple(map(_as_written, change.edits)))
            what = change.status, change.kind, change.label, change.op, edits, comparable(effects)
            groups.setdefault(what, []).append(change)
        return map(_joined, groups.values())

    def _counted(self) -> Iterator[Change]:
        """The changes of each body that is used, with the first of its places and their number."""
        uses: dict[Inside, _Uses] = {self: _Uses("", "", 1, (1, 1))}
        for inside in _outer_first(self):
            outer = uses[inside]
            for change in inside.changes:
                yield _placed(change, inside, outer)
            for inner in inside.inner:
                here = outer.of(inner)
                before = uses.get(inner.inside)
                uses[inner.inside] = here if before is None else before.and_(here)


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


def _placed(change: Change, inside: Inside, uses: _Uses) -> Change:
    """A change as it is told of the whole graph; one of a block's head is told of no use."""
    if change.kind == "block":
        return replace(change, name=inside.family, label=inside.family)
    prefix = uses.was if change.status == "removed" else uses.name
    old, new = change.costs
    return replace(
        change,
        name=dotted(prefix, change.name),
        was=dotted(uses.was, change.was) if change.was else "",
        label=dotted(inside.family, change.label or change.name),
        costs=(_scaled(old, uses.times, uses.runs[0]), _scaled(new, uses.times, uses.runs[1])),
        times=uses.times,
    )


def _telling(effects: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """Those that are not of types, if there are any: options may be the same where shapes are not."""
    return tuple(effect for effect in effects if not effect.is_of_type) or effects


def _as_written(edit: Edit) -> Edit:
    """An edit of expressions, which have other values at each use of a block."""
    return Edit(edit.what, *map(_expressed, edit[1:]))


def _expressed(value: Any) -> Any:
    written = getattr(value, "written", None)
    if written is None or not variables(written):
        return value
    text = to_text(written)
    return f"${text}" if isinstance(written, Variable) else f"$({text})"


def _joined(changes: list[Change]) -> Change:
    """One change for those that are the same, with the effects that all have."""
    first, *others = changes
    if any(comparable(other.edits) != comparable(first.edits) for other in others):
        first = replace(first, edits=tuple(map(_as_written, first.edits)))
    effects = tuple(e for e in first.effects if all(e in other.effects for other in others))
    old, new = (Cost.sum(change.costs[which] for change in changes) for which in (0, 1))
    times = 1 if first.kind == "block" else sum(change.times for change in changes)
    return replace(first, effects=effects, costs=(old, new), times=times)


def _scaled(cost: Cost, times: int, runs: int) -> Cost:
    """The params of so many, and the multiplications of so many runs."""
    params, frozen = cost.params * times, cost.frozen * times
    return Cost(params, frozen, macs=cost.macs * runs, uncounted=cost.uncounted)
