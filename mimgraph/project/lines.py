"""Lay out lines of Python as formatters do."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

WIDTH = 88  # characters of a line, as ruff and black have it by default


def comment(text: str, indent: int) -> Iterator[str]:
    """Yield a comment, in as many lines as it needs."""
    start = " " * indent + "# "
    yield from (
        start + line for line in textwrap.wrap(text, WIDTH - len(start), break_long_words=False)
    )


def entry(before: str, code: str, after: str, indent: int) -> Iterator[str]:
    """Yield `before`, an expression and `after`; a line that is too long is broken at its first bracket."""
    yield from _broken(f"{before}{code}{after}", indent)


def _broken(line: str, indent: int) -> Iterator[str]:
    room = " " * indent
    if len(room) + len(line) <= WIDTH or "(" not in line:
        yield room + line
        return
    start = line.index("(") + 1
    end = _matching(line, start)
    yield room + line[:start]
    if indent + 4 + end - start <= WIDTH:
        yield f"{room}    {line[start:end]}"
    else:
        parts = list(_arguments(line[start:end]))
        for part in parts:
            yield from _broken(part + "," * (len(parts) > 1), indent + 4)
    yield room + line[end:]


def _matching(code: str, start: int) -> int:
    """Return where the bracket closes that opens before `start`."""
    depth = 1
    for at in range(start, len(code)):
        depth += (code[at] in "([") - (code[at] in ")]")
        if not depth:
            return at
    return len(code)


def _arguments(code: str) -> Iterator[str]:
    """Yield the arguments of a call."""
    start = depth = 0
    for at, char in enumerate(code):
        depth += (char in "([") - (char in ")]")
        if char == "," and not depth:
            yield code[start:at].strip()
            start = at + 1
    if code[start:].strip():
        yield code[start:].strip()
