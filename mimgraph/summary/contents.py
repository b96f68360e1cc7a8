"""What a summary tells, as data: a row for every input and node, and what is true of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mimgraph.cost.cost import Cost


@dataclass(frozen=True, slots=True)
class Row:
    """An input or node. `name` is its key among its siblings, `text` says more of its layer.

    A row that stands for several `times` tells of the first; its name is the first one's number.
    `cost` is that of one time, with all that is inside, `total` of all. `loops` is how often what is
    inside runs with the same weights; what is inside tells of one time. `only` says when it is
    there: an input that is "optional", a node "in training"; `shares` whose module it uses.
    """

    name: str
    layer: str
    shape: str
    dtype: str
    cost: Cost = field(default_factory=Cost)
    text: str = ""
    sources: tuple[str, ...] = ()
    times: int = 1
    loops: int = 1
    children: tuple[Row, ...] = ()
    only: str = ""
    shares: str = ""

    @property
    def total(self) -> Cost:
        """The cost of all times."""
        return self.cost if self.times == 1 else self.cost * self.times


@dataclass(frozen=True, slots=True, repr=False)
class Contents:
    """Rows of the inputs and nodes in the order they run, the outputs, and the costs of the whole.

    `total` is the cost of the model, at this `batch` or of one sample, `training` what a forward
    in training adds. Tables show what is inside down to this `depth`.
    """

    name: str
    rows: tuple[Row, ...]
    outputs: Mapping[str, str]
    constraints: tuple[str, ...]
    total: Cost
    training: Cost
    batch: int | None = None
    depth: int | None = None


def noted(only: str) -> str:
    """What is there at times only, in parentheses."""
    return f" ({only})" if only else ""
