"""A study is begun for a spec, goes on with the same one, and refuses another."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState, create_trial

import mimgraph as mg
from mimgraph.trials import study as studies
from mimgraph.trials.storage import SearchError, open_storage
from tests.trials.conftest import SPEC, wait_for


@pytest.fixture
def storage() -> optuna.storages.BaseStorage:
    return optuna.storages.InMemoryStorage()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("b: [20]}", "b: [20]}  # a comment"),
        ("name: Fused", "name: Joined"),
        ("name: Fused", "name: Fused\ndoc: Two inputs."),
        ("b: [20]", "b: {shape: [20], doc: numbers}"),
        ("gated], default: add", "gated], default: gated"),
        ("log: true}, default: 1e-3", "log: true}, default: 1e-2"),
    ],
)
def test_the_same_spec_goes_on(old: str, new: str, storage: optuna.storages.BaseStorage) -> None:
    begun = studies.open_study(storage, "s", mg.loads(SPEC), ["maximize"])
    begun.add_trial(create_trial(value=1.0))
    assert old in SPEC
    again = studies.open_study(storage, "s", mg.loads(SPEC.replace(old, new)))
    assert len(again.trials) == 1 and again.direction.name == "MAXIMIZE"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[64, 63]", "[64, 32]", ("- hidden: {search: [64, 63]", "+ hidden: {search: [64, 32]")),
        ("[2, 4]", "[2, 5]", ("- width: {search: [2, 4]", "+ width: {search: [2, 5]")),
        ("a: [10]", "a: [11]", ("- a: [10]", "+ a: [11]")),
        ("p: $rate", "p: 0.5", ("- z: {layer: Dropout, from: f, p: $rate}",)),
    ],
)
def test_another_spec_is_refused(
    old: str, new: str, told: tuple[str, ...], storage: optuna.storages.BaseStorage
) -> None:
    studies.open_study(storage, "s", mg.loads(SPEC))
    assert old in SPEC
    with pytest.raises(SearchError) as caught:
        studies.open_study(storage, "s", mg.loads(SPEC.replace(old, new)))
    assert "the study s is of another spec" in str(caught.value)
    assert all(line in str(caught.value) for line in told)
    assert caught.value.help == "begin another study: --study s2"


def test_another_direction_is_refused(storage: optuna.storages.BaseStorage) -> None:
    studies.open_study(storage, "s", mg.loads(SPEC))
    with pytest.raises(SearchError, match="the study s has the direction minimize"):
        studies.open_study(storage, "s", mg.loads(SPEC), ["maximize"])


def test_a_study_of_something_else_is_refused(storage: optuna.storages.BaseStorage) -> None:
    optuna.create_study(storage=storage, study_name="s")
    with pytest.raises(SearchError, match="the study s is not of mimgraph search"):
        studies.open_study(storage, "s", mg.loads(SPEC))


ENDS = {
    "trained": (TrialState.COMPLETE, {}),
    "pruned": (TrialState.PRUNED, {}),
    "rejected": (TrialState.PRUNED, {"rejected": "bad-option: ..."}),
    "failed": (TrialState.FAIL, {"error": "ValueError"}),
    "lost": (TrialState.FAIL, {}),
    "running": (TrialState.RUNNING, {}),
}


def test_trials_are_counted_by_their_ends() -> None:
    trials = [
        create_trial(
            state=state, value=1.0 if state is TrialState.COMPLETE else None, user_attrs=attrs
        )
        for state, attrs in ENDS.values()
    ]
    assert [studies.kind(trial) for trial in trials] == [*ENDS]
    found = studies.counts(trials)
    assert (found.done, found.failed, found.lost, found.running) == (3, 1, 1, 1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Heartbeat of storage is supposed")  # of `ask`, without a worker
@pytest.mark.skipif(os.name != "posix", reason="a process cannot be asked whether it lives")
def test_trials_of_dead_workers_fail(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    study = studies.open_study(open_storage("a.db"), "s", mg.loads(SPEC))
    alive, dead, elsewhere, unsigned = (study.ask() for _ in range(4))
    alive.set_user_attr("worker", studies.this_worker())
    dead.set_user_attr("worker", f"{socket.gethostname()}:{2**30}")
    elsewhere.set_user_attr("worker", f"{socket.gethostname()}.far:{2**30}")
    watch = studies.DeadTrials(study)
    watch.fail()
    assert [one.number for one in study.trials if one.state is TrialState.FAIL] == [dead.number]
    assert [*watch.unsigned] == [unsigned.number]
    monkeypatch.setattr(studies, "SIGNED", -1)
    watch.fail()
    states = [one.state.name for one in study.trials]
    assert states == ["RUNNING", "FAIL", "RUNNING", "FAIL"]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs the processes of Linux")
def test_a_zombie_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()  # until it ends
        assert wait_for(lambda: studies._is_dead(f"{socket.gethostname()}:{process.pid}"))
    assert not studies._is_dead(studies.this_worker())
