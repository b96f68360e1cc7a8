"""A terminal for tests of editors: a program in it, and what its screen shows."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Mapping
from io import StringIO
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.style import Style
from rich.text import Text

from tests.conftest import needed

PATIENCE = 30  # seconds to wait for what the screen should show


class Terminal:
    """A program that runs in a terminal of some lines and columns until the block ends."""

    def __init__(
        self,
        command: list[str],
        folder: Path,
        environment: Mapping[str, str],
        size: tuple[int, int] = (24, 110),
    ) -> None:
        pyte = needed("pyte")
        lines, columns = size
        self.screen = pyte.Screen(columns, lines)
        self.screen.write_process_input = self.type  # answers what the program asks the terminal
        self.stream = pyte.ByteStream(self.screen)
        self.process, self.end = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, {**environment, "TERM": "xterm-256color"})
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        os.kill(self.process, 9)
        os.waitpid(self.process, 0)
        os.close(self.end)

    def type(self, keys: str) -> None:
        """Type keys."""
        os.write(self.end, keys.encode())

    @property
    def text(self) -> str:
        """The lines of the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def read(self, seconds: float) -> bool:
        """Show what the program writes within some time; return whether it wrote something."""
        if not select.select([self.end], [], [], seconds)[0]:
            return False
        try:
            self.stream.feed(os.read(self.end, 1 << 16))
        except OSError:  # the program has ended
            return False
        return True

    def await_text(self, pattern: str) -> None:
        """Wait until the screen shows a pattern."""
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.text):
            assert time.monotonic() < end, f"never shown: {pattern}\n{self.text}"
            self.read(0.1)

    def svg(self) -> str:
        """Return a picture of the screen."""
        shown = Text()
        for line in range(self.screen.lines):
            cells = [self.screen.buffer[line][column] for column in range(self.screen.columns)]
            for style, run in groupby(cells, _style):
                shown.append("".join(one.data for one in run), style)
            shown.append("\n")
        console = Console(record=True, width=self.screen.columns, file=StringIO())
        console.print(shown, end="")
        width, height = self.screen.columns * 12.2 + 18, self.screen.lines * 24.4 + 18
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}">\n'
        return head + console.export_svg(title="", code_format=FORMAT, unique_id="screen")


INK, PAPER = "#e0e2ea", "#14161b"
FORMAT = """\
<style>{styles} .{unique_id}-matrix {{ font: {char_height}px monospace; }}</style>
<rect width="100%" height="100%" rx="8" fill="#14161b"/>
<g transform="translate(9, 9)" class="{unique_id}-matrix">{backgrounds}{matrix}</g>
</svg>
"""


def _style(cell: Any) -> Style:
    ink, paper = _colour(cell.fg, INK), _colour(cell.bg, PAPER)
    if cell.reverse:
        ink, paper = paper, ink
    return Style(color=ink, bgcolor=paper, bold=cell.bold)


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    return f"#{name}" if re.fullmatch("[0-9a-f]{6}", name) else NAMES.get(name, default)


NAMES = {"red": "#ffc0b9", "green": "#b3f6c0", "blue": "#a6dbff", "brown": "#fce094"}
