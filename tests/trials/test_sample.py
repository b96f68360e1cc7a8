"""`mg.sample` asks a trial for the params that a graph reads, and rejects points that cannot be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.distributions import distribution_to_json, json_to_distribution
from optuna.trial import FixedTrial

import mimgraph as mg
from mimgraph.ir.declared_values import Choices, Floats, Integers
from mimgraph.trials.sample import Asking
from tests.trials.conftest import SPEC

optuna.logging.set_verbosity(optuna.logging.ERROR)

ASKED = {
    "numbers": (Choices((1, 2), 1), 2, 2),
    "texts": (Choices(("ReLU", "GELU"), "ReLU"), "GELU", "GELU"),
    "lists": (Choices(([8, 8], [4]), [4]), "[8, 8]", [8, 8]),
    "equal for Python": (Choices((1, True), 1), "true", True),
    "a list and a text": (Choices(("none", [1]), "none"), '"none"', "none"),
    "integers": (Integers(2, 8, 2, step=2), 4, 4),
    "floats": (Floats(0.5, 1, 0.5), 0.75, 0.75),
    "floats on a logarithmic scale": (Floats(1e-4, 1e-1, 1e-3, log=True), 1e-2, 1e-2),
}


def test_each_dimension_is_suggested_as_optuna_can_store_it() -> None:
    wrong = {}
    for case, (dimension, suggested, expected) in ASKED.items():
        trial = FixedTrial({"p": suggested})
        value = Asking(trial)("p", dimension)
        (distribution,) = trial.distributions.values()
        stored = json_to_distribution(distribution_to_json(distribution))
        if (value, type(value), stored) != (expected, type(expected), distribution):
            wrong[case] = value, distribution
    assert not wrong, wrong


def test_only_what_the_choices_need_is_asked() -> None:
    graph = mg.loads(SPEC)
    plain = FixedTrial({"fusion": "add", "hidden": 64, "rate": 0.05, "width": 4})
    mg.sample(plain, graph)
    assert set(plain.params) == {"fusion", "hidden", "rate"}
    gated = FixedTrial({"fusion": "gated", "hidden": 64, "rate": 0.05, "width": 4})
    assert mg.sample(gated, graph).outputs["z"].shape[-1] == 4


def test_a_trial_has_its_resolved_spec(folder: Path) -> None:
    trial = FixedTrial({"fusion": "concat", "hidden": 63, "rate": 0.05})
    graph = mg.sample(trial, folder / "model.yaml")
    assert mg.loads(trial.user_attrs["spec"]) == graph
    assert "search" not in trial.user_attrs["spec"]


def test_a_point_that_cannot_be_is_pruned_with_the_reason() -> None:
    trial = FixedTrial({"fusion": "add", "hidden": 63, "rate": 0.05})
    with pytest.raises(optuna.TrialPruned, match=r"63.*\(model\.yaml:11\)"):
        mg.sample(trial, mg.loads(SPEC, name="model.yaml"))
    assert "63" in trial.user_attrs["rejected"] and "spec" not in trial.user_attrs


@pytest.mark.slow
def test_a_study_of_ones_own_goes_on_after_points_that_cannot_be() -> None:
    graph = mg.loads(SPEC)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(lambda trial: mg.sample(trial, graph).summary().params, n_trials=40)
    rejected = [one.number for one in study.trials if "rejected" in one.user_attrs]
    assert rejected
    points = [study.trials[number].params for number in rejected]
    assert {(one["fusion"], one["hidden"]) for one in points} == {("add", 63)}
    assert study.best_params["hidden"] == 63


def test_the_spec_is_needed_outside_of_a_search() -> None:
    with pytest.raises(ValueError, match=r"write mg.sample\(trial, 'model.yaml'\)"):
        mg.sample(FixedTrial({}))


@pytest.mark.slow
def test_optuna_is_imported_for_a_search_alone(folder: Path) -> None:
    script = (
        "import sys, mimgraph as mg\n"
        "from mimgraph.cli import main\n"
        "mg.sample, mg.load('model.yaml').space.size\n"
        "for words in (['check'], ['summary'], ['emit', '-o', 'm.py'], ['draw', '-o', 'm.svg']):\n"
        "    assert main([words[0], 'model.yaml', *words[1:]]) == 0\n"
        "assert main(['search', '--help']) == 0\n"
        "print({'optuna', 'sqlalchemy', 'torch'} & {*sys.modules}, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stderr.endswith("set()\n"), done.stderr
