"""Measure how many mutants of the package the tests kill: `python -m tests.mutation --help`.

Each mutant is written into a copy of the project, in which the tests of the folders that cover it run
until one fails. First they run without a mutant, and must pass. What the tests import of other packages
is imported once, before the runs fork.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from typing import Any

from tests.mutation.mutants import Mutant, mutate, sample

ROOT = Path(__file__).parent.parent.parent
AREAS = {
    "infer": "mimgraph/infer",
    "emit": "mimgraph/emit",
    "declare": "mimgraph/declare",
    "language": "mimgraph/language",
    "ops": "mimgraph/ops",
}
TESTS = {
    "infer": ["tests/infer", "tests/test_corpus.py", "tests/ir", "tests/ops", "tests/gallery"],
    "emit": ["tests/emit", "tests/test_models.py", "tests/ops", "tests/gallery", "tests/runtime"],
    "declare": ["tests/test_corpus.py", "tests/builder", "tests/language", "tests/infer"],
    "language": ["tests/language", "tests/test_corpus.py", "tests/builder", "tests/gallery"],
    "ops": ["tests/ops", "tests/test_corpus.py", "tests/infer", "tests/emit", "tests/cost"],
}
IMPORTED = ["hypothesis", "networkx", "numpy", "torch", "torchvision", "transformers", "yaml"]
LIMIT = 1800  # seconds for one mutant, after which it counts as killed: it hangs


def _run(mutant: Mutant, folder: Path, options: list[str]) -> str:
    """Return how the tests end on a mutant: killed, survived or hung."""
    path = folder / mutant.path
    original = path.read_text()
    path.write_text(mutate(mutant, original))
    child = os.fork()
    if not child:
        _test(folder, [test for test in TESTS[mutant.area] if (folder / test).exists()], options)
    try:
        status = _wait(child)
    finally:
        path.write_text(original)
    return {None: "hung", 0: "survived"}.get(status, "killed")


def _wait(child: int) -> int | None:
    """Return the exit status of a child, or None if it was stopped because it took too long."""
    ends = time.monotonic() + LIMIT
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _test(folder: Path, tests: list[str], options: list[str]) -> None:
    """Run the tests in a copy of the project and end the process with pytest's status."""
    import pytest

    os.setpgrp()
    os.chdir(folder)
    os.environ["PYTHONPATH"] = sys.path[0] = str(folder)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("mimgraph", "tests")]:
        del sys.modules[name]
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    without = [f"-pno:{plugin}" for plugin in ("cacheprovider", "randomly", "xdist")]
    os._exit(pytest.main(["-x", *without, *options, *tests]))


def _work(tasks, results, options: list[str]) -> None:  # type: ignore[no-untyped-def]
    """Run the mutants of a queue in a copy of the project."""
    with tempfile.TemporaryDirectory() as name:
        ignored = shutil.ignore_patterns(".git", "__pycache__", "node_modules", "_build")
        folder = Path(shutil.copytree(ROOT, Path(name) / "project", ignore=ignored))
        while True:
            try:
                mutant = tasks.get_nowait()
            except Empty:
                return
            start = time.monotonic()
            end = _run(mutant, folder, options)
            results.put((mutant, end, round(time.monotonic() - start)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--number", type=int, default=150, help="mutants in all (150)")
    parser.add_argument("--seed", type=int, default=7, help="of the sample (7)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at once (2)")
    parser.add_argument("--again", type=Path, help="a file of results: run the same mutants")
    parser.add_argument("--results", type=Path, default=Path("mutants.json"), help="where to write")
    parser.add_argument("options", nargs="*", help="of pytest, after --: -- -m slow")
    args = parser.parse_args()

    mutants = sample(ROOT, AREAS, args.number, args.seed)
    if args.again:
        mutants = [Mutant(**row["mutant"]) for row in json.loads(args.again.read_text())]
    for name in IMPORTED:
        importlib.import_module(name)
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    context = get_context("fork")
    tasks, results = context.Queue(), context.Queue()
    unchanged = [
        Mutant(area, f"{AREAS[area]}/__init__.py", 0, "none", 0)
        for area in {mutant.area: None for mutant in mutants}
    ]
    for mutant in (*unchanged, *mutants):
        tasks.put(mutant)
    for _ in range(args.jobs):
        context.Process(target=_work, args=(tasks, results, args.options), daemon=True).start()
    rows: list[dict[str, Any]] = []
    for _ in range(len(unchanged) + len(mutants)):
        mutant, end, seconds = results.get()
        print(f"{len(rows):3} {end:8} {seconds:4} s  {mutant}", flush=True)
        if mutant.kind == "none":
            if end != "survived":
                sys.exit(f"the tests of {mutant.area} fail without a mutant")
            continue
        rows.append({"mutant": vars(mutant), "end": end})
        args.results.write_text(json.dumps(rows, indent=1))
    for area in AREAS:
        ends = Counter(row["end"] for row in rows if row["mutant"]["area"] == area)
        print(area, dict(ends))
    survived = sum(row["end"] == "survived" for row in rows)
    print(f"{len(rows) - survived} of {len(rows)} killed: {1 - survived / len(rows):.1%}")


if __name__ == "__main__":
    main()
