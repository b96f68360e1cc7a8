"""`search` runs trials in worker processes, goes on with a study, and stops with a clear error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mimgraph as mg
from tests.trials.conftest import SPEC, folder, search  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow  # starts workers

OBJECTIVE = ("search", "model.yaml", "--objective", "train.py:objective", "--seed", "3")


def test_it_writes_the_best(run, folder: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    code, out = run(*OBJECTIVE, "--trials", "2", "-o", "best.yaml")
    header, first, *_, total = out.splitlines()
    assert code == 0 and header.split()[:2] == ["trial", "value"]
    assert total == "2 trials: 2 trained; study model in model.db"
    assert mg.load("best.yaml").summary().params == int(first.split()[1])
    assert "search" not in (folder / "best.yaml").read_text()


def test_it_goes_on(run, folder: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    assert run(*OBJECTIVE, "--trials", "2")[0] == 0
    code, out = run(*OBJECTIVE, "--trials", "3", "--format", "json")
    assert code == 0 and "note: the study goes on after 2 trials: 2 trained" in out.error
    found = json.loads(out)
    assert [one["kind"] for one in found["trials"]] == ["trained"] * 3
    code, out = run(*OBJECTIVE, "--trials", "3")
    assert (
        code == 0
        and "note: the study already has 3 trials: raise --trials to run more" in out.error
    )


FAILS = {
    "nowhere": (2, "train.py has no nowhere"),
    "constant": (2, "train.py:constant is 5: name a function"),
    "fails": (1, "train.py:fails failed: ValueError: boom\n  train.py:32: raise ValueError"),
    "leaves": (1, "train.py:leaves failed: SystemExit"),
    "returns_none": (1, "train.py:returns_none returned None: return a number"),
    "dies": (1, "3 workers died one after the other; the last: it ended with the status 3"),
}


@pytest.mark.parametrize("name", FAILS)
def test_objectives_that_fail(name: str, run, folder: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    status, told = FAILS[name]
    code, out = run("search", "model.yaml", "--objective", f"train.py:{name}", "--seed", "0")
    assert (code, told in out.error) == (status, True), out.error


def test_a_search_goes_on_after_errors(run, folder: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    words = ("--objective", "train.py:fails_at_times", "--trials", "8", "--sampler", "random")
    code, out = run("search", "model.yaml", *words, "--seed", "1")
    assert code == 0 and "8 trials: " in out and " failed" in out
    assert out.error.count("ValueError: too odd") == 1


def test_a_search_goes_on_with_another_objective(run, folder: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    words = ("--trials", "4", "--seed", "1")
    code, out = run("search", "model.yaml", "--objective", "train.py:fails", *words)
    assert (
        code == 1 and "help: every trial failed: fix the objective, and run the same" in out.error
    )
    code, out = run(*OBJECTIVE, "--trials", "4")
    assert code == 0 and "\n4 trials: " in out and " 3 failed; " in out


def test_a_search_ends_when_as_many_trials_failed_as_are_wanted(run, folder: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    words = ("--objective", "train.py:fails_later", "--trials", "5", "--seed", "1")
    code, out = run("search", "model.yaml", *words)
    assert code == 0 and ": 1 trained, " in out and " 5 failed; " in out
    assert "warning: the search stopped after 5 failed trials: fix the objective" in out.error


def test_several_directions(run, folder: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    words = ("--direction", "minimize", "--direction", "minimize", "--trials", "4")
    code, out = run("search", "model.yaml", "--objective", "train.py:two", *words)
    assert code == 0 and "value 0" in out and "value 1" in out


def test_a_seed_repeats_a_search_also_in_two_steps(run, folder: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    def points(study: str, *steps: str) -> list[dict[str, object]]:
        words = ("--objective", "train.py:objective", "--seed", "5", "--study", study)
        for trials in steps:
            _, out = run("search", "model.yaml", *words, "--trials", trials, "--format", "json")
        return [one["params"] for one in json.loads(out)["trials"]]

    assert points("whole", "6") == points("halved", "3", "6")


def test_only_points_that_cannot_be(run, folder: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    text = SPEC.replace("[64, 63]", "{int: [64, 4000]}").replace("$fusion", "add")
    (folder / "model.yaml").write_text(text.replace(", out_features: $width}", "}"))
    words = ("--objective", "train.py:objective", "--trials", "3", "--sampler", "random")
    code, out = run("search", "model.yaml", *words)
    assert (code, out.startswith("3 trials: 3 rejected; ")) == (1, True)
    assert "1 rejected: shape-mismatch: add needs equal shapes: (N, 64), but x is" in out.error
    assert "\nerror: no trial was trained\n  help: raise --trials or --timeout, or " in out.error


LAYERS = """\
from torch import nn

import mimgraph as mg


@mg.register
class Scale(nn.Module):
    def __init__(self, factor: int):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor
"""


def test_layers_of_ones_own_are_imported_by_the_workers(folder: Path) -> None:  # noqa: F811
    (folder / "my_layers.py").write_text(LAYERS)
    text = "params: {p: {search: [2, 3]}}\ninputs: {x: [4]}\nnodes: {y: {layer: Scale, from: x, factor: $p}}\noutputs: y\n"
    (folder / "model.yaml").write_text(text)
    objective = (
        "import mimgraph as mg\n\ndef run(trial):\n    return mg.sample(trial).compile().y.factor\n"
    )
    (folder / "scaled.py").write_text(objective)
    words = ("--objective", "scaled.py:run", "--import", "my_layers", "--trials", "2")
    values = [one["values"] for one in search(*words)["trials"]]
    assert {value for (value,) in values} <= {2.0, 3.0} and len(values) == 2
