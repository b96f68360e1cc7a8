"""A worker runs one trial, and notes what its objective raises or returns wrongly."""

from __future__ import annotations

import math
from typing import Any

import optuna
import pytest

from mimgraph.trials import worker
from mimgraph.trials.study import this_worker

optuna.logging.set_verbosity(optuna.logging.CRITICAL)


def _raise(error: BaseException) -> Any:
    raise error


ENDS: dict[str, tuple[Any, str, str]] = {
    "a number": (lambda trial: 2, "trained", ""),
    "an infinite number": (lambda trial: math.inf, "trained", ""),
    "nothing": (lambda trial: None, "failed", "o returned None: return a number"),
    "no number": (lambda trial: math.nan, "failed", "o returned nan: return a number"),
    "a text": (lambda trial: "good", "failed", "o returned 'good': return a number"),
    "two numbers": (lambda trial: (1, 2), "failed", "o returned (1, 2): return a number"),
    "an error": (lambda trial: _raise(KeyError("x")), "failed", "o failed: KeyError: 'x'"),
    "an exit": (lambda trial: _raise(SystemExit(1)), "failed", "o failed: SystemExit: 1"),
    "pruned": (lambda trial: _raise(optuna.TrialPruned()), "pruned", ""),
}


@pytest.mark.parametrize("case", ENDS)
def test_how_a_trial_ends(case: str) -> None:
    objective, kind, error = ENDS[case]
    study, reports = optuna.create_study(), list[dict[str, Any]]()
    worker._run_trial(study, objective, "o", lambda **found: reports.append(found))
    began, ended = reports
    assert began == {"began": 0}
    assert (ended["ended"], ended["kind"]) == (0, kind)
    assert (ended["error"] or "").splitlines()[:1] == ([error] if error else [])
    assert study.trials[0].user_attrs["worker"] == this_worker()


@pytest.mark.parametrize(
    ("result", "error"),
    [
        ((1.0, 2), None),
        (1.0, "o returned 1.0: return 2 numbers"),
        ((1.0,), "o returned (1.0,): return 2 numbers"),
    ],
)
def test_several_objectives(result: object, error: str | None) -> None:
    study, reports = optuna.create_study(directions=["minimize"] * 2), list[dict[str, Any]]()
    worker._run_trial(study, lambda trial: result, "o", lambda **found: reports.append(found))
    assert reports[-1]["error"] == error


def test_ctrl_c_is_no_error_of_the_objective() -> None:
    study = optuna.create_study()
    with pytest.raises(KeyboardInterrupt):
        worker._run_trial(study, lambda trial: _raise(KeyboardInterrupt()), "o", lambda **_: None)
    (trial,) = study.trials
    assert trial.state.name == "FAIL" and "error" not in trial.user_attrs  # so it is done again
