"""The one flag that rewrites expected output, and where the specs are."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

# the same examples on every machine: a commit is judged by what it changed, not by luck
settings.register_profile("steady", derandomize=True, deadline=None, print_blob=False)
settings.load_profile("steady")

pytest_plugins = ["tests.helpers.browser"]

ROOT = Path(__file__).parent.parent
SPECS = sorted((ROOT / "specs").glob("*.yaml"))


def missing(why: str) -> NoReturn:
    """Skip a test for what the machine lacks; CI has all of it."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def pytest_configure() -> None:
    """One thread each for the workers and for what they start: there is a worker for each core."""
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected lives to the end: no search for garbage goes through ten thousand tests and torch."""
    gc.disable()
    found = yield
    gc.freeze()
    gc.enable()
    return found


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="rewrite golden files and the corpus")


@pytest.fixture
def rewrite(request: pytest.FixtureRequest) -> bool:
    """Whether expected output is to be rewritten instead of compared."""
    return bool(request.config.getoption("--rewrite"))


@pytest.fixture(params=SPECS, ids=lambda path: path.stem)
def spec(request: pytest.FixtureRequest) -> Path:
    """Every spec of the gallery in turn."""
    path: Path = request.param
    return path
