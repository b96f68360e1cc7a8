"""Write the inputs and outputs of a run as short tables: shapes, dtypes, and the range of values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from mimgraph.runtime.checks import dtype_name
from mimgraph.runtime.runner import Run
from mimgraph.support.columns import GAP, fitting, row_lines, shrunk
from mimgraph.support.terminal import BOLD, DIM, Paint

INPUTS = ("Input", "Shape", "Dtype")
OUTPUTS = ("Output", "Shape", "Dtype", "Mean", "Min", "Max", "First values")
NUMBERS = ("Mean", "Min", "Max")
MOST = 4  # values that are shown


def inputs_text(run: Run, width: int, paint: Paint) -> str:
    """Return a table of the inputs."""
    rows = [_described(name, tensor) for name, tensor in run.inputs.items()]
    return "\n".join(
        _table(("Random input" if run.made else "Input", *INPUTS[1:]), rows, width, paint)
    )


def outputs_text(run: Run, width: int, paint: Paint) -> str:
    """Return a table of the outputs, with the mean and range of their values and the first ones, and
    the time of the forward."""
    rows = [
        (*_described(name, tensor), *_range(tensor), _first(tensor))
        for name, tensor in run.outputs.items()
    ]
    return "\n".join([*_table(OUTPUTS, rows, width, paint), "", f"Forward: {_time(run.seconds)}"])


def _time(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds >= 1 else f"{1000 * seconds:,.1f} ms"


def _described(name: str, tensor: Tensor) -> tuple[str, str, str]:
    return name, str(tuple(tensor.shape)), dtype_name(tensor)


def _range(tensor: Tensor) -> tuple[str, str, str]:
    """Return the mean, the least and the largest value; `-` where there is none."""
    if not tensor.numel():
        return "-", "-", "-"
    if tensor.is_complex():
        return _value(tensor.mean().item()), "-", "-"
    least, largest = (
        tensor.aminmax() if tensor.dtype != torch.bool else (tensor.all(), tensor.any())
    )
    return _value(tensor.double().mean().item()), _value(least.item()), _value(largest.item())


def _first(tensor: Tensor) -> str:
    more = ", ..." if tensor.numel() > MOST else ""
    return ", ".join(map(_value, tensor.flatten()[:MOST].tolist())) + more


def _value(value: complex | bool) -> str:
    """Return a value, a fraction in four digits."""
    return str(value).lower() if isinstance(value, int) else f"{value:.4g}"


def _table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], width: int, paint: Paint
) -> Iterator[str]:
    """Yield titles, a rule and rows; a narrow table leaves out the values, then the range."""
    every = dict(enumerate(zip(titles, *rows, strict=True)))
    for gone in ((), OUTPUTS[6:], OUTPUTS[3:]):
        columns = {i: cells for i, cells in every.items() if titles[i] not in gone}
        if widths := fitting(columns, width, whole=columns):
            break
    widths = widths or fitting(columns, width) or shrunk(columns, width)
    right = [i for i in widths if titles[i] in NUMBERS]
    head, *lines = (
        GAP.join(line).rstrip() for row in (titles, *rows) for line in row_lines(row, widths, right)
    )
    rule = GAP.join("─" * space for space in widths.values())
    yield from (paint(BOLD, head), paint(DIM, rule), *lines)
