"""Settings and fixtures for all tests: the flag `--rewrite`, and the paths of the specs."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from mimgraph.ops import registry

# the same examples on every machine, so that a test fails only if a commit broke something
settings.register_profile("steady", derandomize=True, deadline=None, print_blob=False)
settings.load_profile("steady")

pytest_plugins = ["tests.helpers.accessibility", "tests.helpers.browser"]

ROOT = Path(__file__).parent.parent
SPECS = sorted((ROOT / "specs").glob("*.yaml"))


def missing(why: str) -> NoReturn:
    """Skip a test because the machine lacks something; on CI fail, as nothing is missing there."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def pytest_configure() -> None:
    """Let each worker and its subprocesses use one thread, as there is a worker for each core, and print
    lines of the width of a file, whatever terminal the tests run in."""
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ.pop("COLUMNS", None)
    os.environ["HF_HUB_OFFLINE"] = os.environ["MIMGRAPH_OFFLINE"] = "1"
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        os.environ.pop(name, None)
    if "PYTEST_XDIST_WORKER" not in os.environ:  # the workers take the folder of the first process
        os.environ["MIMGRAPH_CACHE"] = tempfile.mkdtemp(prefix="mimgraph-")


def pytest_unconfigure() -> None:
    """Remove what the tests remembered about models of libraries."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(os.environ["MIMGRAPH_CACHE"], ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Freeze the collected tests and torch, so that the garbage collector does not visit them, and let
    it run seldom, as few of the objects that tests make are in cycles."""
    gc.disable()
    found = yield
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()
    return found


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="rewrite golden files and the corpus")


@pytest.fixture(autouse=True)
def registered_layers() -> Iterator[None]:
    """Remove the layers and merges that a test registers, as an import does for modules that stay Python."""
    kinds = ("layer", "merge")
    before = {kind: {*registry._OPS[kind]} for kind in kinds}
    yield
    for kind in kinds:
        for name in registry._OPS[kind].keys() - before[kind] - registry._HOMES[kind].keys():
            del registry._OPS[kind][name]


@pytest.fixture
def rewrite(request: pytest.FixtureRequest) -> bool:
    """Return whether to rewrite expected output instead of comparing it."""
    return bool(request.config.getoption("--rewrite"))


@pytest.fixture(params=SPECS, ids=lambda path: path.stem)
def spec(request: pytest.FixtureRequest) -> Path:
    """Return each spec of the gallery in turn."""
    path: Path = request.param
    return path
