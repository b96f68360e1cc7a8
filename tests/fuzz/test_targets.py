"""The small languages inside a spec take any text without a crash; nightly, coverage guides the texts."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.fuzz.amounts import amounts
from tests.fuzz.mutations import mutated
from tests.fuzz.targets import TARGETS

SECONDS = 60

targets = pytest.mark.parametrize("target", TARGETS)


@targets
@amounts(None, 200, 8_000)
def test_mutated_texts(target: str, amount: settings) -> None:
    texts = st.text(max_size=30) | mutated(TARGETS[target].seeds)
    amount(given(texts)(TARGETS[target].run))()


@pytest.mark.nightly
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
@targets
def test_texts_that_reach_new_code(target: str, tmp_path: Path) -> None:
    options = [f"-max_total_time={SECONDS}", f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", target, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
