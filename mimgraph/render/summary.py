"""The summary of a typed graph: every node with its layer, shape, cost and sources."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mimgraph.analysis.cost import Cost, Costs
from mimgraph.analysis.sizes import check_fits, checked, filled
from mimgraph.ir.typed import (
    Body,
    Each,
    Repeated,
    Sequence,
    Shared,
    TypedGraph,
    TypedNode,
    Use,
    needed_in_eval,
    op_name,
    unwrap,
)
from mimgraph.ir.types import TensorType
from mimgraph.render import columns, markup
from mimgraph.render.contents import Contents, Row, noted
from mimgraph.render.fold import check_depth
from mimgraph.render.labels import (
    Run,
    dtype_text,
    op_text,
    runs,
    shape_text,
    shown_results,
    source_text,
)
from mimgraph.render.records import csv_text, records, work

WIDTH = 100  # of what no terminal shows


@dataclass(frozen=True, slots=True, repr=False)
class Summary(Contents):
    """The contents of a graph; it prints as a table, `data` is plain.

    What is inside the rows is all in `data`, however deep the table shows it.
    """

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
        """`[{name, layer, shape, dtype, from, params, macs, activations}]`, with `children` where there
        are any, and `frozen`, `buffers`, `only` ("optional", "in training") and `shares`, the node whose
        module it uses; `from` has the names that its block gives the sources.

        A repeat has a child for each time and counts them all. Where its times share weights it has
        `loops` instead, how many they are, and its children tell of one.
        """
        return [found for row in self.rows for found in records(row)]

    def totals(self) -> dict[str, Any]:
        """`{params, frozen, buffers, macs, activations, training: {macs, activations}}`, of the whole
        model; `training` is what a forward does in training alone."""
        total = self.total
        return {
            "params": total.params,
            "frozen": total.frozen,
            "buffers": total.buffers,
            **work(total),
            "training": work(self.training),
        }

    def text(self, width: int = WIDTH) -> str:
        """The table, as wide as this if it can be."""
        return columns.text(self, width)

    def markdown(self) -> str:
        """The table as Markdown."""
        return markup.markdown(self)

    def csv(self) -> str:
        """The rows as CSV, those inside below what holds them; the last, without a name, is the total."""
        return csv_text(self.data(), self.totals())

    def __repr__(self) -> str:
        """The table as wide as the terminal, in ASCII where that shows no more."""
        shown = self.text(shutil.get_terminal_size().columns if _is_terminal() else WIDTH)
        return columns.encodable(shown, getattr(sys.stdout, "encoding", None) or "utf-8")

    def _repr_html_(self) -> str:
        return markup.html(self)

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
    check_depth(depth)
    if batch is not None and (isinstance(batch, bool) or not isinstance(batch, int) or batch < 1):
        raise ValueError(f"batch is an integer of at least 1, not {batch!r}")
    if batch is not None:
        check_fits("batch", batch)
    constraints = checked(graph, sizes)
    try:
        made = _Rows(graph, sizes if batch is None else {**sizes, "N": batch}).summary()
    except ArithmeticError:
        raise ValueError("with these sizes a number of the table does not fit 64 bits") from None
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
                name,
                "Input",
                str(self.filled(type_)),
                type_.dtype,
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
            f"{noted('in training' if name in body.training else '')}"
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
            loops=_loops(node),
            shares=node.operation.owner if isinstance(node.operation, Shared) else "",
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


def _loops(node: TypedNode) -> int:
    """How often what is inside runs, with the same weights."""
    match unwrap(node.operation):
        case Repeated(bodies, shared=True):
            return len(bodies)
    return 1
