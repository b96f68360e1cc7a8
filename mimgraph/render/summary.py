"""The table of a typed graph: every node with its layer, shape, weights and sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from mimgraph.ir.typed import (
    Body,
    Each,
    Leaf,
    Repeated,
    Sequence,
    TypedGraph,
    TypedNode,
    Use,
    needed_in_eval,
    op_name,
)
from mimgraph.render.labels import (
    Run,
    dtype_text,
    op_text,
    runs,
    shape_text,
    shown_results,
    source_text,
)

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Row:
    """An input or node. `name` is its key among its siblings, `text` says more of its layer.

    A row that stands for several `times` tells of the first; its name is the first one's number.
    `params` and `buffers` count elements, of one time and of all that is inside; `frozen` those of
    the params that are not learned. `only` says when it is there: an input that is "optional", a
    node "in training".
    """

    name: str
    layer: str
    shape: str
    dtype: str
    params: int = 0
    frozen: int = 0
    buffers: int = 0
    text: str = ""
    sources: tuple[str, ...] = ()
    times: int = 1
    children: tuple[Row, ...] = ()
    only: str = ""

    def data(self, path: str = "") -> Iterator[dict[str, Any]]:
        """The row as plain data, every time of it with all that is inside, names dotted."""
        for time in range(self.times):
            name = path + (self.name if self.times == 1 else str(int(self.name) + time))
            found: dict[str, Any] = {
                "name": name,
                "layer": self.layer,
                "shape": self.shape,
                "dtype": self.dtype,
                "params": self.params,
            }
            if self.only:
                found["only"] = self.only
            if self.children:
                found["children"] = [d for row in self.children for d in row.data(f"{name}.")]
            yield found


@dataclass(frozen=True, slots=True, repr=False)
class Summary:
    """Rows of the inputs and nodes in the order they run; it prints as a table, `data` is plain."""

    name: str
    rows: tuple[Row, ...]
    outputs: Mapping[str, str]
    constraints: tuple[str, ...]

    @property
    def params(self) -> int:
        """The elements of all parameters, a shared module's once."""
        return sum(row.params for row in self.rows)

    @property
    def frozen(self) -> int:
        """Those of them that are not learned."""
        return sum(row.frozen for row in self.rows)

    @property
    def buffers(self) -> int:
        """The elements that are kept but not learned."""
        return sum(row.buffers for row in self.rows)

    def data(self) -> list[dict[str, Any]]:
        """`[{name, layer, shape, dtype, params}]`, with `children` where there are any."""
        return [found for row in self.rows for found in row.data()]

    def __repr__(self) -> str:
        return "\n".join([self.name, "", *_table(list(_lines(self.rows))), "", *self._footer()])

    def _footer(self) -> Iterator[str]:
        buffers = f", buffers: {self.buffers:,}" if self.buffers else ""
        frozen = ""
        if self.frozen:
            frozen = f" ({self.params - self.frozen:,} trainable, {self.frozen:,} frozen)"
        yield f"Parameters: {self.params:,}{frozen}{buffers}"
        inputs = (row for row in self.rows if row.layer == "Input")
        told = (f"{row.name} {row.shape} {row.dtype}{_noted(row.only)}" for row in inputs)
        yield f"Inputs: {', '.join(told)}"
        yield f"Outputs: {', '.join(f'{name} {shape}' for name, shape in self.outputs.items())}"
        if self.constraints:
            yield f"At run time: {', '.join(self.constraints)}"


def summary(graph: TypedGraph) -> Summary:
    """The table of a graph."""
    body = graph.body
    inputs = [
        Row(
            *(name, "Input", str(type_), type_.dtype),
            text="Input",
            only="optional" if name in body.optional else "",
        )
        for name, type_ in body.inputs.items()
    ]
    always = needed_in_eval(body)
    nodes = [
        row if row.name in always else replace(row, only="in training")
        for row in _Rows().body(body)
    ]
    rows = (*inputs, *nodes)
    outputs = {
        name: f"{body.type_of(value)}{_noted('in training' if name in body.training else '')}"
        for name, value in body.outputs.items()
    }
    return Summary(graph.name, rows, outputs, tuple(map(str, graph.constraints)))


def _noted(only: str) -> str:
    return f" ({only})" if only else ""


