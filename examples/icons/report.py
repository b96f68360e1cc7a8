"""Shows what a search found: a table of the fusions, and two plots in results.png.

    python report.py icons.db

On the left is each trained model by its trainable weights, on the right the best accuracy so far.
"""

from __future__ import annotations

import sys

import matplotlib
import optuna

import mimgraph as mg

matplotlib.use("Agg")
from matplotlib import pyplot

Trials = list[optuna.trial.FrozenTrial]


def by_fusion(trials: Trials) -> dict[str, Trials]:
    """Return the trained models of each fusion, the best first."""
    found: dict[str, Trials] = {}
    for trial in sorted(trials, key=lambda trial: -trial.value):
        found.setdefault(trial.params["fusion"], []).append(trial)
    return found


def trainable(trial: optuna.trial.FrozenTrial) -> int:
    """Return how many weights a model learns, as its spec tells."""
    total = mg.loads(trial.user_attrs["spec"]).summary().total
    return total.params - total.frozen


def plot(fusions: dict[str, Trials], file: str) -> None:
    """Draw both plots."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for fusion, trials in fusions.items():
        sizes, values = [*map(trainable, trials)], [trial.value for trial in trials]
        left.scatter(sizes, values, label=fusion, s=24)
    left.set(xlabel="trainable weights", ylabel="accuracy", xscale="log")
    left.legend(frameon=False, fontsize=8)
    trained = sorted((t for ts in fusions.values() for t in ts), key=lambda trial: trial.number)
    best = [max(t.value for t in trained[: end + 1]) for end in range(len(trained))]
    right.step([trial.number for trial in trained], best, where="post")
    right.scatter([t.number for t in trained], [t.value for t in trained], s=12, alpha=0.5)
    right.set(xlabel="trial", ylabel="best accuracy so far")
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    study = optuna.load_study(study_name="icons", storage=f"sqlite:///{sys.argv[1]}")
    fusions = by_fusion([t for t in study.trials if t.state == optuna.trial.TrialState.COMPLETE])
    print(f"{'fusion':13} {'models':>6} {'best':>6} {'trainable weights':>18}")
    for fusion, trials in fusions.items():
        print(f"{fusion:13} {len(trials):6} {trials[0].value:6.3f} {trainable(trials[0]):18,}")
    plot(fusions, "results.png")
