"""Limit the memory and processor time of this process and of those that it starts."""

from __future__ import annotations

import os
from contextlib import suppress


def limit_process(memory: int, seconds: int | None = None) -> None:
    """Limit bytes of memory, and seconds of processor time, where the platform can.

    Memory is what is written to: libraries reserve much more addresses than that.
    """
    try:
        import resource
    except ImportError:  # on Windows
        return
    limits = [(resource.RLIMIT_DATA, memory), (resource.RLIMIT_CORE, 0)]
    if seconds is not None:
        limits.append((resource.RLIMIT_CPU, seconds))
    for limit, most in limits:
        _, hard = resource.getrlimit(limit)
        lower = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(ValueError, OSError):  # macOS does not take each of them
            resource.setrlimit(limit, (lower, hard))


def data_of_process() -> int:
    """Return the bytes of memory that this process writes to, as its limit counts them; 0 if unknown."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
