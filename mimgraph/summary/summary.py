"""The summary of a typed graph, which prints as a table and gives plain data."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mimgraph.cost.bind_sizes import check_fits, checked
from mimgraph.ir.typed import TypedGraph
from mimgraph.summary import columns, markup
from mimgraph.summary.contents import Contents
from mimgraph.summary.records import csv_text, records, work
from mimgraph.summary.rows import Rows
from mimgraph.support.arguments import check_depth
from mimgraph.support.terminal import printable

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
        return printable(shown)

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
        made = Rows(graph, sizes if batch is None else {**sizes, "N": batch})
        return Summary(
            graph.name,
            (*made.inputs(), *made.nodes()),
            made.outputs(),
            tuple(map(str, constraints)),
            made.cost(made.costs.total),
            made.cost(made.costs.training),
            batch,
            depth,
        )
    except ArithmeticError:
        raise ValueError("with these sizes a number of the table does not fit 64 bits") from None
