"""Ask a trial of Optuna for a point of a search space, and return the graph there: `mg.sample`."""

from __future__ import annotations

import json
from os import PathLike
from typing import TYPE_CHECKING, Any

from mimgraph.diagnostics import SpecError
from mimgraph.graph import Graph, load
from mimgraph.ir.declared_values import Choices, Dimension, Integers
from mimgraph.support.entry_point import entry_point

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

SPEC, REJECTED = "spec", "rejected"  # attributes of a trial

_searched: list[Graph] = []  # the spec that `mimgraph search` searches, in its workers


def search_in(graph: Graph) -> None:
    """Make a graph the one that `sample` takes where it is given none."""
    _searched[:] = [graph]


@entry_point
def sample(trial: BaseTrial, spec: str | PathLike[str] | Graph | None = None) -> Graph:
    """Return the graph of a spec with the params that a trial of Optuna suggests:

        def objective(trial):
            model = mg.sample(trial, "model.yaml").compile()

    Only params that the graph reads at this point are asked for. The trial gets the resolved spec as the user attribute
    `spec`. A point that cannot be raises `optuna.TrialPruned`, and its reason is the attribute `rejected`. Without
    `spec` it is that of `mimgraph search`.
    """
    from optuna import TrialPruned

    graph = _graph(spec)
    try:
        found = graph.with_params(graph.space.point(Asking(trial)))
    except SpecError as error:
        reason = _reason(error)
        trial.set_user_attr(REJECTED, reason)
        raise TrialPruned(reason) from None
    trial.set_user_attr(SPEC, found.dumps())
    return found


def _graph(spec: str | PathLike[str] | Graph | None) -> Graph:
    """Return the graph whose space is sampled."""
    if isinstance(spec, Graph):
        return spec
    if spec is not None:
        return load(spec)
    if not _searched:
        raise ValueError(
            "sample knows the spec only in `mimgraph search`: write mg.sample(trial, 'model.yaml')"
        )
    return _searched[0]


def _reason(error: SpecError) -> str:
    """Return the first fault of a point on a line, with its place."""
    first = error.diagnostics[0]
    text = f"{first.message}: {first.note}" if first.note else first.message
    return f"{first.code}: {text} ({first.span.file.name}:{first.span.line})"


class Asking:
    """Asks a trial for the value of one dimension after the other."""

    def __init__(self, trial: BaseTrial) -> None:
        self.trial = trial

    def __call__(self, name: str, dimension: Dimension) -> Any:
        """Return the value that the trial suggests for a param."""
        if isinstance(dimension, Choices):
            return self._choice(name, dimension.values)
        low, high, log = dimension.low, dimension.high, dimension.log
        if isinstance(dimension, Integers):
            return self.trial.suggest_int(name, int(low), int(high), step=dimension.step, log=log)
        return self.trial.suggest_float(name, low, high, step=dimension.step, log=log)

    def _choice(self, name: str, values: tuple[Any, ...]) -> Any:
        """Return one of the choices; Optuna stores lists, and equal values such as 1 and true, as JSON."""
        plain = all(value is None or isinstance(value, str | int | float) for value in values)
        if plain and len({*values}) == len(values):
            return self.trial.suggest_categorical(name, values)
        by_text = {json.dumps(value): value for value in values}
        return by_text[self.trial.suggest_categorical(name, [*by_text])]
