"""The facts below a table: totals, what × n means, inputs and outputs, what must hold at run time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mimgraph.cost.cost import PARAM_BYTES
from mimgraph.ir.amount import Amount
from mimgraph.summary.contents import Contents, noted
from mimgraph.summary.numbers import macs, memory, number
from mimgraph.summary.table import tells_one_of_several


class Fact(NamedTuple):
    """A line below the table."""

    title: str
    text: str


def facts(summary: Contents) -> Iterator[Fact]:
    """What is true of the whole."""
    total, training = summary.total, summary.training
    params = [f"{total.params - total.frozen:,} trainable", f"{total.frozen:,} frozen"]
    if not total.frozen:
        params = ["all trainable"] if total.params else []
    params.append(memory(Amount([total.params, PARAM_BYTES])))
    buffers = f", buffers: {total.buffers:,}" if total.buffers else ""
    yield Fact("Parameters", f"{total.params:,} ({', '.join(params)}){buffers}")
    per = "per sample" if summary.batch is None else f"at batch {summary.batch:,}"
    flops = "" if total.uncounted else f" ({number(total.macs * 2)} FLOPs)"
    done = macs(total) if total.macs or total.uncounted else "0"
    yield Fact("MACs", f"{done} {per}{flops}")
    yield Fact("Activations", f"{memory(total.activations)} {per}")
    if training.activations or training.macs or training.uncounted:
        more = f"{macs(training)} MACs, {memory(training.activations)} of activations"
        yield Fact("In training also", more)
    if unknown := sorted(total.uncounted | training.uncounted):
        names = ", ".join(unknown)
        how = f"mg.register({unknown[0]}, macs=...)"
        yield Fact("?", f"the MACs of {names} are not known; {how} tells them")
    if tells_one_of_several(summary.rows, summary.depth):
        yield Fact(
            "× n", "the row counts all n times, those inside it one time or the times they number"
        )
    inputs = (row for row in summary.rows if row.layer == "Input")
    told = (f"{row.name} {row.shape} {row.dtype}{noted(row.only)}" for row in inputs)
    yield Fact("Inputs", ", ".join(told))
    outputs = (f"{name} {shape}" for name, shape in summary.outputs.items())
    yield Fact("Outputs", ", ".join(outputs))
    if summary.constraints:
        yield Fact("At run time", ", ".join(summary.constraints))
