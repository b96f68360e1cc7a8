"""Say what a search found: a table of the best trials, or plain data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mimgraph.support.columns import GAP, fitting, row_lines, shrunk
from mimgraph.support.terminal import BOLD, DIM, Paint
from mimgraph.trials.sample import REJECTED, SPEC
from mimgraph.trials.study import ERROR, WORKER, Counts, counts, kind

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

MOST = 10  # trials that the table lists


def best(study: Study) -> list[FrozenTrial]:
    """Return the trials that were trained, the best first; of several objectives those that no other beats."""
    if len(study.directions) > 1:
        return list(study.best_trials)
    found = [trial for trial in study.get_trials(deepcopy=False) if kind(trial) == "trained"]
    is_maximized = study.directions[0].name == "MAXIMIZE"
    return sorted(found, key=lambda trial: trial.values[0], reverse=is_maximized)


def best_spec(study: Study) -> str | None:
    """Return the resolved spec of the best trial; None if none was trained that has one."""
    return next((one.user_attrs[SPEC] for one in best(study) if SPEC in one.user_attrs), None)


def data(study: Study, storage: str) -> dict[str, Any]:
    """Return the study as plain data, with every trial."""
    trials = study.get_trials(deepcopy=False)
    return {
        "study": study.study_name,
        "storage": storage,
        "directions": [one.name.lower() for one in study.directions],
        "counts": counts(trials)._asdict(),
        "best": [trial.number for trial in best(study)[:MOST]],
        "trials": [_trial(trial) for trial in trials],
    }


def text(study: Study, storage: str, width: int, paint: Paint) -> str:
    """Return a table of the best trials, and how all trials ended."""
    rows = best(study)[:MOST]
    lines = [*_table(study, rows, width, paint), ""] if rows else []
    found = counts(study.get_trials(deepcopy=False))
    return "\n".join([*lines, f"{total(found)}; study {study.study_name} in {storage}"])


def total(found: Counts) -> str:
    """Return how many trials ended how, `50 trials: 41 trained, 9 rejected`."""
    ends = ", ".join(f"{count} {name}" for name, count in found._asdict().items() if count)
    plural = "" if found.done == 1 else "s"
    return f"{found.done} trial{plural}: {ends}" if ends else "no trial"


def errors(study: Study) -> Iterator[str]:
    """Yield each error of an objective once, with the trials that it ended."""
    by_text: dict[str, list[int]] = {}
    for trial in study.get_trials(deepcopy=False):
        if kind(trial) == "failed":
            by_text.setdefault(trial.user_attrs[ERROR], []).append(trial.number)
    for error, numbers in by_text.items():
        plural = "" if len(numbers) == 1 else "s"
        shown = ", ".join(map(str, numbers[:MOST])) + (", ..." if len(numbers) > MOST else "")
        yield f"trial{plural} {shown}: {error}"


def rejections(study: Study) -> Iterator[str]:
    """Yield each reason for which points were rejected, the most frequent first."""
    reasons: dict[str, int] = {}
    for trial in study.get_trials(deepcopy=False):
        if reason := trial.user_attrs.get(REJECTED):
            reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in sorted(reasons.items(), key=lambda one: -one[1]):
        yield f"{count} rejected: {reason}"


def _trial(trial: FrozenTrial) -> dict[str, Any]:
    seconds = trial.duration.total_seconds() if trial.duration else None
    return {
        "number": trial.number,
        "kind": kind(trial),
        "values": list(trial.values) if kind(trial) == "trained" else None,
        "params": dict(trial.params),
        "seconds": seconds,
        "worker": trial.user_attrs.get(WORKER),
        **{name: trial.user_attrs[name] for name in (REJECTED, ERROR) if name in trial.user_attrs},
        "spec": trial.user_attrs.get(SPEC),
    }


def _table(study: Study, trials: Sequence[FrozenTrial], width: int, paint: Paint) -> Iterator[str]:
    """Yield the lines of a table: the number, the values and the params of each trial."""
    names = list(dict.fromkeys(name for trial in trials for name in trial.params))
    count = len(study.directions)
    values = ["value"] if count == 1 else [f"value {at}" for at in range(count)]
    rows = [["trial", *values, *names]]
    for trial in trials:
        params = [_shown(trial.params.get(name, "")) for name in names]
        rows.append([str(trial.number), *map(_shown, trial.values), *params])
    columns = dict(enumerate(zip(*rows, strict=True)))
    widths = fitting(columns, width) or shrunk(columns, width)
    right = range(1 + count)
    for at, row in enumerate(rows):
        for parts in row_lines(row, widths, right):
            line = GAP.join(parts).rstrip()
            yield paint(DIM if at == 0 else BOLD if at == 1 else "", line) if at < 2 else line


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
