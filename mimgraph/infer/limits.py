"""Compute the limits that a graph declares: numbers such as `20M`, and the sizes at which they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mimgraph.diagnostics import Diagnostic, Report
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.infer.evaluation import Evaluation, compute
from mimgraph.ir.declared.graph import DeclaredLimits
from mimgraph.ir.declared.values import FAULTY, Option
from mimgraph.ir.dims.dim import MAX_COEFFICIENT
from mimgraph.ir.expression import plain
from mimgraph.ir.typed.graph import Limits, read_amount
from mimgraph.support.arguments import shown

END = 10**30  # so that it can be written
EXAMPLE = "write a number, or one with K, M, G or T behind it: 20M"
_NEARLY = re.compile(r"(\d[\d_,]*(?:\.\d+)?) ?(?:([kKmMgGtT])[bB]?)?", re.ASCII)


def compute_limits(declared: DeclaredLimits, params: Mapping[str, Any], report: Report) -> Limits:
    """Return the limits in numbers; one that is wrong is left out, and its fault reported."""
    at = Evaluation(params, report)
    amounts = {name: _amount(name, one, at) for name, one in declared.amounts.items()}
    sizes = {name: _size(name, one, at) for name, one in declared.sizes.items()}
    return Limits(_known(amounts), _known(sizes))


def _known(found: Mapping[str, int | None]) -> dict[str, int]:
    return {name: number for name, number in found.items() if number is not None}


def _amount(name: str, option: Option, at: Evaluation) -> int | None:
    """Return a limit; None after reporting that it is none."""
    value = plain(compute(option.value, at))
    if value is FAULTY:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # such as 2e9
    number = read_amount(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int):
        message = f"{name} must be a whole number such as 20M, not {_given(value)}"
        _fault("wrong-type", message, option, at, _help(value))
    elif not 0 <= number < END:
        _fault("bad-option", f"{name} must be at least 0 and below 10**30", option, at)
    else:
        return number
    return None


def _size(name: str, option: Option, at: Evaluation) -> int | None:
    """Return the number for a named size; None after reporting that it is none."""
    value = plain(compute(option.value, at))
    if value is FAULTY:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        message = f"the size {name} must be a whole number, not {_given(value)}"
        _fault("wrong-type", message, option, at)
    elif not 1 <= value <= MAX_COEFFICIENT:
        message = f"the size {name} must be 1 to {MAX_COEFFICIENT:,}, not {value}"
        _fault("bad-option", message, option, at)
    else:
        return value
    return None


def _fault(
    code: DiagnosticCode, message: str, option: Option, at: Evaluation, help: str = ""
) -> None:
    at.report.add(Diagnostic(code, message, option.span, help=help))


def _given(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return shown(value)


def _help(value: object) -> str:
    """Return how to write a limit: `write 64M` for `64 MB`."""
    found = _NEARLY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return EXAMPLE
    text = re.sub("[_,]", "", found[1]) + (found[2] or "").upper()
    return f"write {text}" if read_amount(text) is not None else EXAMPLE
