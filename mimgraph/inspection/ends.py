"""The inputs and outputs of a graph as small frozen records: their types, and what the spec says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, TypeVar

from mimgraph.inspection.facts import source_text
from mimgraph.inspection.nodes import Origin, unknown
from mimgraph.ir import declared_graph as declared
from mimgraph.ir.dim import Size
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ir.types import Shape, TensorType
from mimgraph.support.entry_point import entry_points
from mimgraph.support.objects import FrozenDict

E = TypeVar("E")


@dataclass(frozen=True, slots=True, eq=False)
class _End:
    """An input or output: it has the attributes of its type, and is equal to a `TensorType` alike."""

    name: str
    type: TensorType

    @property
    def shape(self) -> Shape:
        """The shape as torch counts its axes, the batch `N` first."""
        return self.type.shape

    @property
    def dims(self) -> tuple[Size, ...]:
        """The sizes without the batch, if that is the first axis."""
        return self.type.dims

    @property
    def dtype(self) -> str:
        return self.type.dtype

    @property
    def vocab(self) -> int | None:
        """The number of categories, if the tensor holds indices of categories."""
        return self.type.vocab

    @property
    def rank(self) -> int:
        """The number of axes, the batch counted."""
        return self.type.rank

    @property
    def batched(self) -> bool:
        """Whether the first axis is the batch."""
        return self.type.batched

    @property
    def batch_axes(self) -> tuple[int, ...]:
        """The axes whose size depends on the batch."""
        return self.type.batch_axes

    @property
    def is_floating(self) -> bool:
        return self.type.is_floating

    @property
    def is_integer(self) -> bool:
        return self.type.is_integer

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return self.type.itemsize

    def __iter__(self) -> Iterator[Size]:
        return iter(self.type)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TensorType):
            return self.type == other
        if not isinstance(other, _End):
            return NotImplemented
        return type(self) is type(other) and self._said() == other._said()

    def _said(self) -> list[object]:
        """Return all but the origin."""
        return [getattr(self, one.name) for one in fields(self) if one.name != "origin"]

    def __hash__(self) -> int:
        return hash(self.type)

    def __str__(self) -> str:
        return str(self.type)


@dataclass(frozen=True, slots=True, eq=False)
class GraphInput(_End):
    """An input of a graph: `graph.inputs["image"].shape`, `.dtype`, `.vocab`, `.optional`, `.doc`.

    Two are equal wherever they were declared. A stage has no `origin` for what another sends it.
    """

    optional: bool = False
    doc: str = ""
    origin: Origin | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        vocab = "" if self.vocab is None else f", vocab {self.vocab}"
        optional = ", optional" if self.optional else ""
        return f"<Input {self.name}: {self.shape} {self.dtype}{vocab}{optional}>"


@dataclass(frozen=True, slots=True, eq=False)
class GraphOutput(_End):
    """An output of a graph: `graph.outputs["score"].shape`, `.dtype`, `.source`, `.only`, `.doc`.

    `source` is the node or port that it is, `only` is "training" if a model in evaluation does not
    return it, and `batch_dim` the axis to which the spec moves its batch.
    """

    source: str = ""
    only: Literal["training"] | None = None
    batch_dim: int | None = None
    doc: str = ""
    origin: Origin | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        source = "" if self.source == self.name else f" of {self.source}"
        only = f", only {self.only}" if self.only else ""
        return f"<Output {self.name}: {self.shape} {self.dtype}{source}{only}>"


@entry_points
class Ends(FrozenDict[str, E]):
    """The inputs or outputs of a graph by name."""

    __slots__ = ("_what",)

    def __init__(self, what: str, items: Mapping[str, E]) -> None:
        super().__init__(items)
        self._what = what

    def __getitem__(self, name: str) -> E:
        if name not in self._items:
            raise unknown(self._what, name, self._items)
        return self._items[name]


def inputs(graph: TypedGraph, spec: declared.Graph) -> Mapping[str, GraphInput]:
    """Return the inputs by name; `spec` declares the graph, or the graph that it is a stage of."""
    origins = {one.name: Origin(one.span) for one in spec.inputs}
    body = graph.body
    return Ends(
        "input",
        {
            name: GraphInput(
                *(name, type_, name in body.optional),
                graph.input_docs.get(name, ""),
                origins.get(name),
            )
            for name, type_ in body.inputs.items()
        },
    )


def outputs(graph: TypedGraph, spec: declared.Graph) -> Mapping[str, GraphOutput]:
    """Return the outputs by public name; `spec` declares the graph, or the graph that it is a stage of."""
    origins = {one.name: Origin(one.span) for one in spec.outputs}
    body = graph.body
    return Ends(
        "output",
        {
            name: GraphOutput(
                *(name, type_, source_text(body.outputs[name], body.by_name)),
                "training" if name in body.training else None,
                body.batch_dims.get(name),
                graph.output_docs.get(name, ""),
                origins.get(name),
            )
            for name, type_ in body.output_types.items()
        },
    )
