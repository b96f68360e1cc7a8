"""Specs in Markdown with the texts of their diagnostics, as tests/corpus has them."""

from __future__ import annotations

import re
from pathlib import Path

from mimgraph.diagnostics.render import render_text
from tests.helpers.marked import faults

CASE = re.compile(r"```yaml\n(.*?)```\n\n```text\n.*?\n```\n", re.DOTALL)


def check_texts(file: Path, rewrite: bool, *packages: str) -> None:
    """Check that each spec of a file is refused with the text below it, where there are these packages."""

    def with_text(match: re.Match[str]) -> str:
        return (
            f"```yaml\n{match[1]}```\n\n```text\n{render_text(faults(match[1], *packages))}\n```\n"
        )

    expected = CASE.sub(with_text, file.read_text())
    if rewrite:
        file.write_text(expected)
    assert file.read_text() == expected
