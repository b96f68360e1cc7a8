"""Make the rows of a table: every input and node with its layer, shape, cost and sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, NamedTuple

from mimgraph.cost.bind_sizes import filled
from mimgraph.cost.cost import Cost, Costs
from mimgraph.cost.limits import Used
from mimgraph.inspection.facts import source_text
from mimgraph.ir.dim import Size, substitute
from mimgraph.ir.typed_graph import Body, Fold, TypedGraph, TypedNode
from mimgraph.ir.typed_operations import Repeated, Shared
from mimgraph.ir.typed_walks import needed_in_eval
from mimgraph.ir.types import TensorType
from mimgraph.summary.node_text import arguments_text, op_text


@dataclass(frozen=True, slots=True)
class Row:
    """The row of an input or node.

    `name` is its key in the module around it, `text` its layer with options. A row can stand for
    several equal repeats (`times`): its name is the number of the first, `cost` that of one, with all
    inside. `loops` is how often the rows inside run with the same weights; they count one run. `only`
    is "optional" for an input, "in training" for a node that nothing needs in eval. `shares` names
    the node whose module it uses.
    """

    name: str
    layer: str
    shape: str
    dtype: str
    cost: Cost = field(default_factory=Cost)
    text: str = ""
    sources: tuple[str, ...] = ()
    times: int = 1
    loops: int | str = 1
    children: tuple[Row, ...] = ()
    only: str = ""
    shares: str = ""

    @property
    def total(self) -> Cost:
        """The cost of all repeats that the row stands for."""
        return self.cost if self.times == 1 else self.cost * self.times


@dataclass(frozen=True, slots=True)
class Contents:
    """What a table shows: rows of inputs and nodes in running order, outputs, and costs.

    `total` is the cost of the model for this `batch`, or for one sample; `training` is what a forward
    in training adds. Tables show rows inside rows down to `depth`. `limits` say how much of each limit is
    used, for the sizes that the limits state.
    """

    name: str
    rows: tuple[Row, ...]
    outputs: Mapping[str, str]
    constraints: tuple[str, ...]
    total: Cost
    training: Cost
    batch: int | None = None
    depth: int | None = None
    limits: tuple[Used, ...] = ()
    limit_sizes: Mapping[str, int] = field(default_factory=dict)


def noted(only: str) -> str:
    """Return ` (optional)`, or nothing."""
    return f" ({only})" if only else ""


class Rows:
    """Makes the rows of a graph, with numbers for the given named sizes; each body is done once."""

    def __init__(self, graph: TypedGraph, sizes: Mapping[str, int]) -> None:
        self.graph = graph
        self.costs = Costs(graph)
        self.sizes: Mapping[str, Size] = sizes
        self.samples: Size = sizes.get("N", 1)  # for which costs are counted
        self.made: dict[Body, tuple[Row, ...]] = {}

    def inputs(self) -> list[Row]:
        """Return the rows of the graph's inputs."""
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
        """Return the rows of its nodes, in running order."""
        always = needed_in_eval(self.graph.body)
        return [
            row if row.name in always else replace(row, only="in training")
            for row in self.body(self.graph.body)
        ]

    def outputs(self) -> Mapping[str, str]:
        """Return the shape of each output, with a note if only training gives it."""
        body = self.graph.body
        return {
            name: f"{self.filled(type_)}{noted('in training' if name in body.training else '')}"
            for name, type_ in body.output_types.items()
        }

    def filled(self, type_: TensorType) -> TensorType:
        """Return a type with the given sizes."""
        return filled(type_, self.sizes) if self.sizes else type_

    def all_filled(self, types: Mapping[str, TensorType]) -> Mapping[str, TensorType]:
        """Return types by port with the given sizes."""
        return {port: self.filled(type_) for port, type_ in types.items()}

    def cost(self, cost: Cost) -> Cost:
        """Return a cost for the given sizes, and for one sample if no batch is given."""
        return cost.at({**self.sizes, "N": self.samples})

    def over(self, fold: Fold) -> Rows:
        """Return what makes the rows inside a node that folds an axis into the batch."""
        inner = copy(self)
        inner.made = {}
        inner.samples = self.samples * substitute(fold.size, self.sizes)
        if "N" in self.sizes:
            inner.sizes = {**self.sizes, "N": inner.samples}
        return inner

    def body(self, body: Body) -> tuple[Row, ...]:
        """Return the rows of the nodes of a body."""
        if body not in self.made:
            by_name = body.by_name
            if body.is_chain:
                (chain,) = body.nodes
                self.made[body] = self.row(chain, by_name).children
            else:
                self.made[body] = tuple(self.row(node, by_name) for node in body.order)
        return self.made[body]

    def row(self, node: TypedNode, by_name: Mapping[str, TypedNode]) -> Row:
        """Return the row of a node, whose sources are among `by_name`."""
        results = self.all_filled(_shown_results(node))
        sources = dict.fromkeys(source_text(value, by_name) for value in node.arguments.values())
        return Row(
            node.name,
            node.op_name,
            _shape_text(results),
            _dtype_text(results),
            self.cost(self.costs.node(node)),
            text=op_text(node),
            sources=tuple(sources),
            loops=_loops(node, self.sizes),
            shares=node.operation.owner if isinstance(node.operation, Shared) else "",
            children=tuple(self.inside(node, by_name)),
        )

    def inside(self, node: TypedNode, by_name: Mapping[str, TypedNode]) -> Iterable[Row]:
        """Return the rows inside a node; a node that shares a module has none."""
        operation = node.operation
        maker = self if node.fold is None else self.over(node.fold)
        if operation.branches:
            return [maker.row(item, by_name) for item in operation.branches]
        if operation.items:
            rows = (maker.row(item, {}) for item in operation.items)
            return [replace(row, name=str(i), sources=()) for i, row in enumerate(rows)]
        if isinstance(operation, Repeated) and not operation.shared:
            return [maker.run(run) for run in _runs(operation)]
        is_open = operation.bodies and not operation.merge
        return maker.body(operation.bodies[0]) if is_open else ()

    def run(self, run: _Run) -> Row:
        """Return the row of consecutive repeats that have one body."""
        results = run.body.results
        return Row(
            str(run.start),
            run.body.family,
            _shape_text(self.all_filled(results)),
            _dtype_text(results),
            self.cost(self.costs.body(run.body)),
            text=run.text,
            times=run.times,
            children=self.body(run.body),
        )


