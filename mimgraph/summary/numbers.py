"""Format the numbers of pictures, tables and diffs: three digits with a unit, `?` for unknown, and
how much of each limit a graph uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from mimgraph.cost.cost import Cost
from mimgraph.cost.limits import Used
from mimgraph.ir.amount import Amount

Count: TypeAlias = Callable[[Amount | int], str]  # writes a number exactly or short

_FACTOR = re.compile(r"(-?)(?:(\d+)(?:\*|$))?(.*)")  # sign, factor and sizes


def macs(cost: Cost, count: Count) -> str:
    """Return the multiply-accumulates as `count` writes them: `1,024`, `-` for none, `?` or `1,024 + ?`
    if not all are known."""
    known = count(cost.macs)
    if not cost.uncounted:
        return known if cost.macs else "-"
    return f"{known} + ?" if cost.macs else "?"


def number(amount: Amount | int) -> str:
    """Return an amount with thousands separators: `1,024·T + 16`."""
    return _terms(amount, "{:,}".format)


def short(amount: Amount | int) -> str:
    """Return a count in three digits, `6.29 G`; exact below 10,000, as one checks such counts by hand.

    If it depends on named sizes, that holds for the factor of each term: `64·T^2 + 16.4 k`.
    """
    return _terms(amount, lambda n: f"{n:,}" if n < 10_000 else _scaled(n, ""))


def memory(amount: Amount | int) -> str:
    """Return bytes in three digits, `77.2 kB`; `4.1 kB·T + 512 B` if they depend on named sizes."""
    return _terms(amount, lambda n: _scaled(n, "B"))


def _terms(amount: Amount | int, written: Callable[[int], str]) -> str:
    """Return the amount with the factor of each term as `written` returns it."""
    value = amount if isinstance(amount, int) else amount.value
    text = " ".join(_term(part, written) for part in _parts(str(value)))
    return text.replace("**", "^").replace("*", "·")


def _parts(text: str) -> list[str]:
    """Split a sum into its terms and the signs between them; a sum in brackets stays whole."""
    parts: list[str] = []
    for word in text.split(" "):
        if parts and parts[-1].count("(") > parts[-1].count(")"):
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    return parts


def _term(part: str, written: Callable[[int], str]) -> str:
    """Return a term with its factor as `written` returns it; a sign stays as it is."""
    if part in ("+", "-"):
        return part
    found = _FACTOR.fullmatch(part)
    assert found is not None
    sign, factor, sizes = found.groups(default="")
    if not factor and written(1) == "1":
        return part
    return sign + "*".join(filter(None, (written(int(factor or 1)), sizes)))


def _scaled(count: int, unit: str) -> str:
    """Return a count in three digits with an SI prefix before its unit: `6.29 G`, `77.2 kB`."""
    size, prefix = float(count), ""
    for larger in "kMGTP":
        if size < 999.5:
            break
        size, prefix = size / 1000, larger
    digits = f"{size:.3g}" if size < 999.5 else f"{size:,.0f}"
    return f"{digits} {prefix}{unit}"


def limits_text(every: Iterable[Used], sizes: Mapping[str, int]) -> str:
    """Return how much of every limit is used, and at which sizes."""
    shares = ", ".join(f"{one.name} {share_text(one)}" for one in every)
    return shares + sizes_text(sizes)


def sizes_text(sizes: Mapping[str, int]) -> str:
    """Return ` at T = 128`, or nothing."""
    stated = ", ".join(f"{name} = {size:,}" for name, size in sizes.items())
    return f" at {stated}" if stated else ""


def share_text(one: Used) -> str:
    """Return how much of a limit is used: `11.7 M of 20 M (58%)`."""
    written = memory if one.name == "activations" else short
    if not isinstance(one.amount, int):
        return f"{one.amount} of {written(one.limit)}"
    share = f" ({_percent(one.amount, one.limit)})" if one.limit else ""
    return f"{written(one.amount)} of {written(one.limit)}{share}"


def _percent(amount: int, limit: int) -> str:
    percent = 100 * amount // limit
    return f"{percent}%" if percent or not amount else "<1%"
