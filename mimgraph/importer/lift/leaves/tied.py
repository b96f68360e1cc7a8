"""Lift layers whose weight is that of another module: a head that shares the weight of an embedding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import nn

from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.functions.table import handler
from mimgraph.importer.trace.records import Call, Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


def has_tied_weight(weights: Mapping[str, Value], call: Call) -> bool:
    """Return whether a layer has a parameter that the model, whose weights are by path, lists elsewhere."""
    if not weights or not call.is_leaf or call.path.startswith("?"):
        return False
    return any(f"{call.path}.{name}" not in weights for name, _ in call.module.named_parameters())


def tied_layer(body: BodyLifter, call: Call) -> None:
    """Add the function of a layer with the weights that the model has once."""
    module: Any = call.module
    (input,) = call.arguments
    weight = _weight(body, module.weight)
    function, args = "", list[Any]()
    match module:
        case nn.Linear():
            bias = None if module.bias is None else _weight(body, module.bias)
            function, args = "linear", [input, weight, bias]
        case nn.Embedding():
            function, args = "embedding", [input, weight, module.padding_idx, module.max_norm]
        case _:
            message = f"{type(module).__name__} has the weight {weight.path} of another module"
            raise CannotLift("weight", message, call, call.place)
    step = Step(function, tuple(args), {}, call.place, result=call.result)
    handler(step)(body, step)


def _weight(body: BodyLifter, parameter: Any) -> Value:
    """Return the value of a parameter."""
    model, weights = body.lifter.model, body.lifter.trace.weights
    path = next(path for path, one in model.named_parameters() if one is parameter)
    return weights[path]
