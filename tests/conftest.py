"""Settings and fixtures for all tests: the flag `--rewrite`, the paths of the specs, and what CI adds."""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import settings

from mimgraph.ops import registry

# the same examples on every machine, so that a test fails only if a commit broke something
settings.register_profile("steady", derandomize=True, deadline=None, print_blob=False)
settings.load_profile("steady")

pytest_plugins = ["tests.helpers.accessibility", "tests.helpers.browser"]

ROOT = Path(__file__).parent.parent
SPECS = sorted((ROOT / "specs").glob("*.yaml"))
# what these ten reach in `infer`, `emit` and `ops` is nearly all that the whole gallery reaches
TEN = ["clip", "conformer", "deepfm", "densenet121", "detr"]
TEN += ["image_table_missing", "mbt", "mult", "swin_t", "tft"]


def in_ci(*values: Any, unless: bool = False, name: str | None = None) -> Any:
    """Return a case that only CI runs, unless the default suite runs it as well."""
    return pytest.param(*values, id=name, marks=() if unless else pytest.mark.slow)


def sampled(cases: Iterable[Any], step: int) -> list[Any]:
    """Return cases of which the default suite runs one in `step`, and CI all."""
    return [
        in_ci(*(case if isinstance(case, tuple) else (case,)), unless=index % step == 0)
        for index, case in enumerate(cases)
    ]


# for `parametrize`: the default suite takes the ten, CI the whole gallery
EACH_SPEC = [in_ci(path, unless=path.stem in TEN, name=path.stem) for path in SPECS]


def missing(why: str) -> NoReturn:
    """Skip a test because the machine lacks something; on CI fail, as nothing is missing there."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def needed(package: str) -> Any:
    """Import a package of the extra `test-all`, and skip the file or test if there is none; where
    `.ci/run` installed that extra, fail. What the default suite imports is in the extra `test`."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError:
        if os.environ.get("TEST_ALL"):
            raise
        pytest.skip(f"without {package}, of the extra test-all", allow_module_level=True)


def pytest_configure() -> None:
    """Let each worker and its subprocesses use one thread, as there is a worker for each core, and print
    lines of the width of a file, whatever terminal the tests run in."""
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["KERAS_BACKEND"] = "torch"  # read when keras is first imported
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


@pytest.fixture(params=EACH_SPEC)
def spec(request: pytest.FixtureRequest) -> Path:
    """Return each spec of the gallery in turn; the default suite takes ten."""
    path: Path = request.param
    return path
