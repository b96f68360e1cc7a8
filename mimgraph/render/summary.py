"""The rows of a typed graph: every node with its layer, shape, cost and sources, as data."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mimgraph.analysis.cost import Cost, Costs
from mimgraph.analysis.sizes import checked, filled
from mimgraph.ir.typed import (
    Body,
    Each,
    Repeated,
    Sequence,
    TypedGraph,
    TypedNode,
    Use,
    needed_in_eval,
    op_name,
)
from mimgraph.ir.types import TensorType
from mimgraph.render import table
from mimgraph.render.labels import (
    Run,
    dtype_text,
    op_text,
    runs,
    shape_text,
    shown_results,
    source_text,
)

WIDTH = 100  # of what no terminal shows


@dataclass(frozen=True, slots=True)
class Row:
    """An input or node. `name` is its key among its siblings, `text` says more of its layer.

    A row that stands for several `times` tells of the first; its name is the first one's number.
    `cost` is that of one time, with all that is inside. `only` says when it is there: an input that
    is "optional", a node "in training".
    """

    name: str
    layer: str
    shape: str
    dtype: str
    cost: Cost = field(default_factory=Cost)
    text: str = ""
    sources: tuple[str, ...] = ()
    times: int = 1
    children: tuple[Row, ...] = ()
    only: str = ""

    def data(self, path: str = "") -> Iterator[dict[str, Any]]:
        """The row as plain data, every time of it with all that is inside, names dotted.

        A number that depends on sizes is a text, one that is not known None.
        """
        cost = self.cost
        for time in range(self.times):
            name = path + (self.name if self.times == 1 else str(int(self.name) + time))
            found: dict[str, Any] = {
                "name": name,
                "layer": self.layer,
                "shape": self.shape,
                "dtype": self.dtype,
                "params": cost.params,
                "macs": None if cost.uncounted else cost.macs.value,
                "activations": cost.activations.value,
            }
            more = {"frozen": cost.frozen, "buffers": cost.buffers, "only": self.only}
            found |= {key: value for key, value in more.items() if value}
            if self.children:
                found["children"] = [d for row in self.children for d in row.data(f"{name}.")]
            yield found


@dataclass(frozen=True, slots=True, repr=False)
class Summary:
    """Rows of the inputs and nodes in the order they run; it prints as a table, `data` is plain.

    `total` is the cost of the model, at this `batch` or of one sample, `training` what a forward
    in training adds. The table shows what is inside down to this `depth`, `data` all of it.
    """

    name: str
    rows: tuple[Row, ...]
    outputs: Mapping[str, str]
    constraints: tuple[str, ...]
    total: Cost
    training: Cost
    batch: int | None = None
    depth: int | None = None

    @property
    def params(self) -> int:
        """The elements of all parameters, a shared module's once."""
        return self.total.params

    @property
    def frozen(self) -> int:
        """Those of them that are not learned."""
        return self.total.frozen

    @property
    def buffers(self) -> int:
        """The elements that are kept but not learned."""
        return self.total.buffers

    @property
    def macs(self) -> int | str | None:
        """The multiply-accumulates of a forward; a text if they depend on sizes, None if unknown."""
        return None if self.total.uncounted else self.total.macs.value

    @property
    def activations(self) -> int | str:
        """The bytes of what a forward makes; a text if they depend on sizes."""
        return self.total.activations.value

    def data(self) -> list[dict[str, Any]]:
        """`[{name, layer, shape, dtype, params, macs, activations}]`, with `children` where there are any."""
        return [found for row in self.rows for found in row.data()]

    def text(self, width: int = WIDTH) -> str:
        """The table, as wide as this if it can be."""
        return table.text(self, width)

    def markdown(self) -> str:
        """The table as Markdown."""
        return table.markdown(self)

    def csv(self) -> str:
        """The rows as CSV, those inside below what holds them."""
        return table.csv_text(self.data())

    def __repr__(self) -> str:
        """The table as wide as the terminal, in ASCII where that shows no more."""
        shown = self.text(shutil.get_terminal_size().columns if _is_terminal() else WIDTH)
        return table.encodable(shown, getattr(sys.stdout, "encoding", None) or "utf-8")

    def _repr_html_(self) -> str:
        return table.html(self)

    def _repr_markdown_(self) -> str:
        return self.markdown()


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def summary(
    graph: TypedGraph,
    batch: int | None = None,
    sizes: Mapping[str, int] | None = None,
    depth: int | None = None,
) -> Summary:
    """The table of a graph, for this batch and these sizes of names; a `ValueError` tells what is
    wrong with those."""
    sizes = sizes or {}
    if batch is not None and (isinstance(batch, bool) or not isinstance(batch, int) or batch < 1):
        raise ValueError(f"batch is an integer of at least 1, not {batch!r}")
    constraints = checked(graph, sizes)
    try:
        made = _Rows(graph, sizes if batch is None else {**sizes, "N": batch}).summary()
    except ArithmeticError:
        raise ValueError("with these sizes one passes 64 bits") from None
    return replace(made, constraints=tuple(map(str, constraints)), batch=batch, depth=depth)


