"""The rows of a typed graph: every node with its layer, shape, cost and sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from mimgraph.cost.bind_sizes import filled
from mimgraph.cost.cost import Cost, Costs
from mimgraph.ir.typed import Body, Repeated, Shared, TypedGraph, TypedNode
from mimgraph.ir.types import TensorType
from mimgraph.ir.walks import needed_in_eval
from mimgraph.summary.contents import Row, noted
from mimgraph.summary.node_text import (
    Run,
    dtype_text,
    op_text,
    runs,
    shape_text,
    shown_results,
    source_text,
)


class Rows:
    """Makes rows, with these sizes in place of names; those of each distinct body once."""

    def __init__(self, graph: TypedGraph, sizes: Mapping[str, int]) -> None:
        self.graph = graph
        self.costs = Costs(graph)
        self.sizes = sizes
        self.made: dict[Body, tuple[Row, ...]] = {}

    def inputs(self) -> list[Row]:
        """Those of the graph's inputs."""
        body = self.graph.body
        return [
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

    def nodes(self) -> list[Row]:
        """Those of its nodes, in the order they run."""
        always = needed_in_eval(self.graph.body)
        return [
            row if row.name in always else replace(row, only="in training")
            for row in self.body(self.graph.body)
        ]

    def outputs(self) -> Mapping[str, str]:
        """The shape of each output, and whether only training has it."""
        body = self.graph.body
        return {
            name: f"{self.filled(body.type_of(value))}"
            f"{noted('in training' if name in body.training else '')}"
            for name, value in body.outputs.items()
        }

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
            node.op_name,
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
        operation = node.operation
        if operation.branches:
            return [self.row(item, by_name) for item in operation.branches]
        if operation.items:
            rows = (self.row(item, {}) for item in operation.items)
            return [replace(row, name=str(i), sources=()) for i, row in enumerate(rows)]
        if isinstance(operation, Repeated) and not operation.shared:
            return [self.run(run) for run in runs(operation)]
        is_open = operation.bodies and not operation.merge
        return self.body(operation.bodies[0]) if is_open else ()

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
    return len(node.operation.bodies) if node.operation.shared else 1
