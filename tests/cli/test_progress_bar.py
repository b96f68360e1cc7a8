"""A bar stands on the terminal while a command takes long, and is gone when it ends."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mimgraph.cli import progress_bar

pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals")

SPEC = "inputs: {x: [5]}\nnodes:\n  y: {layer: ReLU, from: x}\noutputs: y\n"
SCRIPT = """
import sys, threading
from mimgraph.cli import main, progress_bar
from mimgraph.cli.commands import check
progress_bar.PATIENCE = float(sys.argv[1])
if not progress_bar.PATIENCE:  # let the first file wait for the bar
    is_shown, show, load = threading.Event(), progress_bar._Bars.show, check.load_graph
    progress_bar._Bars.show = lambda bars: (show(bars), is_shown.set())
    check.load_graph = lambda *given: (is_shown.wait(60), load(*given))[1]
code = main(sys.argv[2:])
print("rich" in sys.modules, file=sys.stderr)
sys.exit(code)
"""


def _on_terminal(patience: float, *words: str) -> tuple[str, str]:
    """Return what a command prints on standard output, and on a terminal as standard error."""
    screen, stderr = pty.openpty()
    command = [sys.executable, "-c", SCRIPT, str(patience), *words]
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=env) as process:
        os.close(stderr)
        assert process.stdout is not None
        seen = b""
        while chunk := _read(screen):
            seen += chunk
        return process.stdout.read().decode(), seen.decode()


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 4096)
    except OSError:  # the other end is closed
        return b""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    for name in "abcdefgh":
        (tmp_path / f"{name}.yaml").write_text(SPEC)
    return str(tmp_path)


@pytest.mark.slow
def test_a_bar_comes_and_goes(folder: str) -> None:
    printed, screen = _on_terminal(0, "check", folder)
    assert printed == "8 specs, no errors\n"
    assert "checking" in screen and "/8" in screen
    rest = screen.rpartition("checking")[2]
    assert "\x1b[?25h" in rest and "\x1b[2K" in rest  # the cursor is shown again, the line erased
    assert rest.endswith("True\r\n")


@pytest.mark.slow
def test_nothing_is_shown_or_imported_before(folder: str) -> None:
    assert _on_terminal(60, "check", folder) == ("8 specs, no errors\n", "False\r\n")


def test_a_text_stands_beside_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    bars = progress_bar._Bars()
    task = bars.begin("searching", 3)
    bars.show()
    assert bars.bars is not None
    task.step(1, "best 0.03, 2 rejected")
    (shown,) = bars.bars.tasks
    assert (shown.completed, shown.fields["detail"]) == (1, "best 0.03, 2 rejected")
    task.end()
