"""Say how much of each limit a graph uses: `parameters 11.7 M of 20 M (58%)`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mimgraph.cost.limits import Used
from mimgraph.summary.numbers import memory, short


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
