"""The search space of a graph: a read-only mapping from each searched param to its choices."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from mimgraph.infer.search import Guard, Read, holds, reads, when
from mimgraph.ir.declared_graph import Graph
from mimgraph.ir.declared_values import Choices, Dimension

if TYPE_CHECKING:
    from mimgraph.search.prove import Proof

Suggest: TypeAlias = Callable[[str, Dimension], Any]
MOST_CASES = 100_000  # combinations of choices of ops that are counted one by one


class Space(Mapping[str, Dimension]):
    """The searched params of a spec, in the order of its text."""

    def __init__(self, declared: Graph) -> None:
        self._declared = declared
        self._by_name = declared.spaces

    def __getitem__(self, name: str) -> Dimension:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return (
            f"<space of {len(self)} params: {', '.join(f'{n}: {one}' for n, one in self.items())}>"
        )

    @cached_property
    def reads(self) -> Mapping[str, list[Read]]:
        """The places that read each param, with the choices under which they do."""
        return reads(self._declared)

    @cached_property
    def when(self) -> Mapping[str, frozenset[Guard]]:
        """The choices under which each searched param is asked: under any of these guards."""
        return {name: when(self.reads[name], self._by_name) for name in self}

    @property
    def defaults(self) -> dict[str, Any]:
        """The default of each param."""
        return {name: one.default for name, one in self.items()}

    def asked(self, values: Mapping[str, Any] | None = None) -> list[str]:
        """Return the names of the params that the graph reads where params have these values; others
        have their defaults."""
        known = {**self.defaults, **(values or {})}
        return [name for name in self if holds(self.when[name], known)]

    def point(self, suggest: Suggest) -> dict[str, Any]:
        """Return a value for each param that is asked, as a function of its name and space suggests.

            graph.space.point(lambda name, space: space.default)

        They are asked in the order of the text, but after the choices on which they depend.
        """
        found: dict[str, Any] = {}
        while (name := self.next_asked(found)) is not None:
            found[name] = suggest(name, self[name])
        return {name: found[name] for name in self if name in found}

    def next_asked(self, values: Mapping[str, Any]) -> str | None:
        """Return the first param that is asked where these have values; None if there is no other."""
        asked = (name for name in self if name not in values and holds(self.when[name], values))
        return next(asked, None)

    def prove(self, number: int = 1000, seed: int = 0) -> Proof:
        """Check that each point gives a graph without a fault: a number of points, or all if they are
        fewer.

            proof = graph.space.prove(1000)
            proof.checked, proof.failed, proof.diagnostics

        Each diagnostic says in its note which values the points have that have this fault.
        """
        from mimgraph.search.prove import prove

        return prove(self, self._declared, number, seed)

    def ray(self) -> dict[str, Any]:
        """Return the space as Ray Tune takes it, a domain for each param.

            tune.Tuner(train, param_space=graph.space.ray())

        In the function that is tuned `graph.with_params(config)` is the graph of a point.
        """
        from mimgraph.search.ray import ray_space

        return ray_space(self)

    @cached_property
    def size(self) -> float:
        """The number of points, `math.inf` if there is no end of them, or if the deciding choices
        have too many combinations to count.

        Points that differ only in params that are not asked count once.
        """
        sizes = [self._size(group) for group in self._groups()]
        return math.inf if math.inf in sizes else math.prod(sizes)

    def _groups(self) -> list[list[str]]:
        """Return the asked params in groups: those in different groups do not depend on each other."""
        groups: list[set[str]] = []
        for name in self:
            if self.when[name]:
                linked = {name, *(one for guard in self.when[name] for one, _ in guard)}
                joined = [group for group in groups if group & linked]
                groups = [group for group in groups if not group & linked]
                groups.append(linked.union(*joined))
        return [[name for name in self if name in group] for group in groups]

    def _size(self, group: list[str]) -> float:
        """Return the number of points of a group of params that depend on each other."""
        deciding = {one for name in group for guard in self.when[name] for one, _ in guard}
        cases = [self[name] for name in group if name in deciding]
        if math.prod(one.size for one in cases) > MOST_CASES:
            return math.inf
        return sum(self._sizes(group, deciding, {}))

    def _sizes(
        self, group: list[str], deciding: set[str], values: dict[str, Any]
    ) -> Iterator[float]:
        """Yield the number of points for each combination of the deciding params that are asked."""
        asked = [name for name in group if name not in values and holds(self.when[name], values)]
        first = next((name for name in asked if name in deciding), None)
        if first is None:
            sizes = [self[name].size for name in asked]
            yield math.inf if math.inf in sizes else math.prod(sizes)
            return
        space = self[first]
        assert isinstance(space, Choices)
        for value in space.values:
            yield from self._sizes(group, deciding, {**values, first: value})
