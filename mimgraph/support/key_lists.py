"""Write lists of keys for a message, each after its name, long ones cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

SHOWN = 8  # the number of keys that a message lists


def lists(*named: tuple[str, Sequence[str]]) -> Iterator[str]:
    """Yield the first few items of each list that is not empty, after its name."""
    for name, items in named:
        more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
        if items:
            yield f"{name}: {', '.join(items[:SHOWN])}{more}"
