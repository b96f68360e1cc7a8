"""Lift reductions over axes, sorting, and sums along an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from mimgraph.importer.draft import Op, Port
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.formula import add_formula
from mimgraph.importer.lift.functions.arithmetic import maximum, minimum
from mimgraph.importer.lift.functions.table import lifts, plain_name
from mimgraph.importer.lift.typing import dtype_name
from mimgraph.importer.trace.records import Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

LAYERS = {
    "mean": "Mean",
    "sum": "Sum",
    "prod": "Prod",
    "amax": "Max",
    "amin": "Min",
    "logsumexp": "LogSumExp",
}


@lifts(*LAYERS, "special_logsumexp")
def reduce(
    body: BodyLifter,
    step: Step,
    input: Value,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    axis: Any = None,
) -> None:
    layer = LAYERS[step.function.removeprefix("special_")]
    source = cast(body, step, input, dtype)
    dim = axes(step, input, dim if axis is None else axis)
    body.layer(step, layer, source, dim=dim, **kept(keepdim))


def axes(step: Step, input: Value, dim: Any) -> Any:
    """Return the axes of a reduction; raise `CannotLift` if these are all, and the batch is one."""
    if dim is not None and dim not in ([], ()):
        given = [*dim] if isinstance(dim, tuple | list) else dim
        return given[0] if isinstance(given, list) and len(given) == 1 else given
    if input.is_batched or any("N" in str(size) for size in input.sizes):
        message = f"{plain_name(step.function)} over all axes, the batch too"
        raise CannotLift("batch", message, place=step.place)
    return [*range(input.rank)] if input.rank != 1 else 0


def kept(keepdim: bool) -> dict[str, Any]:
    """Return the option `keepdim` if it is not the default."""
    return {"keepdim": True} if keepdim else {}


def cast(body: BodyLifter, step: Step, input: Value, dtype: Any) -> Value | Port:
    """Return an argument in another dtype, if one is given."""
    if dtype in (None, input.dtype):
        return input
    name = dtype_name(dtype, body.lifter.model_dtype)
    return body.intermediate(step, Op("layer", "Cast", {"dtype": name}), [input], "cast")


@lifts("argmax", "argmin")
def position(
    body: BodyLifter, step: Step, input: Value, dim: int | None = None, keepdim: bool = False
) -> None:
    layer = {"argmax": "ArgMax", "argmin": "ArgMin"}[step.function]
    body.layer(step, layer, input, dim=axes(step, input, dim), **kept(keepdim))


@lifts("max", "min")
def extreme(
    body: BodyLifter, step: Step, input: Value, dim: Any = None, keepdim: bool = False, **more: Any
) -> None:
    """Add the values, the positions, or both; of two tensors it is `maximum` or `minimum`."""
    other = dim if isinstance(dim, Value) else more.get("other")
    is_max = step.function == "max"
    if other is not None:
        return (maximum if is_max else minimum)(body, step, input, other)
    options = {"dim": axes(step, input, dim), **kept(keepdim)}
    layers = ("Max", "ArgMax") if is_max else ("Min", "ArgMin")
    for index, (value, layer) in enumerate(zip(step.results, layers, strict=False)):
        if body.is_used(value):
            body.result(step, body.intermediate(step, Op("layer", layer, options), [input]), index)


@lifts("var", "std")
def spread(body: BodyLifter, step: Step, input: Value, *args: Any, **kwargs: Any) -> None:
    options = _spread_options(step, input, args, kwargs)
    body.layer(step, step.function.capitalize(), input, **options)


@lifts("var_mean", "std_mean")
def spread_and_mean(body: BodyLifter, step: Step, input: Value, *args: Any, **kwargs: Any) -> None:
    options = _spread_options(step, input, args, kwargs)
    of_mean = {name: one for name, one in options.items() if name != "correction"}
    layers = [Op("layer", step.function[:3].capitalize(), options), Op("layer", "Mean", of_mean)]
    for index, op in enumerate(layers):
        if body.is_used(step.results[index]):
            body.result(step, body.intermediate(step, op, [input]), index)


def _spread_options(step: Step, input: Value, args: Any, kwargs: Any) -> dict[str, Any]:
    """Return the options of Var and Std: `x.var(1, False)` and `x.var(1, unbiased=False)` too."""
    given = dict(zip(("dim", "unbiased", "keepdim"), args, strict=False)) | kwargs
    if args and isinstance(args[0], bool):
        given = {"unbiased": args[0]} | kwargs
    correction = given.get("correction", 1 if given.get("unbiased", True) else 0)
    options = {"dim": axes(step, input, given.get("dim")), **kept(given.get("keepdim", False))}
    return options | ({} if correction == 1 else {"correction": correction})


@lifts("norm", "linalg_vector_norm", "linalg_norm", "vector_norm")
def norm(
    body: BodyLifter,
    step: Step,
    input: Value,
    p: Any = None,
    dim: Any = None,
    keepdim: bool = False,
    out: Any = None,
    dtype: Any = None,
    ord: Any = None,
) -> None:
    order = p if ord is None else ord
    order = 2.0 if order in (None, "fro") else order
    dim = axes(step, input, dim)
    if not isinstance(order, int | float) or (
        "linalg_norm" in step.function and isinstance(dim, list)
    ):
        raise CannotLift("arguments", f"a norm of order {order}", place=step.place)
    source = cast(body, step, input, dtype)
    options = {} if order == 2 else {"ord": float(order)}
    body.layer(step, "Norm", source, dim=dim, **options, **kept(keepdim))


@lifts("any", "all")
def truth(
    body: BodyLifter, step: Step, input: Value, dim: Any = None, keepdim: bool = False
) -> None:
    """Count the true values, or the false ones, along an axis."""
    options = {"dim": axes(step, input, dim), **kept(keepdim)}
    source = body.source(input)
    if step.function == "all":
        source = body.intermediate(step, Op("layer", "LogicalNot"), [source])
    elif input.dtype != torch.bool:
        source = body.intermediate(step, Op("layer", "Cast", {"dtype": "bool"}), [source])
    count = body.intermediate(step, Op("layer", "Sum", options), [source], "count")
    add_formula(body, step, "a == 0" if step.function == "all" else "a > 0", a=count)


@lifts("count_nonzero")
def count_nonzero(body: BodyLifter, step: Step, input: Value, dim: Any = None) -> None:
    port = body.intermediate(step, Op("layer", "Cast", {"dtype": "bool"}), [input])
    body.layer(step, "Sum", port, "count", dim=axes(step, input, dim))


@lifts("cumsum", "cumprod")
def cumulative(body: BodyLifter, step: Step, input: Value, dim: int, *, dtype: Any = None) -> None:
    layer = {"cumsum": "CumSum", "cumprod": "CumProd"}[step.function.rstrip("_")]
    body.layer(step, layer, cast(body, step, input, dtype), dim=dim)


@lifts("topk")
def top_k(
    body: BodyLifter,
    step: Step,
    input: Value,
    k: Any,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,
) -> None:
    given = {} if dim == -1 else {"dim": dim}
    given |= {} if largest else {"largest": False}
    given |= {} if sorted else {"sorted": False}
    _values_and_indices(body, step, "TopK", input, k=k, **given)


@lifts("sort")
def sort(
    body: BodyLifter,
    step: Step,
    input: Value,
    dim: int = -1,
    descending: bool = False,
    stable: bool | None = None,
) -> None:
    _values_and_indices(body, step, "Sort", input, **_order(dim, descending, stable))


@lifts("argsort")
def positions_in_order(
    body: BodyLifter,
    step: Step,
    input: Value,
    dim: int = -1,
    descending: bool = False,
    stable: bool | None = None,
) -> None:
    op = Op("layer", "Sort", _order(dim, descending, stable))
    node = body.intermediate(step, op, [input]).node
    body.result(step, Port(node, "indices"))


def _order(dim: int, descending: bool, stable: bool | None) -> dict[str, Any]:
    """Return the options of Sort."""
    given = {"dim": dim} if dim != -1 else {}
    given |= {"descending": True} if descending else {}
    return given | ({"stable": True} if stable else {})


def _values_and_indices(
    body: BodyLifter, step: Step, layer: str, input: Value, **options: Any
) -> None:
    """Add a layer with the ports `values` and `indices`."""
    node = body.layer(step, layer, input, **options)
    for index, port in enumerate(("values", "indices")):
        body.result(step, Port(node, port), index)
