"""Write a search space as Ray Tune takes it: a dict of its domains by param."""

from __future__ import annotations

from typing import Any

from mimgraph.ir.declared_values import Choices, Dimension, Integers
from mimgraph.search.points import values
from mimgraph.search.space import Space

MOST_STEPS = 10_000  # values of a range whose steps Ray cannot count from its lower bound


def ray_space(space: Space) -> dict[str, Any]:
    """Return the space of each param as a domain of Ray Tune, for `tune.Tuner(param_space=...)`.

    Ray draws all params, also those that the graph does not read at the point: `with_params` ignores
    them.
    """
    try:
        import ray.tune  # noqa: F401 - only this needs it
    except ImportError:
        raise ImportError("Ray Tune is not installed: pip install 'ray[tune]'") from None
    return {name: _domain(name, one) for name, one in space.items()}


def _domain(name: str, dimension: Dimension) -> Any:
    """Return a dimension as a domain of Ray Tune; Ray counts steps from zero, mimgraph from the lower
    bound."""
    from ray import tune

    if isinstance(dimension, Choices):
        return tune.choice([*dimension.values])
    low, high = dimension.low, dimension.high
    if isinstance(dimension, Integers):
        if dimension.log:
            return tune.lograndint(int(low), int(high) + 1)
        if dimension.step == 1:
            return tune.randint(int(low), int(high) + 1)
    elif dimension.log:
        return tune.loguniform(low, high)
    elif dimension.step is None:
        return tune.uniform(low, high)
    if dimension.size > MOST_STEPS:
        message = f"Ray Tune takes a range with steps of at most {MOST_STEPS:,} values"
        raise ValueError(f"{message}: {name} has {int(dimension.size):,}")
    return tune.choice([*values(dimension)])