class _Rows:
    """Makes rows, with these sizes in place of names; those of each distinct body once."""

    def __init__(self, graph: TypedGraph, sizes: Mapping[str, int]) -> None:
        self.graph = graph
        self.costs = Costs(graph)
        self.sizes = sizes
        self.made: dict[Body, tuple[Row, ...]] = {}

    def summary(self) -> Summary:
        body = self.graph.body
        inputs = [
            Row(
                *(name, "Input", str(self.filled(type_)), type_.dtype),
                text="Input",
                only="optional" if name in body.optional else "",
            )
            for name, type_ in body.inputs.items()
        ]
        always = needed_in_eval(body)
        nodes = [
            row if row.name in always else replace(row, only="in training")
            for row in self.body(body)
        ]
        outputs = {
            name: f"{self.filled(body.type_of(value))}"
            f"{table.noted('in training' if name in body.training else '')}"
            for name, value in body.outputs.items()
        }
        total, training = self.cost(self.costs.total), self.cost(self.costs.training)
        return Summary(self.graph.name, (*inputs, *nodes), outputs, (), total, training)

    def filled(self, type_: TensorType) -> TensorType:
        return filled(type_, self.sizes) if self.sizes else type_

    def all_filled(self, types: Mapping[str, TensorType]) -> Mapping[str, TensorType]:
        return {port: self.filled(type_) for port, type_ in types.items()}

    def cost(self, cost: Cost) -> Cost:
        return cost.at({"N": 1, **self.sizes})

    def body(self, body: Body) -> tuple[Row, ...]:
        if body not in self.made:
            by_name = body.by_name
            if body.is_chain:
                (chain,) = body.nodes
                self.made[body] = self.row(chain, by_name).children
            else:
                self.made[body] = tuple(self.row(node, by_name) for node in body.order)
        return self.made[body]

    def row(self, node: TypedNode, by_name: Mapping[str, TypedNode]) -> Row:
        """The row of a node."""
        results = self.all_filled(shown_results(node))
        sources = dict.fromkeys(source_text(value, by_name) for value in node.arguments.values())
        return Row(
            node.name,
            op_name(node),
            shape_text(results),
            dtype_text(results),
            self.cost(self.costs.node(node)),
            text=op_text(node),
            sources=tuple(sources),
            children=tuple(self.inside(node, by_name)),
        )

    def inside(self, node: TypedNode, by_name: Mapping[str, TypedNode]) -> Iterable[Row]:
        """The rows of what is in a node; what shares a module shows nothing inside."""
        match node.operation:
            case Each(items):
                return [self.row(item, by_name) for item in items]
            case Sequence(items):
                rows = (self.row(item, {}) for item in items)
                return [replace(row, name=str(i), sources=()) for i, row in enumerate(rows)]
            case Use(body, merge=""):
                return self.body(body)
            case Repeated((body, *_), shared=True):
                return self.body(body)
            case Repeated(shared=False):
                return [self.run(run) for run in runs(node.operation)]
        return ()

    def run(self, run: Run) -> Row:
        """Equal repeats in a row."""
        outputs = {name: run.body.type_of(value) for name, value in run.body.outputs.items()}
        results = outputs if len(outputs) > 1 else {"": next(iter(outputs.values()))}
        return Row(
            str(run.start),
            run.body.family,
            shape_text(self.all_filled(results)),
            dtype_text(results),
            self.cost(self.costs.body(run.body)),
            text=run.text,
            times=run.times,
            children=self.body(run.body),
        )
