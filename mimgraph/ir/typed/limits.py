"""The limits of a typed graph in numbers, and how such a number is read and written: `20M`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mimgraph.support.frozen_data import data

SUFFIXES = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_NUMBER = re.compile(r"(\d{1,18})(?:\.(\d{1,12}))?([KMGT]?)", re.ASCII)


@data
class Limits:
    """The limit of each amount, and the named sizes at which it is computed; `N`, the batch, is 1
    unless it is among them."""

    amounts: Mapping[str, int]
    sizes: Mapping[str, int]


def read_amount(text: str) -> int | None:
    """Return the number that a text such as `20M` or `1.5G` stands for; None if it is no whole number."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    whole, fraction, suffix = found.groups(default="")
    number, rest = divmod(int(whole + fraction) * SUFFIXES.get(suffix, 1), 10 ** len(fraction))
    return None if rest else number


def amount_text(number: int) -> str:
    """Return a number with the suffix that makes it short, if it stays exact: `20M`, `1.25M`, `1,234`."""
    for suffix, unit in reversed(SUFFIXES.items()):
        if number >= unit and number % (unit // 100) == 0:
            whole, rest = divmod(number, unit)
            fraction = f".{100 * rest // unit:02}".rstrip("0") if rest else ""
            return f"{whole}{fraction}{suffix}"
    return f"{number:,}"
