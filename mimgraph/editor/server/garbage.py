"""Collect garbage while the editor says nothing, so that no keystroke waits for it."""

from __future__ import annotations

import asyncio
import gc

PAUSE = 0.3  # seconds without a message after which there is time
FEW, MOST = 10_000, 200_000  # new objects: fewer are left, more are collected without a pause


class Garbage:
    """The garbage of the server, collected in pauses and not while a message is answered.

    A collection visits every object: a tenth of a second with a large spec, several times as long as a
    keystroke may take.
    """

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._is_busy = False  # whether a message came since the timer was set
        self._is_frozen = False

    def later(self) -> None:
        """Collect once there is a pause; called after each message."""
        gc.disable()
        self._is_busy = True
        if self._timer is None:
            self._set()

    def _set(self) -> None:
        self._is_busy = False
        self._timer = asyncio.get_running_loop().call_later(PAUSE, self._due)

    def _due(self) -> None:
        self._timer = None
        waiting = gc.get_count()[0]
        if waiting > MOST or (waiting > FEW and not self._is_busy):
            gc.collect()
            if not self._is_frozen:  # by now, all modules are imported, which stay
                gc.freeze()
                self._is_frozen = True
        elif self._is_busy:
            self._set()
