"""Format the numbers of tables and diffs: thousands separators, bytes in units, `?` for unknown."""

from __future__ import annotations

import re

from mimgraph.cost.cost import Cost
from mimgraph.ir.dims.amount import Amount

_LONG = re.compile(r"(?<!\w)\d{4,}")  # numbers that get separators


def macs(cost: Cost) -> str:
    """Return the multiply-accumulates: `1,024`, `-` for none, `?` or `1,024 + ?` if not all are known."""
    known = number(cost.macs)
    if not cost.uncounted:
        return known if cost.macs else "-"
    return f"{known} + ?" if cost.macs else "?"


def number(amount: Amount) -> str:
    """Return an amount with thousands separators: `1,024*T + 16`."""
    value = amount.value
    if isinstance(value, int):
        return f"{value:,}"
    return _LONG.sub(lambda digits: f"{int(digits[0]):,}", value)


def memory(amount: Amount) -> str:
    """Return bytes in units, `77.2 kB`; as `8*T bytes` if they depend on named sizes."""
    value = amount.value
    if not isinstance(value, int):
        return f"{number(amount)} bytes"
    size, unit = float(value), "B"
    for larger in ("kB", "MB", "GB", "TB", "PB"):
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{size:.3g} {unit}" if size < 999.5 else f"{size:,.0f} {unit}"
