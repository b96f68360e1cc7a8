"""The summary of a typed graph: prints as a table, and gives the same as plain data and CSV."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mimgraph.cost.bind_sizes import check_size, checked
from mimgraph.cost.cost import Cost
from mimgraph.cost.limits import Used, used
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.summary.rows import Contents, Row, Rows
from mimgraph.summary.text import text
from mimgraph.support.arguments import Depth, check_depth
from mimgraph.support.terminal import WIDTH, line_width, printable

_CSV_COLUMNS = (
    "name",
    "layer",
    "shape",
    "dtype",
    "params",
    "frozen",
    "buffers",
    "macs",
    "activations",
    "loops",
    "only",
    "from",
    "shares",
)


@dataclass(frozen=True, slots=True)
class Summary(Contents):
    """A table of a graph: shapes, parameters, multiply-accumulates and memory of every node.

    It prints as text; `data` has all rows, also those deeper than the printed table.
    """

    @property
    def params(self) -> int:
        """The number of elements of all parameters; a shared module counts once."""
        return self.total.params

    @property
    def frozen(self) -> int:
        """The number of elements of frozen parameters."""
        return self.total.frozen

    @property
    def buffers(self) -> int:
        """The number of elements of all buffers."""
        return self.total.buffers

    @property
    def macs(self) -> int | str | None:
        """The multiply-accumulates of a forward: text if they depend on sizes, None if not known."""
        return None if self.total.uncounted else self.total.macs.value

    @property
    def activations(self) -> int | str:
        """The bytes of the tensors that a forward makes: text if they depend on sizes."""
        return self.total.activations.value

    def data(self) -> list[dict[str, Any]]:
        """Return `[{name, layer, shape, dtype, from, params, macs, activations}]`, a dict for each node.

        Where they apply there are also `children`, `frozen`, `buffers`, `only` ("optional" or "in
        training") and `shares`, the node whose module is used; `from` has the names of sources inside
        the block. A repeated block has a child for each repeat, and counts them all. If its repeats
        share weights, or it is a scan, it has `loops`, how often it runs, and its children count one.
        """
        return [found for row in self.rows for found in _records(row)]

    def totals(self) -> dict[str, Any]:
        """Return `{params, frozen, buffers, macs, activations, training: {macs, activations}}` of the
        whole model; `training` is what a forward adds in training only.

        A graph with limits has `limits`, for each amount how much is `used` of the `limit`.
        """
        total = self.total
        return {
            "params": total.params,
            "frozen": total.frozen,
            "buffers": total.buffers,
            **_work(total),
            "training": _work(self.training),
            **({"limits": {one.name: _share(one) for one in self.limits}} if self.limits else {}),
        }

    def text(self, width: int = WIDTH, color: bool = False) -> str:
        """Return the table as text with lines of at most `width` characters, in short numbers.

        A narrow table wraps its cells and leaves out the columns of numbers.
        """
        return text(self, width, color)

    def markdown(self) -> str:
        """Return the table as Markdown."""
        from mimgraph.summary import markup  # most tables are printed as text

        return markup.markdown(self)

    def csv(self) -> str:
        """Return all rows as CSV, inner ones below theirs; the last, without a name, is the total."""
        return _csv_text(self.data(), self.totals())

    def __repr__(self) -> str:
        """Return the table as wide as the terminal, in ASCII if that has no other characters."""
        return printable(self.text(line_width(sys.stdout)))

    def _repr_html_(self) -> str:
        from mimgraph.summary import markup

        return markup.html(self)

    def _repr_markdown_(self) -> str:
        return self.markdown()


def _records(row: Row, path: str = "") -> Iterator[dict[str, Any]]:
    """Yield a row as plain data, once for each repeat, with the rows inside it; names are dotted.

    A number that depends on named sizes is text, one that is not known is None.
    """
    cost = row.cost
    for time in range(row.times):
        name = path + (row.name if row.times == 1 else str(int(row.name) + time))
        found: dict[str, Any] = {
            "name": name,
            "layer": row.layer,
            "shape": row.shape,
            "dtype": row.dtype,
            "from": list(row.sources),
            "params": cost.params,
            **_work(cost),
        }
        more = {
            "frozen": cost.frozen,
            "buffers": cost.buffers,
            "only": row.only,
            "shares": row.shares,
        }
        found |= {key: value for key, value in more.items() if value}
        if row.loops != 1:
            found["loops"] = row.loops
        if row.children:
            found["children"] = [d for child in row.children for d in _records(child, f"{name}.")]
        yield found


def _work(cost: Cost) -> dict[str, Any]:
    """Return the cost of a forward as plain data."""
    return {
        "macs": None if cost.uncounted else cost.macs.value,
        "activations": cost.activations.value,
    }


def _share(one: Used) -> dict[str, Any]:
    """Return how much of a limit is used as plain data."""
    return {"used": one.amount, "limit": one.limit}


def _csv_text(rows: Iterable[Mapping[str, Any]], totals: Mapping[str, Any]) -> str:
    """Return rows as CSV, inner ones below theirs; the last row, without a name, is the total."""
    import csv  # only here, as most tables are printed as text

    written = io.StringIO()
    writer = csv.DictWriter(written, _CSV_COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(
        {"frozen": 0, "buffers": 0, "loops": 1, **row, "from": ", ".join(row["from"])}
        for row in (*_flat(rows), {"layer": "Total", "from": (), **totals})
    )
    return written.getvalue()


def _flat(rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield every row, then the rows inside it."""
    for row in rows:
        yield row
        yield from _flat(row.get("children", ()))


def summary(
    graph: TypedGraph,
    batch: int | None = None,
    sizes: Mapping[str, int] | None = None,
    depth: Depth | None = None,
) -> Summary:
    """Return the table of a graph, with this batch and these named sizes if they are given.

    A `ValueError` says which size is wrong.
    """
    sizes = sizes or {}
    check_depth(depth)
    if batch is not None:
        check_size("batch", batch)
    constraints = checked(graph, sizes)
    try:
        made = Rows(graph, sizes if batch is None else {**sizes, "N": batch})
        if made.costs.total.crosses_samples:
            batch = batch or 1  # there is no cost per sample
        return Summary(
            graph.name,
            (*made.inputs(), *made.nodes()),
            made.outputs(),
            tuple(map(str, constraints)),
            made.cost(made.costs.total),
            made.cost(made.costs.training),
            batch,
            depth if isinstance(depth, int) else None,
            () if graph.limits is None else tuple(used(graph.limits, made.costs)),
            {} if graph.limits is None else graph.limits.sizes,
        )
    except ArithmeticError:
        raise ValueError("with these sizes a number in the table does not fit in 64 bits") from None
