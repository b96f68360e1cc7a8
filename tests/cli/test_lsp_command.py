"""`mimgraph lsp` says what it is to someone who starts it in a terminal, and nothing to an editor."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.helpers.terminal import Terminal


@pytest.mark.slow
def test_in_a_terminal(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mimgraph", "lsp"]
    with Terminal(command, tmp_path, os.environ) as terminal:
        terminal.await_text("an editor starts this server")
