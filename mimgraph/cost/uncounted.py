"""Say how the MACs of layers become known that are not."""

from __future__ import annotations

from collections.abc import Iterable


def how_to_count(names: Iterable[str]) -> str:
    """Return `mg.register(Own, macs=...) sets them` for the first registered layer, "" if all are models of
    libraries, whose names have a dot."""
    own = next((name for name in names if "." not in name), None)
    return f"mg.register({own}, macs=...) sets them" if own is not None else ""
