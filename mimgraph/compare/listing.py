"""List the changes of a difference: each once, though a block is used often; and those to show."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from mimgraph.compare.equality import comparable
from mimgraph.compare.model import BodyChanges, Change, Difference, Edit, InnerBody, dotted
from mimgraph.cost.cost import Cost
from mimgraph.ir.amount import Amount
from mimgraph.ir.expression import Variable, to_text, variables


def grouped(root: BodyChanges) -> Iterator[Change]:
    """Return the changes, those that are the same in all uses of a block as one."""
    groups: dict[Hashable, list[Change]] = {}
    for change in _counted(root):
        effects = () if change.edits or change.was else _distinctive(change.effects)
        edits = comparable(tuple(map(_as_written, change.edits)))
        what = change.status, change.kind, change.label, change.op, edits, comparable(effects)
        groups.setdefault(what, []).append(change)
    return map(_joined, groups.values())


def _counted(root: BodyChanges) -> Iterator[Change]:
    """Yield the changes of each body once, at the first place of its use, with the number of uses."""
    uses: dict[BodyChanges, _Uses] = {root: _Uses("", "", 1, (1, 1))}
    for inside in _outer_first(root):
        outer = uses[inside]
        for change in inside.changes:
            yield _placed(change, inside, outer)
        for inner in inside.inner:
            here = outer.inside(inner)
            before = uses.get(inner.inside)
            uses[inner.inside] = here if before is None else before.plus(here)


class _Uses(NamedTuple):
    """All uses of a body: the old and the new prefix of names in the first, and sums over all."""

    was: str
    name: str
    times: int
    runs: tuple[int, int]

    def inside(self, inner: InnerBody) -> _Uses:
        """Return the uses of a body that each of these uses contains."""
        names = dotted(self.was, inner.was), dotted(self.name, inner.name)
        runs = self.runs[0] * inner.runs[0], self.runs[1] * inner.runs[1]
        return _Uses(*names, self.times * inner.times, runs)

    def plus(self, more: _Uses) -> _Uses:
        """Return these uses and more uses of the same body."""
        runs = self.runs[0] + more.runs[0], self.runs[1] + more.runs[1]
        return self._replace(times=self.times + more.times, runs=runs)


def _outer_first(root: BodyChanges) -> list[BodyChanges]:
    """Return every body, each after the bodies that use it."""
    found: dict[BodyChanges, None] = {}

    def walk(inside: BodyChanges) -> None:
        if inside not in found:
            for inner in reversed(inside.inner):
                walk(inner.inside)
            found[inside] = None

    walk(root)
    return list(reversed(found))


def _placed(change: Change, inside: BodyChanges, uses: _Uses) -> Change:
    """Return a change under its name in the whole graph; a block is named, not a use of it."""
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


def _distinctive(effects: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """Return the effects on options, if any: they may be the same in uses that differ in shapes."""
    return tuple(effect for effect in effects if not effect.is_of_type) or effects


def _as_written(edit: Edit) -> Edit:
    """Return an edit with expressions for values, as those differ between the uses of a block."""
    return edit._replace(old=_expressed(edit.old), new=_expressed(edit.new))


def _expressed(value: Any) -> Any:
    """Return the expression that gave a value, `$(2 * C)`, or the value."""
    written = getattr(value, "written", None)
    if written is None or not variables(written):
        return value
    text = to_text(written)
    return f"${text}" if isinstance(written, Variable) else f"$({text})"


def _joined(changes: list[Change]) -> Change:
    """Return one change for all that are the same, with the effects that they have in common."""
    first, *others = changes
    if any(comparable(other.edits) != comparable(first.edits) for other in others):
        first = replace(first, edits=tuple(map(_as_written, first.edits)))
    effects = tuple(e for e in first.effects if all(e in other.effects for other in others))
    old, new = (Cost.sum(change.costs[which] for change in changes) for which in (0, 1))
    times = 1 if first.kind == "block" else sum(change.times for change in changes)
    return replace(first, effects=effects, costs=(old, new), times=times)


def _scaled(cost: Cost, times: int, runs: int) -> Cost:
    """Return the params of so many modules and the multiply-accumulates of so many runs."""
    params, frozen = cost.params * times, cost.frozen * times
    return Cost(params, frozen, macs=cost.macs * runs, uncounted=cost.uncounted)


def author_changes(difference: Difference) -> list[Change]:
    """Return what the author changed, in the order of the graph."""
    return [change for change in difference.changes if change.status != "follows"]


def effects_to_show(difference: Difference) -> list[Change]:
    """Return the changes that have effects, without outputs: their nodes show the same."""
    having = [
        change
        for change in difference.changes
        if change.status in ("changed", "follows")
        and change.kind != "output"
        and (change.effects or _costs_other(change))
    ]
    outer = {change.name for change in having}
    return list(_without_repetition([c for c in having if _is_shown(c, outer)]))


def _costs_other(change: Change) -> bool:
    """Return whether the params or multiply-accumulates changed."""
    old, new = ((cost.params, cost.macs, bool(cost.uncounted)) for cost in change.costs)
    return old != new


def _without_repetition(shown: list[Change]) -> Iterator[Change]:
    """Leave out a node whose inner nodes show all of its effects."""
    inner: dict[str, list[Change]] = {}
    for change in shown:
        name = change.name
        while name := name.rpartition(".")[0]:
            inner.setdefault(name, []).append(change)
    for change in shown:
        innermost = [c for c in inner.get(change.name, ()) if c.name not in inner]
        if change.status == "changed" or not _show_all(innermost, change):
            yield change


def _show_all(inner: list[Change], outer: Change) -> bool:
    """Return whether inner changes have all effects of the outer one, and add up to its cost."""
    effects = [effect for change in inner for effect in change.effects]
    more = [_more(change) for change in inner if change.times == outer.times]
    return all(effect in effects for effect in outer.effects) and (
        sum(params for params, _ in more),
        Amount.sum(macs for _, macs in more),
    ) == _more(outer)


def _more(change: Change) -> tuple[int, Amount]:
    """Return how many more params and multiply-accumulates there are."""
    old, new = change.costs
    return new.params - old.params, new.macs + old.macs * -1


def _is_shown(change: Change, outer: set[str]) -> bool:
    """Return whether effects are worth a line: not on an inner node that only has other shapes or
    MACs, which the line of the outer node includes."""
    head, dot, _ = change.name.partition(".")
    return (
        not dot
        or change.status == "changed"
        or change.params[0] != change.params[1]
        or not all(effect.is_of_type for effect in change.effects)
        or (head not in outer and change.costs[0].macs != change.costs[1].macs)
    )
