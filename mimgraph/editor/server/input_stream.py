"""Read messages ahead, so that all that an editor has sent is handled before the server answers it.

pygls hands each message to a handler while it is in this stream, and gives other tasks a turn only when
the stream is empty: a task that a handler schedules runs once after a burst of messages.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable

CHUNK = 1 << 16
LONGEST_LINE = 1 << 20  # of a header


class InputStream:
    """The bytes of a file descriptor, read by a thread, which works on every system."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.loop = asyncio.get_running_loop()
        self.stream = asyncio.StreamReader(limit=LONGEST_LINE)
        threading.Thread(target=self._read, name="input", daemon=True).start()

    def readline(self) -> Awaitable[bytes]:
        """Return a line of a header; nothing at the end of the input."""
        return self.stream.readline()

    async def readexactly(self, count: int) -> bytes:
        """Return so many bytes; nothing if the input ends before."""
        try:
            return await self.stream.readexactly(count)
        except asyncio.IncompleteReadError:
            return b""

    def _read(self) -> None:
        """Feed the stream until the input ends, or the server does."""
        try:
            while data := os.read(self.descriptor, CHUNK):
                self.loop.call_soon_threadsafe(self.stream.feed_data, data)
            self.loop.call_soon_threadsafe(self.stream.feed_eof)
        except (OSError, RuntimeError):  # the descriptor or the loop is closed
            return
