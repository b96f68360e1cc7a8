"""Define the task of a worker: the objective and the study of a search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler

    from mimgraph.importer.user_code import Reference


class Job(NamedTuple):
    """What a worker does; the spec, which may need the `imports`, follows it."""

    objective: Reference
    storage: str
    study: str
    sampler: str = "tpe"
    pruner: str = "median"
    imports: Sequence[str] = ()


def sampler(name: str, seed: int | None) -> BaseSampler:
    """Return Optuna's sampler of this name."""
    from optuna import samplers

    makers: dict[str, Callable[..., BaseSampler]] = {
        "tpe": samplers.TPESampler,
        "random": samplers.RandomSampler,
    }
    return makers[name](seed=seed)


def pruner(name: str) -> BasePruner:
    """Return Optuna's pruner of this name."""
    from optuna import pruners

    makers: dict[str, Callable[[], BasePruner]] = {
        "median": pruners.MedianPruner,
        "hyperband": pruners.HyperbandPruner,
        "none": pruners.NopPruner,
    }
    return makers[name]()
