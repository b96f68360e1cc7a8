"""`draw --watch` writes the picture on every save, and outlives mistakes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

SPEC = "inputs: {x: [5]}\nnodes:\n  y: {layer: Linear, from: x, out_features: 2}\noutputs: y\n"


@pytest.mark.slow
def test_each_save_is_drawn_and_a_mistake_is_printed(tmp_path: Path) -> None:
    spec, picture, log = tmp_path / "model.yaml", tmp_path / "model.svg", tmp_path / "log.txt"
    spec.write_text(SPEC)

    def wait_for(text: str, file: Path, times: int = 1) -> None:
        until = time.monotonic() + 20
        while not file.exists() or file.read_text().count(text) < times:
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.02)

    command = [sys.executable, "-m", "mimgraph", "draw", "model.yaml", "-o", "model.svg", "--watch"]
    with log.open("w") as stderr:
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            stderr=stderr,
            # a job in the background of a shell ignores Ctrl-C
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
    try:
        wait_for("(N, 2)", picture)
        spec.write_text(SPEC.replace("Linear", "Linea"))
        wait_for("unknown-layer", log)
        assert "(N, 2)" in picture.read_text()
        spec.write_text(SPEC.replace("2", "7"))
        wait_for("(N, 7)", picture)
        wait_for("wrote model.svg", log, 2)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
    assert log.read_text().count("wrote model.svg") == 2  # and not once more
