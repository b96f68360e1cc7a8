"""Files of other tools with the diagnostics that refuse them, as cases in Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import mimgraph as mg

CASE = re.compile(r"```(\w+)\n(.*?)\n```\n\n```text\n.*?```\n", re.DOTALL)


def check_faults(cases: Path, read: Callable[[Path], object], file: Path, rewrite: bool) -> None:
    """Check that `read` refuses the text of each case, written to `file`, with these diagnostics."""

    def with_faults(case: re.Match[str]) -> str:
        file.write_text(case[2])
        with pytest.raises(mg.SpecError) as caught:
            read(file)
        found = [f"{one.code} {one.span.line} {one.message}\n" for one in caught.value.diagnostics]
        return f"```{case[1]}\n{case[2]}\n```\n\n```text\n{''.join(found)}```\n"

    text = cases.read_text()
    expected, count = CASE.subn(with_faults, text)
    assert count > 20
    if rewrite:
        cases.write_text(expected)
    assert text == expected or rewrite