def _loops(node: TypedNode, sizes: Mapping[str, Size]) -> int | str:
    """Return how often the inside of a node runs with the same weights, as text if that depends on
    sizes that are not given."""
    times = substitute(node.operation.loops, sizes)
    return times if isinstance(times, int) else str(times)


class _Run(NamedTuple):
    """Consecutive repeats of a block that have one body."""

    start: int
    times: int
    body: Body
    arguments: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The block, its params and the number of repeats: `residual width=8 × 2`."""
        times = f"× {self.times}" if self.times > 1 else ""
        return " ".join(filter(None, (self.body.family, arguments_text(self.arguments), times)))


def _runs(repeated: Repeated) -> Iterator[_Run]:
    """Yield the repeats of a block, consecutive equal ones together."""
    start = 0
    for _, same in groupby(repeated.bodies, key=id):
        times = len(list(same))
        number = repeated.first + start
        yield _Run(number, times, repeated.bodies[start], repeated.arguments[start])
        start += times


def _shown_results(node: TypedNode) -> Mapping[str, TensorType]:
    """Return the default result as the port "", or all results if none is the default.

    For an `each`, whose items have rows of their own, the type that all have in common, if any.
    """
    if node.operation.branches:
        alike = len(set(node.results.values())) == 1
        return {"": next(iter(node.results.values()))} if alike else {}
    return node.results if node.type is None else {"": node.type}


def _shape_text(results: Mapping[str, TensorType]) -> str:
    """Return `(N, 64)`, or with the names of ports `output (N, T, 64), last (N, 64)`."""
    return ", ".join(f"{port} {type_}".lstrip() for port, type_ in results.items())


def _dtype_text(results: Mapping[str, TensorType]) -> str:
    """Return the dtype, or several if ports differ."""
    return ", ".join(dict.fromkeys(type_.dtype for type_ in results.values()))
