"""Read messages ahead, so that all that an editor has sent is handled before the server answers it.

Other tasks have a turn only when the stream is empty: a task that a handler schedules runs once after a burst
of messages.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

CHUNK = 1 << 16
LONGEST_LINE = 1 << 12  # of a header
LENGTH = re.compile(rb"Content-Length: (\d+)\r\n$")


class InputStream:
    """The bytes of a file descriptor, read by a thread, which works on every system."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.loop = asyncio.get_running_loop()
        self.stream = asyncio.StreamReader(limit=LONGEST_LINE)
        threading.Thread(target=self._read, name="input", daemon=True).start()

    async def messages(self) -> AsyncIterator[bytes]:
        """Yield the body of each message, until the input ends."""
        length = 0
        with suppress(asyncio.IncompleteReadError):
            while line := await self._line():
                if found := LENGTH.search(line):
                    length = int(found[1])
                elif length and not line.strip():
                    yield await self.stream.readexactly(length)
                    length = 0

    async def _line(self) -> bytes:
        """Return a line of a header; nothing at the end of the input."""
        try:
            return await self.stream.readline()
        except ValueError:  # the line is too long, and a part of it is dropped
            return b"?"

    def _read(self) -> None:
        """Feed the stream until the input ends, or the server does."""
        try:
            while data := os.read(self.descriptor, CHUNK):
                self.loop.call_soon_threadsafe(self.stream.feed_data, data)
            self.loop.call_soon_threadsafe(self.stream.feed_eof)
        except (OSError, RuntimeError):  # the descriptor or the loop is closed
            return
