"""Say which values of which params make points fail: `fusion = dot with hidden = 63`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import Any, TypeAlias

from mimgraph.ir.declared_values import Choices, is_same, written
from mimgraph.search.points import Point
from mimgraph.search.space import Space

MOST_RULES = 6  # of one fault
SHOWN_RULES = 3  # of one fault, in its note
SHOWN_VALUES = 6  # of one param in a rule
MOST_STARTS = 20  # points from which rules are made
MOST_SUBSETS = 500  # sets of params of one size that are tried; if there are more, params are left out one by one


@dataclass(frozen=True, slots=True)
class Among:
    """Values that a rule allows a param: some choices, or from the lowest to the highest of `values`."""

    values: tuple[Any, ...]
    is_range: bool = field(default=False)

    def has(self, value: Any) -> bool:
        if self.is_range:
            return bool(self.values[0] <= value <= self.values[-1])
        return any(is_same(value, one) for one in self.values)

    def __str__(self) -> str:
        if self.is_range and len(self.values) > 2:
            return f"{_short(self.values[0])} to {_short(self.values[-1])}"
        more = len(self.values) - SHOWN_VALUES
        shown = [_short(value) for value in self.values[:SHOWN_VALUES]]
        return " or ".join([*shown, f"{more} more"] if more > 1 else map(_short, self.values))


Rule: TypeAlias = Mapping[str, Among]


def rules_text(rules: Sequence[Rule]) -> str:
    """Return rules in words: the first, which match most points, and the number of the others."""
    more = len(rules) - SHOWN_RULES
    shown = [rule_text(rule) for rule in rules[:SHOWN_RULES]]
    return "; ".join([*shown, f"and {more} more"] if more > 0 else shown)


def rule_text(rule: Rule) -> str:
    """Return a rule in words."""
    return " with ".join(f"{name} = {among}" for name, among in rule.items()) or "any values"


def matches(rule: Rule, point: Point) -> bool:
    """Return whether a point has the values of a rule."""
    return all(name in point and among.has(point[name]) for name, among in rule.items())


@dataclass(frozen=True, slots=True, eq=False)
class Explainer:
    """Finds the rules of one fault: each names few params, and every point that matches it fails.

    `fails` says whether a point has the fault; `more` yields further points that match, None if all points
    are tried.
    """

    space: Space
    tried: Sequence[Point]
    fails: Callable[[Point], bool]
    more: Callable[[Point], Iterator[Point]] | None

    def rules(self) -> list[Rule]:
        """Return rules that together match the points that fail, as far as few rules can; those that
        match most come first."""
        left = [point for point in self.tried if self.fails(point)]
        starts = left[:: max(1, len(left) // MOST_STARTS)]
        known = [self._widened(self._smallest(point)) for point in starts]
        found: list[Rule] = []
        while left and len(found) < MOST_RULES:
            best = max(known, key=lambda rule: sum(matches(rule, point) for point in left))
            if not any(matches(best, point) for point in left):
                best = self._widened(self._smallest(left[0]))
            found.append(best)
            left = [point for point in left if not matches(best, point)]
        return found

    def _smallest(self, point: Point) -> dict[str, Among]:
        """Return the rule of a point that has the fewest params; of these the one that matches most."""
        names = [*point]
        for size in range(len(names) + 1):
            if comb(len(names), size) > MOST_SUBSETS:
                return self._reduced(_rule(point, names))
            rules = (_rule(point, some) for some in combinations(names, size))
            if fine := [rule for rule in rules if self._holds(rule)]:
                return max(fine, key=lambda rule: sum(matches(rule, one) for one in self.tried))
        return _rule(point, names)

    def _reduced(self, rule: dict[str, Among]) -> dict[str, Among]:
        """Return the rule without the params that it does not need, left out one by one."""
        for name in [*rule]:
            fewer = {one: among for one, among in rule.items() if one != name}
            if self._holds(fewer):
                rule = fewer
        return rule

    def _holds(self, rule: Rule) -> bool:
        """Return whether all points that match a rule fail."""
        if not all(self.fails(point) for point in self.tried if matches(rule, point)):
            return False
        fixed = {name: among.values[0] for name, among in rule.items()}
        more = () if self.more is None else self.more(fixed)
        return all(self.fails(point) for point in more if matches(rule, point))

    def _widened(self, rule: dict[str, Among]) -> Rule:
        """Return the rule with all values of its params with which it still holds for what was tried."""
        for name, among in [*rule.items()]:
            (start,) = among.values
            others = {one: allowed for one, allowed in rule.items() if one != name}
            fine: dict[Any, bool] = {}
            known: dict[Any, Any] = {}
            for point in self.tried:
                if name in point and matches(others, point):
                    key = (type(point[name]), repr(point[name]))
                    fine[key] = fine.get(key, True) and self.fails(point)
                    known[key] = point[name]
            if isinstance(self.space[name], Choices):
                values = [v for v in self.space[name].values if fine.get((type(v), repr(v)))]  # type: ignore[union-attr]
                rule = {**rule, name: Among(tuple(values) or (start,))}
            else:
                rule = {**rule, name: Among(_run(start, known, fine), is_range=True)}
        return rule


def _rule(point: Point, names: Sequence[str]) -> dict[str, Among]:
    return {name: Among((point[name],)) for name in names}


def _run(start: Any, known: Mapping[Any, Any], fine: Mapping[Any, bool]) -> tuple[Any, ...]:
    """Return the values around one that are fine, up to the first below and above it that is not."""
    ordered = sorted((value, fine[key]) for key, value in known.items())
    below = [i for i, (value, ok) in enumerate(ordered) if value < start and not ok]
    above = [i for i, (value, ok) in enumerate(ordered) if value > start and not ok]
    low, high = (below[-1] + 1 if below else 0), (above[0] if above else len(ordered))
    return tuple(value for value, _ in ordered[low:high]) or (start,)


def _short(value: Any) -> str:
    """Return a value in a few characters."""
    return f"{value:.4g}" if isinstance(value, float) else written(value)
