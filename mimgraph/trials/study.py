"""Begin or continue the study of a spec, and say how far it is."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Literal, NamedTuple

from mimgraph.diagnostics import SpecError
from mimgraph.graph import Graph, loads
from mimgraph.language.writer import to_data, to_text
from mimgraph.trials.sample import REJECTED, SPEC
from mimgraph.trials.storage import SearchError, quiet

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

ERROR, WORKER = "error", "worker"  # attributes of a trial
SIGNED = 10  # seconds after which a running trial has no worker if none has signed it
Direction = Literal["minimize", "maximize"]
MOST_CHANGES = 10  # lines that say how a spec differs


class Counts(NamedTuple):
    """How many trials of a study ended how.

    A failed trial, whose objective raised, does not count, nor does a lost one, which was killed or interrupted.
    """

    trained: int = 0
    pruned: int = 0
    rejected: int = 0
    failed: int = 0
    lost: int = 0
    running: int = 0

    @property
    def done(self) -> int:
        """The trials that count."""
        return self.trained + self.pruned + self.rejected


def open_study(
    storage: BaseStorage, name: str, graph: Graph, directions: Sequence[Direction] = ()
) -> Study:
    """Return the study of this name, a new one if there is none; a `SearchError` says what differs in an
    old one."""
    import optuna

    try:
        study = optuna.load_study(study_name=name, storage=storage)
    except KeyError:
        study = optuna.create_study(
            study_name=name,
            storage=storage,
            directions=directions or ["minimize"],
            load_if_exists=True,  # another machine may begin it at the same time
        )
        study.set_user_attr(SPEC, graph.dumps())
        return study
    _check_spec(study, graph)
    old = [one.name.lower() for one in study.directions]
    if directions and [*directions] != old:
        raise SearchError(f"the study {name} has the direction {' and '.join(old)}", _another(name))
    return study


def counts(trials: Sequence[FrozenTrial]) -> Counts:
    """Return how many of the trials ended how."""
    kinds = [kind(trial) for trial in trials]
    return Counts(*(kinds.count(name) for name in Counts._fields))


def kind(trial: FrozenTrial) -> str:
    """Return how a trial ended, as `Counts` calls it."""
    state = trial.state.name
    if state == "PRUNED":
        return "rejected" if REJECTED in trial.user_attrs else "pruned"
    if state == "FAIL":  # a worker writes the error before its trial fails
        return "failed" if ERROR in trial.user_attrs else "lost"
    return "trained" if state == "COMPLETE" else "running"


class DeadTrials:
    """The running trials whose workers are gone.

    Those of this machine are known at once, and those of others when they have given no sign of life for some
    time. A worker that was killed before it could sign its trial is known by the time that this takes.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.unsigned: dict[int, float] = {}  # when they were first seen

    def fail(self) -> None:
        """Fail the dead trials."""
        from optuna.storages import fail_stale_trials
        from optuna.trial import TrialState

        running = self.study.get_trials(deepcopy=False, states=[TrialState.RUNNING])
        for trial in running:
            if WORKER in trial.user_attrs and _is_dead(trial.user_attrs[WORKER]):
                fail(self.study, trial.number)
        unsigned = [one.number for one in running if WORKER not in one.user_attrs]
        now = monotonic()
        self.unsigned = {number: self.unsigned.get(number, now) for number in unsigned}
        for number, since in self.unsigned.items():
            if now - since > SIGNED:
                fail(self.study, number)
        with quiet():
            fail_stale_trials(self.study)


def fail(study: Study, number: int) -> None:
    """Fail a trial that nothing runs any more, if it has not ended."""
    from optuna.trial import TrialState

    study.tell(number, state=TrialState.FAIL, skip_if_finished=True)


def this_worker() -> str:
    """Return what a trial notes about the process that runs it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _is_dead(worker: str) -> bool:
    """Return whether a worker is of this machine and has ended, as far as this can be asked without harm."""
    host, _, process = worker.rpartition(":")
    if host != socket.gethostname() or os.name != "posix":
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it is another user's
        return False
    return _is_zombie(process)


def _is_zombie(process: str) -> bool:
    """Return whether a process has ended and nobody has asked how, as in a container without an init."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:  # of another system than Linux
        return False
    return status.rpartition(")")[2].split()[0] == "Z"


def _check_spec(study: Study, graph: Graph) -> None:
    """Raise a `SearchError` if a study has another spec than this."""
    name, text = study.study_name, study.user_attrs.get(SPEC)
    if text is None:
        raise SearchError(f"the study {name} is not of mimgraph search", _another(name))
    try:
        old = _searched(loads(text))
    except SpecError:  # another version of mimgraph wrote it
        old = text
    now = _searched(graph)
    if old != now:
        changes = "\n".join(f"  {line}" for line in _changes(old, now)[:MOST_CHANGES])
        raise SearchError(f"the study {name} is of another spec:\n{changes}", _another(name))


def _searched(graph: Graph) -> str:
    """Return the spec without what changes no trial: its name and docs, and the defaults of its spaces."""
    declared = graph.declared
    inputs = tuple(replace(one, doc="") for one in declared.inputs)
    blocks = {name: replace(block, doc="") for name, block in declared.blocks.items()}
    spec = to_data(replace(declared, name="", doc="", inputs=inputs, blocks=blocks))
    for param in spec.get("params", {}).values():
        if isinstance(param, dict):
            param.pop("default", None)
    return to_text(spec, "study")


def _changes(old: str, new: str) -> list[str]:
    """Return the lines that differ."""
    from difflib import unified_diff

    _, _, *lines = unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
    return [f"{line[0]} {line[1:].strip()}" for line in lines if not line.startswith("@@")]


def _another(name: str) -> str:
    return f"begin another study: --study {name}2"
