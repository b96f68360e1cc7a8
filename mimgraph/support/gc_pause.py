"""Garbage collection paused, for what builds large things that are no garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """No collection inside: to walk what is built again and again as it grows is half of the time
    that a large graph takes, and a tenth of a small check, whose imports are walked."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
