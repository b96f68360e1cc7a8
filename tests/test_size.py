"""The command that counts the size of the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.size import files, report

PACKAGE = {
    "__init__.py": '"""A docstring."""\n',
    "rooms/first.py": '''\
"""A docstring
of two lines."""

from typing import TYPE_CHECKING

from mimgraph.rooms import second

if TYPE_CHECKING:
    from mimgraph.third import Third


def first():
    """A docstring."""
    # a comment
    import torch

    def inner():
        from mimgraph.third import (
            Third,
            fourth,
        )

    return "a string"
''',
    "rooms/second.py": "import mimgraph.third\n",
    "third.py": "from mimgraph.rooms.first import first\n\ndef f():\n" + "    x = 1\n" * 60,
}


def test_what_is_counted(tmp_path: Path) -> None:
    for name, text in PACKAGE.items():
        path = tmp_path / "mimgraph" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert [*report(files(tmp_path))] == [
        "75 lines of code, 10 of imports",
        "4 files, 3 under 40 lines",
        "1 circles, 3 modules in the largest",
        "1 imports in functions, of 2 names",
        "1 functions of more than 60 lines",
        "\nroom            lines  files",
        ".                  62      2",
        "rooms              13      2",
    ]


@pytest.mark.slow
def test_the_functions_that_a_node_meets() -> None:
    command = [sys.executable, "-m", "tests.size"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("a node to ")]
    (to_type, files_to_type), (to_source, files_to_source) = (
        (int(line[-5]), int(line[-2])) for line in lines
    )
    assert 0 < files_to_type < to_type < to_source
    assert files_to_type < files_to_source < to_source
