"""Count the lines with which two texts begin and end alike."""

from __future__ import annotations

from collections.abc import Sequence


def common_lines(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """Return how many lines are the same at the start and at the end of two texts; none counts twice."""
    start = _common(old, new)
    return start, _common(old[start:][::-1], new[start:][::-1])


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return with how many equal lines two texts begin."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
