"""See that files changed, by looking at them again and again.

Editors replace, truncate or rename files when they save, and network folders report no changes; a look
each fifth of a second costs nothing and misses none of them.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

INTERVAL = 0.2  # seconds between two looks
SETTLED = 2_000_000_000  # nanoseconds after which a file of the same time and size is the same


def saves(files: Callable[[], Iterable[str]]) -> Iterator[None]:
    """Yield at once, and whenever one of these files changed, appeared or vanished since the last time.

    `files` is asked after each time, as another version of a spec may have other parts.
    """
    before = {path: _state(path) for path in files()}
    yield
    while True:
        found = {path: _state(path, before.get(path, ())) for path in files()}
        changed = any(before.get(path, state) != state for path, state in found.items())
        before = found
        if changed:
            yield
        else:
            time.sleep(INTERVAL)


def _state(path: str, before: tuple[object, ...] | None = ()) -> tuple[object, ...] | None:
    """Return what tells a version of a file from another; None if there is no such file.

    The time of a change is too coarse for two saves in a row, so of a fresh file the content counts. A file
    that is not fresh any more is in the state `before` if nothing else differs.
    """
    try:
        info = os.stat(path)
        state = (info.st_mtime_ns, info.st_size, info.st_ino)
        if time.time_ns() - info.st_mtime_ns > SETTLED or not stat.S_ISREG(info.st_mode):
            return before if before and before[: len(state)] == state else state
        with open(path, "rb") as file:
            return (*state, sha256(file.read()).digest())
    except OSError:
        return None
