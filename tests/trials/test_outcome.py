"""The outcome of a search: a table of the best trials, totals, and each error once."""

from __future__ import annotations

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from mimgraph.support.terminal import painter
from mimgraph.trials import outcome

DISTRIBUTIONS = {
    "fusion": CategoricalDistribution(["add", "gated"]),
    "heads": CategoricalDistribution([2, 4]),
    "rate": FloatDistribution(0, 1),
}


def trial(*values: float, state: TrialState = TrialState.COMPLETE, **attrs: str) -> FrozenTrial:
    params = {"fusion": "gated", "heads": 4} if values and values[0] > 1 else {"fusion": "add"}
    params["rate"] = 0.123456789
    distributions = {name: DISTRIBUTIONS[name] for name in params}
    return create_trial(
        state=state,
        values=values or None,
        params=params,
        distributions=distributions,
        user_attrs=attrs,
    )


def study(*trials: FrozenTrial, directions: tuple[str, ...] = ("minimize",)) -> optuna.Study:
    made = optuna.create_study(directions=directions, study_name="s")
    made.add_trials(trials)
    return made


ENDED = (
    trial(2.5, spec="second"),
    trial(1.0, spec="first"),
    trial(state=TrialState.PRUNED, rejected="bad-option: too wide (m.yaml:3)"),
    trial(state=TrialState.FAIL, error="boom"),
    trial(state=TrialState.FAIL, error="boom"),
    trial(state=TrialState.FAIL),
)
TABLE = """\
trial  value  fusion  rate      heads
    1      1  add     0.123457
    0    2.5  gated   0.123457  4

3 trials: 2 trained, 1 rejected, 2 failed, 1 lost; study s in s.db"""


def test_the_best_stand_first() -> None:
    found = study(*ENDED)
    assert outcome.text(found, "s.db", 80, painter(False)) == TABLE
    assert outcome.best_spec(found) == "first"
    assert outcome.best_spec(study(*ENDED, directions=("maximize",))) == "second"


def test_a_table_fits_the_terminal() -> None:
    lines = outcome.text(study(*ENDED), "s.db", 30, painter(False)).splitlines()[:-1]
    assert max(map(len, lines)) <= 30


def test_of_several_directions_those_stand_that_none_beats() -> None:
    found = study(
        trial(1.0, 3.0), trial(2.0, 2.0), trial(2.5, 2.5), directions=("minimize", "minimize")
    )
    lines = outcome.text(found, "s.db", 80, painter(False)).splitlines()
    assert lines[0].split()[:5] == ["trial", "value", "0", "value", "1"]
    assert [line.split()[0] for line in lines[1:3]] == ["0", "1"]


def test_errors_and_reasons_are_told_once() -> None:
    assert [*outcome.errors(study(*ENDED))] == ["trials 3, 4: boom"]
    reason = "1 rejected: bad-option: too wide (m.yaml:3)"
    assert [*outcome.rejections(study(*ENDED))] == [reason]


def test_data_has_every_trial() -> None:
    found = outcome.data(study(*ENDED), "s.db")
    assert (found["best"], found["counts"]["lost"]) == ([1, 0], 1)
    kinds = [one["kind"] for one in found["trials"]]
    assert kinds == ["trained", "trained", "rejected", "failed", "failed", "lost"]
    assert found["trials"][2]["rejected"].startswith("bad-option")
    assert (found["trials"][1]["values"], found["trials"][1]["spec"]) == ([1.0], "first")
