"""Cases in Markdown: each block of text is followed by a block with what it gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

CASE = re.compile(r"```(\w+)\n(.*?\n)```\n\n```(\w+)\n(?:.*?\n)?```\n(?=\n|\Z)", re.DOTALL)


def check_cases(file: Path, given_by: Callable[[str], str], rewrite: bool) -> None:
    """Check what each text of a file gives, which is lines of text; `rewrite` replaces it."""

    def case(match: re.Match[str]) -> str:
        given = given_by(match[2])
        return f"```{match[1]}\n{match[2]}```\n\n```{match[3]}\n{given}```\n"

    text = file.read_text()
    expected, count = CASE.subn(case, text)
    assert 2 * count == len(re.findall(r"^```\w+$", text, re.MULTILINE)) > 0
    if rewrite:
        file.write_text(expected)
    assert text == expected or rewrite
