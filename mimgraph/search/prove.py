"""Check many points of a search space, and say which combinations of values cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeAlias

from mimgraph.cost.within_limits import infer_within_limits
from mimgraph.diagnostics import Diagnostic, Report, SpecError, in_order
from mimgraph.infer.search import PointTypes
from mimgraph.infer.state import State
from mimgraph.ir.declared_graph import Graph
from mimgraph.search.explain import Explainer, Rule, rules_text
from mimgraph.search.points import Point, every_point, random_point, random_points
from mimgraph.search.space import Space
from mimgraph.support.progress import progress

MORE = 12  # further points at which a rule is tried

# what makes a fault of two points the same: the sizes in its message may differ
Key: TypeAlias = tuple[str, str, int, int, str]


@dataclass(frozen=True, slots=True)
class Impossible:
    """A fault that some points have: the diagnostic of the first, how many, and what they have in common.

    Every point that was checked and matches a rule has the fault; `example` is the first of them.
    """

    diagnostic: Diagnostic
    points: int
    rules: tuple[Rule, ...]
    example: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proof:
    """What checking a space found: how many points were `checked` of how many, and what cannot be."""

    checked: int
    size: float
    failed: int
    impossible: tuple[Impossible, ...] = field(default=())

    @property
    def is_whole(self) -> bool:
        """Whether every point of the space was checked."""
        return self.checked == self.size

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """A diagnostic of each fault, with the values of the points that have it as a note."""
        found = []
        for one in self.impossible:
            text = f"{one.points:,} of {self.checked:,} points: {rules_text(one.rules)}"
            note = f"{one.diagnostic.note}; {text}" if one.diagnostic.note else text
            found.append(replace(one.diagnostic, note=note))
        return in_order(found)

    def __str__(self) -> str:
        whole = "all" if self.is_whole else "some"
        return f"{whole} {self.checked:,} points checked, {self.failed:,} cannot be"


def prove(space: Space, declared: Graph, number: int, seed: int) -> Proof:
    """Check a number of points, all of them if there are no more; others are drawn with the seed."""
    is_whole = space.size <= number
    points = every_point(space) if is_whole else random_points(space, number, Random(seed))
    checker = _Checker(space, declared, Random(seed))
    tried: list[Point] = []
    with progress("checking points", total=int(min(space.size, number))) as step:
        for point in points:
            tried.append(point)
            checker.faults(point)
            step()
    with progress("explaining faults"):
        impossible = checker.impossible(tried, is_whole)
    failed = sum(bool(checker.faults(point)) for point in tried)
    return Proof(len(tried), space.size, failed, impossible)


class _Checker:
    """Checks points, each once."""

    def __init__(self, space: Space, declared: Graph, random: Random) -> None:
        self.space, self.declared, self.random = space, declared, random
        self.types = PointTypes(declared)
        self._faults: dict[str, dict[Key, Diagnostic]] = {}

    def faults(self, point: Point) -> dict[Key, Diagnostic]:
        """Return the faults of the graph at a point."""
        known = repr(point)
        if known not in self._faults:
            found = faults_at(self.declared, point, self.types)
            self._faults[known] = {_key(fault): fault for fault in reversed(found)}
        return self._faults[known]

    def impossible(self, tried: list[Point], is_whole: bool) -> tuple[Impossible, ...]:
        """Return each fault of the points, with what the points that have it have in common."""
        groups: dict[Key, list[Point]] = {}
        for point in tried:
            for key in self.faults(point):
                groups.setdefault(key, []).append(point)
        found = []
        for key, points in groups.items():

            def fails(point: Point, key: Key = key) -> bool:
                return key in self.faults(point)

            explainer = Explainer(self.space, tried, fails, None if is_whole else self._more)
            first = points[0]
            found.append(
                Impossible(self.faults(first)[key], len(points), tuple(explainer.rules()), first)
            )
        return tuple(found)

    def _more(self, given: Point) -> Iterator[Point]:
        """Yield some more points with these values."""
        yield from (random_point(self.space, self.random, given) for _ in range(MORE))


def faults_at(declared: Graph, point: Mapping[str, Any], types: PointTypes) -> list[Diagnostic]:
    """Return the faults of a graph at a point, in the order of the text; `types` has what was typed at
    other points."""
    given = {name: declared.params[name]._replace(value=value) for name, value in point.items()}
    report = Report()
    state = State({}, report, known=types)
    try:
        infer_within_limits(replace(declared, params={**declared.params, **given}), report, state)
    except SpecError as error:
        return error.diagnostics
    return in_order(report.diagnostics)


def _key(fault: Diagnostic) -> Key:
    span = fault.span
    return fault.code, span.file.name, span.line, span.column, fault.node
