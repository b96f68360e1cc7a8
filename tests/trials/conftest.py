"""A folder with a spec that is searched, and the objectives of its file `train.py`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SPEC = """\
name: Fused
params:
  hidden: {search: [64, 63], default: 64}
  width: {search: [2, 4]}
  rate: {search: {float: [1e-4, 1e-1], log: true}, default: 1e-3}
  fusion: {search: [add, concat, gated], default: add}
inputs: {a: [10], b: [20]}
nodes:
  x: {layer: Linear, from: a, out_features: $hidden}
  y: {layer: Linear, from: b, out_features: 64}
  f: {merge: $fusion, from: [x, y], out_features: $width}
  z: {layer: Dropout, from: f, p: $rate}
outputs: z
"""
TRAIN = """\
import os
import time
from pathlib import Path

import optuna

import mimgraph as mg


def objective(trial):
    graph = mg.sample(trial)
    trial.report(1.0, 0)
    return float(graph.summary().params)


def slow(trial):
    mg.sample(trial)
    Path(f"running_{os.environ['MIMGRAPH_WORKER']}").write_text(f"{trial.number} {os.getpid()}")
    while not Path("fast").exists():
        time.sleep(0.05)
    return 1.0


def fails_at_times(trial):
    mg.sample(trial)
    if trial.number % 2:
        raise ValueError("too odd")
    return 1.0


def fails(trial):
    raise ValueError("boom")


def fails_later(trial):
    mg.sample(trial)
    if trial.number:
        raise ValueError("worn out")
    return 1.0


def leaves(trial):
    raise SystemExit


def dies(trial):
    os._exit(3)


def returns_none(trial):
    mg.sample(trial)


def two(trial):
    rate = mg.sample(trial).nodes["z"].options["p"]
    return rate, 1 - rate


constant = 5
"""
SEARCH = (sys.executable, "-m", "mimgraph", "search", "model.yaml")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a spec and objectives."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.yaml").write_text(SPEC)
    (tmp_path / "train.py").write_text(TRAIN)
    return tmp_path


def search(*words: str, status: int = 0) -> dict[str, Any]:
    """Return what `mimgraph search model.yaml` prints as JSON."""
    done = subprocess.run(
        [*SEARCH, *words, "--format", "json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def begin(*words: str) -> subprocess.Popen[str]:
    """Start `mimgraph search model.yaml` in a group of its own, as a shell does."""
    # where these tests run in the background, a shell has let them and their children ignore Ctrl-C
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [*SEARCH, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=os.name == "posix",
        )
    finally:
        signal.signal(signal.SIGINT, before)


def wait_for(condition: Callable[[], Any]) -> Any:
    """Return what a condition returns, once it is true."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come true")
