"""The diagnostics that refuse a file of another tool."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import mimgraph as mg


def faults_of(read: Callable[[Path], object], file: Path) -> Callable[[str], str]:
    """Return a function of a text: it is written to `file`, which `read` refuses with these diagnostics."""

    def faults(text: str) -> str:
        file.write_text(text.removesuffix("\n"))
        with pytest.raises(mg.SpecError) as caught:
            read(file)
        return "".join(
            f"{one.code} {one.span.line} {one.message}\n" for one in caught.value.diagnostics
        )

    return faults
