"""Pause garbage collection while large structures are built."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
            gc.enable()
