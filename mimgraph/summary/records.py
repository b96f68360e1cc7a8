"""The rows of a summary as plain data and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mimgraph.cost.cost import Cost
from mimgraph.summary.contents import Row

_DATA = (
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


def records(row: Row, path: str = "") -> Iterator[dict[str, Any]]:
    """The row as plain data, every time of it with all that is inside, names dotted.

    A number that depends on sizes is a text, one that is not known None.
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
            **work(cost),
        }
        more = {
            "frozen": cost.frozen,
            "buffers": cost.buffers,
            "only": row.only,
            "shares": row.shares,
        }
        found |= {key: value for key, value in more.items() if value}
        if row.loops > 1:
            found["loops"] = row.loops
        if row.children:
            found["children"] = [d for child in row.children for d in records(child, f"{name}.")]
        yield found


def work(cost: Cost) -> dict[str, Any]:
    """What a forward does and makes, as plain data."""
    return {
        "macs": None if cost.uncounted else cost.macs.value,
        "activations": cost.activations.value,
    }


def csv_text(rows: Iterable[Mapping[str, Any]], totals: Mapping[str, Any]) -> str:
    """Rows as CSV, each with its dotted name, what is inside below it; the last is the total, which
    has no name."""
    written = io.StringIO()
    writer = csv.DictWriter(written, _DATA, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(
        {"frozen": 0, "buffers": 0, "loops": 1, **row, "from": ", ".join(row["from"])}
        for row in (*_flat(rows), {"layer": "Total", "from": (), **totals})
    )
    return written.getvalue()


def _flat(rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for row in rows:
        yield row
        yield from _flat(row.get("children", ()))
