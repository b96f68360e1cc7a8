"""Shows what a search found: a table of the fusions, and two plots in results.png.

    python report.py icons.db

On the left is each model by its trainable weights, on the right the best accuracy so far. A model whose
training was ended early counts with the accuracy that it had then.
"""

from __future__ import annotations

import sys
from itertools import accumulate

import matplotlib
import optuna

import mimgraph as mg

matplotlib.use("Agg")
from matplotlib import pyplot

Trials = list[optuna.trial.FrozenTrial]


def by_fusion(trials: Trials) -> dict[str, Trials]:
    """Return the models of each fusion, the best first."""
    found: dict[str, Trials] = {}
    for trial in sorted(trials, key=lambda trial: -accuracy(trial)):
        found.setdefault(trial.params["fusion"], []).append(trial)
    return found


def accuracy(trial: optuna.trial.FrozenTrial) -> float:
    """Return the accuracy after the last epoch that a model was trained for."""
    return trial.intermediate_values[trial.last_step]


def trainable(trial: optuna.trial.FrozenTrial) -> int:
    """Return how many weights a model learns, as its spec tells."""
    total = mg.loads(trial.user_attrs["spec"]).summary().total
    return total.params - total.frozen


def plot(fusions: dict[str, Trials], file: str) -> None:
    """Draw both plots."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for fusion, trials in fusions.items():
        left.scatter([*map(trainable, trials)], [*map(accuracy, trials)], label=fusion, s=24)
    left.set(xlabel="trainable weights", ylabel="accuracy", xscale="log")
    left.legend(frameon=False, fontsize=8)
    trained = sorted((t for ts in fusions.values() for t in ts), key=lambda trial: trial.number)
    numbers, values = [trial.number for trial in trained], [*map(accuracy, trained)]
    right.step(numbers, [*accumulate(values, max)], where="post")
    right.scatter(numbers, values, s=12, alpha=0.5)
    right.set(xlabel="trial", ylabel="best accuracy so far")
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    study = optuna.load_study(study_name="icons", storage=f"sqlite:///{sys.argv[1]}")
    fusions = by_fusion([trial for trial in study.trials if trial.intermediate_values])
    print(f"{'fusion':13} {'models':>6} {'best':>6} {'trainable weights':>18}")
    for fusion, trials in fusions.items():
        print(f"{fusion:13} {len(trials):6} {accuracy(trials[0]):6.3f} {trainable(trials[0]):18,}")
    plot(fusions, "results.png")
