"""The details of one box or cluster, or of both sides of a comparison, as data independent of graphs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from mimgraph.cost.cost import Cost
from mimgraph.source import Excerpt
from mimgraph.summary.numbers import Count, memory, number, short

Origin: TypeAlias = Literal["given", "default", "inferred"]


class OptionValue(NamedTuple):
    """An option and its value as text; `inferred` if the shapes of the inputs decide it."""

    name: str
    value: str
    origin: Origin = "given"


class Result(NamedTuple):
    """A tensor that a node returns; a single one has no port, the pair of an LSTM's `state` no dtype."""

    port: str
    shape: str
    dtype: str


class Source(NamedTuple):
    """A source that a node reads, and the argument that it fills if the op names several."""

    source: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """All that is known about an input, node, item of a chain, block or output.

    Repeats that are drawn once are `copies`: their options and shapes are spans, `64…256`, and
    their cost is that of all. `notes` are remarks: `frozen`, `× 3`, `shares tail`. `spec` are the
    lines that the user wrote, `code` the emitted lines (of the first copy).
    """

    op: str
    options: tuple[OptionValue, ...] = ()
    results: tuple[Result, ...] = ()
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()
    doc: str = ""
    cost: Cost = field(default_factory=Cost)
    copies: int = 1
    spec: tuple[Excerpt, ...] = ()
    code: tuple[Excerpt, ...] = ()

    def data(self) -> dict[str, Any]:
        """Return the detail as JSON data, with the cost as short numbers by name."""
        return {
            "op": self.op,
            "options": [option._asdict() for option in self.options],
            "results": [result._asdict() for result in self.results],
            "sources": [source._asdict() for source in self.sources],
            "notes": list(self.notes),
            "doc": self.doc,
            "copies": self.copies,
            "cost": _cost_rows(self.cost),
            "spec": [excerpt._asdict() for excerpt in self.spec],
            "code": [excerpt._asdict() for excerpt in self.code],
        }


def _cost_rows(cost: Cost, count: Count = short) -> dict[str, str]:
    """Return the parts of a cost that are not zero, `{"MACs per sample": "6.29 G"}`; with the batch size N in
    the number if the cost grows faster than the batch."""
    per = ""
    if not cost.crosses_samples:
        cost, per = cost.at({"N": 1}), " per sample"
    rows = {
        "parameters": cost.params and count(cost.params),
        "frozen parameters": cost.frozen and count(cost.frozen),
        "buffers": cost.buffers and count(cost.buffers),
        f"MACs{per}": cost.macs and count(cost.macs),
        f"activations{per}": cost.activations and memory(cost.activations),
        "MACs not counted for": ", ".join(sorted(cost.uncounted)),
    }
    return {name: str(text) for name, text in rows.items() if text}


class ComparedDetail(NamedTuple):
    """The details of one item of a comparison in the old and in the new graph; None where it is not."""

    old: Detail | None
    new: Detail | None

    def data(self) -> dict[str, Any]:
        """Return `{"old": {...}, "new": {...}}`, both as `Detail.data`; an added item has no `old`,
        a removed one no `new`. Numbers that are equal only when short are exact."""
        found = {side: one.data() for side, one in self._asdict().items() if one is not None}
        if self.old is not None and self.new is not None:
            exact = [_cost_rows(side.cost, number) for side in (self.old, self.new)]
            for name in exact[0].keys() & exact[1].keys():
                numbers = [found[side]["cost"] for side in ("old", "new")]
                if exact[0][name] != exact[1][name] and numbers[0][name] == numbers[1][name]:
                    numbers[0][name], numbers[1][name] = exact[0][name], exact[1][name]
        return found