class _Rows:
    """Makes rows; those of each distinct body once, however often it is used."""

    def __init__(self) -> None:
        self.made: dict[int, tuple[Row, ...]] = {}

    def body(self, body: Body) -> tuple[Row, ...]:
        if id(body) not in self.made:
            by_name = body.by_name
            nodes = body.order
            if body.is_chain:
                (chain,) = body.nodes
                self.made[id(body)] = self.row(chain, by_name).children
            else:
                self.made[id(body)] = tuple(self.row(node, by_name) for node in nodes)
        return self.made[id(body)]

    def row(self, node: TypedNode, by_name: Mapping[str, TypedNode]) -> Row:
        """The row of a node; of a frozen one, all params are."""
        row = self.thawed_row(node, by_name)
        return replace(row, frozen=row.params) if node.is_frozen else row

    def thawed_row(self, node: TypedNode, by_name: Mapping[str, TypedNode]) -> Row:
        """The row of a node; what shares a module counts nothing and shows nothing inside."""
        results = shown_results(node)
        sources = dict.fromkeys(source_text(value, by_name) for value in node.arguments.values())
        row = Row(
            node.name,
            op_name(node),
            shape_text(results),
            dtype_text(results),
            text=op_text(node),
            sources=tuple(sources),
        )
        match node.operation:
            case Leaf(lowering=lowering) if lowering.module is not None:
                module = lowering.module
                return replace(
                    row, params=_elements(module.weights), buffers=_elements(module.buffers)
                )
            case Each(items):
                return _holding(row, [self.row(item, by_name) for item in items])
            case Sequence(items):
                rows = (self.row(item, {}) for item in items)
                inside = [replace(r, name=str(i), sources=()) for i, r in enumerate(rows)]
                return _holding(row, inside)
            case Use(body, merge=merge):
                holding = _holding(row, self.body(body))
                return replace(holding, children=()) if merge else holding
            case Repeated(bodies, shared=shared):
                if shared:
                    return _holding(row, self.body(bodies[0]) if bodies else ())
                return _holding(row, [self.run(run) for run in runs(node.operation)])
        return row

    def run(self, run: Run) -> Row:
        """Equal repeats in a row."""
        outputs = {name: run.body.type_of(value) for name, value in run.body.outputs.items()}
        results = outputs if len(outputs) > 1 else {"": next(iter(outputs.values()))}
        row = Row(
            str(run.start),
            run.body.family,
            shape_text(results),
            dtype_text(results),
            text=run.text,
            times=run.times,
        )
        return _holding(row, self.body(run.body))


def _elements(shapes: Mapping[str, tuple[int, ...]]) -> int:
    return sum(map(prod, shapes.values()))


def _holding(row: Row, children: Iterable[Row]) -> Row:
    """A row with what is inside, which it counts."""
    inside = tuple(children)
    params = sum(child.params * child.times for child in inside)
    frozen = sum(child.frozen * child.times for child in inside)
    buffers = sum(child.buffers * child.times for child in inside)
    return replace(row, params=params, frozen=frozen, buffers=buffers, children=inside)


# The table as text.

_Line = tuple[str, ...]
_TITLES: _Line = ("Name", "Layer", "Output shape", "Dtype", "Params", "From")
_DTYPE, _PARAMS, _FROM = 3, 4, 5


def _lines(rows: Iterable[Row], depth: int = 0) -> Iterator[_Line]:
    """A line for each row, what is inside indented below it."""
    for row in rows:
        last = int(row.name) + row.times - 1 if row.times > 1 else 0
        name = f"{row.name} to {last}" if last else row.name
        sources = ", ".join(row.sources)
        text = f"{row.text}, {row.only}" if row.only else row.text
        yield "  " * depth + name, text, row.shape, row.dtype, f"{row.params:,}", sources
        children = row.children
        if len(children) == 1 and children[0].times > 1:  # the row itself says how often
            children = children[0].children
        yield from _lines(children, depth + 1)


def _table(lines: list[_Line]) -> Iterator[str]:
    """The lines in columns; the dtype only where it is not float32 everywhere, sources cut at the width."""
    shown = [
        i for i in range(len(_TITLES)) if i != _DTYPE or {line[i] for line in lines} != {"float32"}
    ]
    widths = [max(len(line[i]) for line in (_TITLES, *lines)) for i in shown]
    left = WIDTH - sum(widths[:-1]) - 2 * len(widths[:-1])
    widths[-1] = min(widths[-1], max(left, len(_TITLES[_FROM])))
    for number, line in enumerate((_TITLES, *lines)):
        cells = [
            line[i].rjust(width) if i == _PARAMS else _cut(line[i], width).ljust(width)
            for i, width in zip(shown, widths, strict=True)
        ]
        yield "  ".join(cells).rstrip()
        if number == 0:
            yield "  ".join("-" * width for width in widths)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
