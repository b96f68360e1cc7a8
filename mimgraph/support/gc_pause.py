"""Pause garbage collection while large structures are built."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

FEW_OBJECTS = 10_000  # are visited in less time than 0.2 ms
MOST_OBJECTS = 5_000_000  # that pauses may make until all objects are visited

_made = 0  # objects of large pauses since then
_is_frozen = False  # whether the program has frozen objects


@contextmanager
def uncollected() -> Iterator[None]:
    """Pause garbage collection in a `with` block or decorated function.

    The collector visits all objects again and again while their number grows: that is half of the
    time of a large graph, and a tenth of a small check.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if gc.get_count()[0] > FEW_OBJECTS:
                _make_old()
            gc.enable()


def _make_old() -> None:
    """Make all objects old, else the next collection would visit everything that the pause has made.

    It would find nothing, as a graph has no cycles. Garbage of the program that becomes old here
    waits until large pauses have made `MOST_OBJECTS`, which takes longer than to visit all.
    """
    global _made, _is_frozen
    _made += gc.get_count()[0]
    if _made > MOST_OBJECTS:
        _made = 0
        gc.collect()
    # to count frozen objects takes milliseconds, so that they are found only once
    _is_frozen = _is_frozen or gc.get_freeze_count() > 0
    if not _is_frozen:  # what a program has frozen stays so
        gc.freeze()
        gc.unfreeze()
