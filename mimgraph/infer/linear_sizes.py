"""Compute the factor and the offset of sizes that are linear in a name, `$patch*H + 1`."""

from __future__ import annotations

from typing import Any

from mimgraph.diagnostics import Diagnostic
from mimgraph.infer.evaluation import Evaluation, compute
from mimgraph.ir.declared.sizes import LinearSize
from mimgraph.ir.declared.values import FAULTY
from mimgraph.ir.dims.linear import Line
from mimgraph.ir.expression import plain
from mimgraph.source import Span


def linear_size(size: LinearSize, span: Span, at: Evaluation) -> Line | None:
    """Return the factor and offset of a size, which make it at least 1 for each name of at least 1; None if
    one is faulty, which is reported."""
    factor, offset = (plain(compute(number, at)) for number in size[::2])
    if factor is FAULTY or offset is FAULTY:
        return None
    fault = _fault(size.name, factor, offset)
    if fault is None:
        return Line(factor, offset)
    message, help = fault
    at.report.add(Diagnostic("bad-option", message, span, help=help, node=at.node))
    return None


def _fault(name: str, factor: Any, offset: Any) -> tuple[str, str] | None:
    """Return the message and help for numbers that give no legal size; None if they do."""
    if type(factor) is not int or type(offset) is not int:
        odd = offset if type(factor) is int else factor
        message = f"a size is an integer times {name}, plus an integer, and this has {odd!r}"
        is_whole = isinstance(odd, float) and odd.is_integer()
        return message, "for a whole number write a // b" if is_whole else ""
    if factor < 1:
        return f"{name} is multiplied by {factor}, but the factor must be at least 1", ""
    if factor + offset < 1:
        shifted = LinearSize(factor, name, (offset - 1) % factor + 1 - factor)
        message = f"the size is {factor + offset} where {name} is 1, the least that a name can be"
        return message, f"count {name} from the first legal size: write {shifted}"
    return None
