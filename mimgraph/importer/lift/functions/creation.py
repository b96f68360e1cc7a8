"""Lift tensors that a forward makes: zeros, ones, positions, triangles and noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from mimgraph.importer.draft import Op, Port
from mimgraph.importer.lift.constants import source_of_size
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.formula import add_formula, formula, is_number
from mimgraph.importer.lift.functions.table import lifts, plain_name
from mimgraph.importer.lift.typing import dtype_name
from mimgraph.importer.sizes import is_unknown
from mimgraph.importer.trace.records import Step, Value
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.types import BATCH

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


@lifts("zeros", "ones", "new_zeros", "new_ones")
def constant(body: BodyLifter, step: Step, *args: Any, **kwargs: Any) -> None:
    name = step.function.removeprefix("new_")
    body.result(step, filled(body, step, name))


@lifts("zeros_like", "ones_like")
def constant_like(body: BodyLifter, step: Step, input: Value, **kwargs: Any) -> None:
    body.result(step, _like(body, step, step.function.removesuffix("_like"), input))


@lifts("full", "new_full")
def full(body: BodyLifter, step: Step, *args: Any, **kwargs: Any) -> None:
    given = [one for one in args if not isinstance(one, Value) or is_number(one)]
    value = kwargs["fill_value"] if "fill_value" in kwargs else given[-1]
    _add_value(body, step, filled(body, step, "zeros"), value)


@lifts("full_like")
def full_like(body: BodyLifter, step: Step, input: Value, fill_value: Any, **kwargs: Any) -> None:
    _add_value(body, step, _like(body, step, "zeros", input), fill_value)


def _add_value(body: BodyLifter, step: Step, zeros: Port, value: Any) -> None:
    """Let the result of a step have one value everywhere."""
    if step.results[0].dtype == torch.bool:
        body.result(step, formula(body, step, "a == 0", a=zeros) if value else zeros)
    elif isinstance(value, float) and math.isinf(value):
        sources = {"input": zeros, "mask": formula(body, step, "a == 0", a=zeros)}
        body.merge(step, "masked_fill", sources, "filled", value=value)
    else:
        add_formula(body, step, "a + v", "filled", a=zeros, v=value)


def filled(body: BodyLifter, step: Step, name: str) -> Port:
    """Return zeros or ones of the sizes and dtype of a step's result."""
    value = step.results[0]
    sizes = value.sizes[1:] if value.is_batched else value.sizes
    check_sizes(step, sizes)
    options: dict[str, Any] = {"shape": [*sizes]}
    options |= {"batched": True} if value.is_batched else {}
    dtype = dtype_name(value.dtype, body.lifter.model_dtype)
    options |= {"dtype": dtype} if dtype != "float32" else {}
    return body.intermediate(step, Op("tensor", name, options), [], name)


def _like(body: BodyLifter, step: Step, name: str, input: Value) -> Port:
    dtype = step.results[0].dtype
    given = {"dtype": dtype_name(dtype, body.lifter.model_dtype)} if dtype != input.dtype else {}
    return body.intermediate(step, Op("tensor", name, given), {"like": input}, name)


def check_sizes(step: Step, sizes: Sequence[Size]) -> None:
    """Raise `CannotLift` for sizes that no spec can write."""
    for size in sizes:
        if isinstance(size, Dim) and (is_unknown(size) or BATCH in (size,) or "N" in str(size)):
            message = f"{plain_name(step.function)} of a size {size}"
            raise CannotLift("size", message, place=step.place)


@lifts("arange")
def arange(body: BodyLifter, step: Step, *args: Any, **kwargs: Any) -> None:
    """Count from 0, and scale and shift that."""
    numbers = [one for one in args if not isinstance(one, Value)]
    start = kwargs.get("start", numbers[0] if len(numbers) > 1 else 0)
    stride = kwargs.get("step", numbers[2] if len(numbers) > 2 else 1)
    port = positions(body, step, step.results[0].sizes[0])
    if stride != 1:
        port = formula(body, step, "a * v", a=port, v=stride)
    if start != 0:
        port = formula(body, step, "a + v", a=port, v=start)
    body.result(step, port)


def positions(body: BodyLifter, step: Step, size: Size) -> Port:
    """Return the numbers 0, 1, 2, ... of this many."""
    source = source_of_size(body, size) if isinstance(size, Dim) else None
    if source is not None:
        port, axis = source
        return body.intermediate(step, Op("tensor", "arange", {"dim": axis}), [port], "positions")
    check_sizes(step, [size])
    return body.intermediate(step, Op("tensor", "arange", {"end": size}), [], "positions")


@lifts("tril", "triu")
def triangle(body: BodyLifter, step: Step, input: Value, diagonal: int = 0) -> None:
    """Keep the values on one side of a diagonal."""
    rows = positions(body, step, input.sizes[-2])
    rows = body.intermediate(step, Op("layer", "Unsqueeze", {"dim": 1}), [rows], "rows")
    columns = positions(body, step, input.sizes[-1])
    operator = "<=" if step.function == "tril" else ">="
    text = f"c - r {operator} d"
    text = f"a and {text}" if input.dtype == torch.bool else f"where({text}, a, 0)"
    add_formula(body, step, text, "triangle", a=input, c=columns, r=rows, d=diagonal)


@lifts("rand_like", "randn_like")
def noise_like(body: BodyLifter, step: Step, input: Value, **kwargs: Any) -> None:
    _noise(body, step, input)


@lifts("rand", "randn")
def noise(body: BodyLifter, step: Step, *args: Any, **kwargs: Any) -> None:
    _noise(body, step, filled(body, step, "zeros"))


def _noise(body: BodyLifter, step: Step, like: Value | Port) -> None:
    """Add random numbers; where evaluation draws none, they are zero there."""
    name = step.function.removesuffix("_like")
    options = {"distribution": {"rand": "uniform", "randn": "normal"}[name]}
    if body.lifter.noise_in_training:
        options["only"] = "training"
    body.tensor(step, "random", {"like": like}, "noise", **options)


@lifts("bernoulli", "normal", "multinomial", "randint", "randperm", "uniform", "exponential")
def other_noise(body: BodyLifter, step: Step, *args: Any, **kwargs: Any) -> None:
    raise CannotLift("random", f"{plain_name(step.function)} draws at random", place=step.place)


@lifts("meshgrid")
def meshgrid(body: BodyLifter, step: Step, *tensors: Any, indexing: str = "ij") -> None:
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    for index, (one, value) in enumerate(zip(given, step.results, strict=True)):
        if not body.is_used(value):
            continue
        axis = {0: 1, 1: 0}.get(index, index) if indexing == "xy" else index
        if isinstance(value.sizes[axis], Dim) and one.is_batched:
            raise CannotLift("batch", "meshgrid of all samples", place=step.place)
        port = body.source(one)
        shape = [size if i == axis else 1 for i, size in enumerate(value.sizes)]
        port = body.intermediate(step, Op("layer", "Reshape", {"shape": _lone(shape)}), [port])
        sizes = [-1 if i == axis else size for i, size in enumerate(value.sizes)]
        port = body.intermediate(step, Op("layer", "Expand", {"size": sizes}), [port])
        body.result(step, port, index)


def _lone(shape: list[Any]) -> list[Any]:
    return [-1 if isinstance(size, Dim) else size for size in shape]
