"""The small languages inside a spec stand any text; at night coverage leads to the texts."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.fuzz.mutations import mutated
from tests.fuzz.targets import TARGETS

SECONDS = 60

targets = pytest.mark.parametrize("target", TARGETS)


@targets
def test_mutated_texts(target: str) -> None:
    texts = st.text(max_size=30) | mutated(TARGETS[target].seeds)

    @settings(max_examples=80, suppress_health_check=list(HealthCheck))
    @given(texts)
    def come_to_a_legal_end(text: str) -> None:
        TARGETS[target].run(text)

    come_to_a_legal_end()


@pytest.mark.nightly
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
@targets
def test_texts_that_reach_new_code(target: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz", target, f"-max_total_time={SECONDS}"]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
