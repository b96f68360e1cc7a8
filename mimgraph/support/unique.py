"""Make numbers in the order of calls, and keys that no other process makes, for parts that are pickled."""

from __future__ import annotations

import os
from itertools import count


class _Keys:
    """The keys of this process: its own random beginning, and a number."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin anew, as a forked process must: it has the state of the process that forked it."""
        self.process = os.urandom(6).hex()
        self.numbers = count()


_keys = _Keys()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_keys.renew)


def unique_key() -> str:
    """Return a key that was never returned before, in any process."""
    return f"{_keys.process}.{next(_keys.numbers)}"


_numbers = count()


def new_number() -> tuple[int, ...]:
    """Return a number that sorts after every number returned before; a number read from a pickle is longer."""
    return (next(_numbers),)
