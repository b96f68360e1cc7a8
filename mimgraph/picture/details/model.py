"""What can be told of one thing in a picture, as data that knows no graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from mimgraph.cost.cost import Cost
from mimgraph.source import Excerpt

Origin: TypeAlias = Literal["given", "default", "inferred"]


class Choice(NamedTuple):
    """An option with its value as text; what the input decides is `inferred`."""

    name: str
    value: str
    origin: Origin = "given"


class Result(NamedTuple):
    """A tensor that comes out; a sole one has no port, the pair of an LSTM's `state` no dtype."""

    port: str
    shape: str
    dtype: str


class Read(NamedTuple):
    """What goes in, and the argument that it fills where the op names several."""

    source: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """What can be told of an input, node, item, block or output.

    What is drawn once for `copies` of it, repeats of a block, has the options and shapes of all,
    `64…256`, and what they cost together. `notes` are remarks: `frozen`, `× 3`, `shares tail`.
    `spec` is what the user wrote, `code` what was made of it, of copies the first.
    """

    op: str
    options: tuple[Choice, ...] = ()
    results: tuple[Result, ...] = ()
    sources: tuple[Read, ...] = ()
    notes: tuple[str, ...] = ()
    doc: str = ""
    cost: Cost = field(default_factory=Cost)
    copies: int = 1
    spec: tuple[Excerpt, ...] = ()
    code: tuple[Excerpt, ...] = ()

    def data(self) -> dict[str, Any]:
        """The same as JSON holds it; `macs`, and `activations` in bytes, are texts where they depend
        on sizes, and without the layers in `uncounted`."""
        cost = self.cost
        return {
            "op": self.op,
            "options": [choice._asdict() for choice in self.options],
            "results": [result._asdict() for result in self.results],
            "sources": [source._asdict() for source in self.sources],
            "notes": list(self.notes),
            "doc": self.doc,
            "copies": self.copies,
            "params": cost.params,
            "frozen": cost.frozen,
            "buffers": cost.buffers,
            "macs": cost.macs.value,
            "activations": cost.activations.value,
            "uncounted": sorted(cost.uncounted),
            "spec": [excerpt._asdict() for excerpt in self.spec],
            "code": [excerpt._asdict() for excerpt in self.code],
        }
