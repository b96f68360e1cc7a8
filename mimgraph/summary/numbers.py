"""Numbers of a table as one reads them: thousands apart, bytes in units, `?` for what is not known."""

from __future__ import annotations

import re

from mimgraph.cost.cost import Cost
from mimgraph.ir.amount import Amount

_LONG = re.compile(r"(?<!\w)\d{4,}")  # numbers with thousands


def macs(cost: Cost) -> str:
    """The number, `-` for none, and `?` for what is not known."""
    known = number(cost.macs)
    if not cost.uncounted:
        return known if cost.macs else "-"
    return f"{known} + ?" if cost.macs else "?"


def number(amount: Amount) -> str:
    """`1,024*T + 16`, thousands apart."""
    value = amount.value
    if isinstance(value, int):
        return f"{value:,}"
    return _LONG.sub(lambda digits: f"{int(digits[0]):,}", value)


def memory(amount: Amount) -> str:
    """`77.2 kB`; the bytes where they depend on sizes."""
    value = amount.value
    if not isinstance(value, int):
        return f"{number(amount)} bytes"
    size, unit = float(value), "B"
    for larger in ("kB", "MB", "GB", "TB", "PB"):
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{size:.3g} {unit}" if size < 999.5 else f"{size:,.0f} {unit}"
