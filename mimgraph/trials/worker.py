"""Run trials of a search, one for each permit of the command: the program of a worker process.

    python -m mimgraph.trials.worker

Standard input has a pickled `Job`, a pickled graph, and a line for each permit: a seed, or nothing. Standard
output gets the reports, a JSON object a line; what the objective prints goes to standard error. At the end
of its input, which is also that of a command that was killed, a worker ends after its trial.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import pickle
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from mimgraph.diagnostics import SpecError
from mimgraph.importer.user_code import load_function
from mimgraph.importer.user_errors import UserCodeError, fault_text
from mimgraph.support.arguments import shown
from mimgraph.trials.job import Job, pruner, sampler
from mimgraph.trials.sample import search_in
from mimgraph.trials.storage import SearchError, needing, open_storage, quiet, require_optuna
from mimgraph.trials.study import ERROR, WORKER, kind, this_worker

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial, Trial

Objective = Callable[..., Any]
Report = Callable[..., None]


class Failed(Exception):
    """Ends a trial whose error is noted."""


def main() -> None:
    """Run trials until the input ends, or until an interrupt, which may come at any place."""
    try:
        _run(*_private_streams())
    except KeyboardInterrupt:
        os._exit(130)  # the trial has failed; threads of the user do not keep the process


def _run(permits: IO[bytes], report: Report) -> None:
    """Run a trial for each permit; report why this is not possible."""
    try:
        job: Job = pickle.load(permits)  # of the command that started this process
        _import(job)
        search_in(pickle.load(permits))
        objective = load_function(job.objective)
        require_optuna()
        with needing(job.storage):
            _work(job, objective, permits, report)
    except (SpecError, UserCodeError, SearchError) as error:
        report(broken=str(error))


def _work(job: Job, objective: Objective, permits: Iterable[bytes], report: Report) -> None:
    """Run a trial for each permit."""
    study = _study(job)
    report(ready=True)
    for line in permits:
        if seed := line.strip():
            study.sampler = sampler(job.sampler, int(seed))
        _run_trial(study, objective, str(job.objective), report)


def _private_streams() -> tuple[IO[bytes], Report]:
    """Return our input, and what writes to our output; the user's code has an empty input, and prints to
    standard error."""
    permits, reports = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process

    def report(**found: Any) -> None:
        reports.write(f"{json.dumps(found)}\n")
        reports.flush()

    return permits, report


def _import(job: Job) -> None:
    """Import the modules that register what the spec names, from the working directory too."""
    if job.imports:
        sys.path.insert(0, os.getcwd())
    for name in job.imports:
        importlib.import_module(name)


def _study(job: Job) -> Study:
    """Return the study, with a sampler and a pruner for its trials."""
    import optuna

    return optuna.load_study(
        study_name=job.study,
        storage=open_storage(job.storage),
        sampler=sampler(job.sampler, None),
        pruner=pruner(job.pruner),
    )


def _run_trial(study: Study, objective: Objective, name: str, report: Report) -> None:
    """Run one trial, and report how it ended."""

    def ended(_: Study, trial: FrozenTrial) -> None:
        report(ended=trial.number, kind=kind(trial), error=trial.user_attrs.get(ERROR))

    values = len(study.directions)
    with quiet():
        study.optimize(
            partial(_evaluate, objective, name, values, report),
            n_trials=1,
            catch=(Failed,),
            callbacks=[ended],
        )


def _evaluate(objective: Objective, name: str, values: int, report: Report, trial: Trial) -> Any:
    """Return what the objective returns for a trial; what it raises, or a wrong result, is noted."""
    from optuna import TrialPruned

    trial.set_user_attr(WORKER, this_worker())
    report(began=trial.number)
    try:
        result = objective(trial)
    except TrialPruned:
        raise
    except (Exception, SystemExit) as error:
        trial.set_user_attr(ERROR, fault_text(name, error))
        raise Failed from error
    if not _is_right(result, values):
        wanted = "a number" if values == 1 else f"{values} numbers"
        trial.set_user_attr(ERROR, f"{name} returned {shown(result)}: return {wanted}")
        raise Failed
    return result


def _is_right(result: Any, count: int) -> bool:
    """Return whether a result is the right count of numbers that can be compared."""
    numbers = [result] if count == 1 else result
    try:
        return len(numbers) == count and not any(math.isnan(float(one)) for one in numbers)
    except (TypeError, ValueError):
        return False


if __name__ == "__main__":
    main()
