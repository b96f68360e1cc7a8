"""Lift arithmetic: two tensors as merges, anything with a number as a formula."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mimgraph.importer.draft import Port
from mimgraph.importer.lift.formula import add_formula, broadcast, formula, is_number
from mimgraph.importer.lift.functions.table import lifts, plain_name, refuse
from mimgraph.importer.trace.records import Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

HINTS = {"add": "sum", "subtract": "difference", "multiply": "product", "divide": "quotient"}


def binary(body: BodyLifter, step: Step, merge: str, text: str, one: Any, two: Any) -> None:
    """Add a merge of two tensors, or the formula `text` if one of them is a number."""
    if is_number(one) or is_number(two):
        add_formula(body, step, text, a=one, b=two)
    else:
        options = broadcast(body, one, two)
        body.merge(step, merge, [one, two], HINTS.get(merge, merge), **options)


@lifts("add", "__add__", "__radd__")
def add(body: BodyLifter, step: Step, input: Any, other: Any, *, alpha: Any = 1) -> None:
    if alpha != 1:
        add_formula(body, step, "a + c * b", a=input, b=other, c=alpha)
    elif is_zero(input) and _stays(step, other):  # sum([...]) begins with 0
        body.alias(step, other)
    elif is_zero(other) and _stays(step, input):
        body.alias(step, input)
    else:
        binary(body, step, "add", "a + b", input, other)


@lifts("sub", "subtract", "__sub__")
def subtract(body: BodyLifter, step: Step, input: Any, other: Any, *, alpha: Any = 1) -> None:
    if alpha != 1:
        add_formula(body, step, "a - c * b", a=input, b=other, c=alpha)
    else:
        binary(body, step, "subtract", "a - b", input, other)


@lifts("rsub", "__rsub__")
def subtract_reversed(
    body: BodyLifter, step: Step, input: Any, other: Any, *, alpha: Any = 1
) -> None:
    refuse(step, alpha=alpha if alpha != 1 else None)
    binary(body, step, "subtract", "a - b", other, input)


@lifts("mul", "multiply", "__mul__", "__rmul__")
def multiply(body: BodyLifter, step: Step, input: Any, other: Any) -> None:
    binary(body, step, "multiply", "a * b", input, other)


@lifts("div", "divide", "true_divide", "__truediv__", "__div__")
def divide(
    body: BodyLifter, step: Step, input: Any, other: Any, *, rounding_mode: str | None = None
) -> None:
    if rounding_mode == "floor":
        return add_formula(body, step, "a // b", a=input, b=other)
    refuse(step, rounding_mode=rounding_mode)
    binary(body, step, "divide", "a / b", input, other)


@lifts("__rtruediv__", "__rdiv__")
def divide_reversed(body: BodyLifter, step: Step, input: Any, other: Any) -> None:
    binary(body, step, "divide", "a / b", other, input)


@lifts("maximum", "fmax")
def maximum(body: BodyLifter, step: Step, input: Any, other: Any) -> None:
    binary(body, step, "maximum", "maximum(a, b)", input, other)


@lifts("minimum", "fmin")
def minimum(body: BodyLifter, step: Step, input: Any, other: Any) -> None:
    binary(body, step, "minimum", "minimum(a, b)", input, other)


# the formulas of functions of one or two tensors
FORMULAS = {
    "abs": "abs(a)",
    "absolute": "abs(a)",
    "ceil": "ceil(a)",
    "cos": "cos(a)",
    "erf": "erf(a)",
    "erfc": "1 - erf(a)",
    "exp": "exp(a)",
    "exp2": "2 ** a",
    "expm1": "exp(a) - 1",
    "floor": "floor(a)",
    "log": "log(a)",
    "log10": f"log(a) / {math.log(10)!r}",
    "log1p": "log(1 + a)",
    "log2": f"log(a) / {math.log(2)!r}",
    "neg": "-a",
    "negative": "-a",
    "reciprocal": "1 / a",
    "round": "round(a)",
    "rsqrt": "1 / sqrt(a)",
    "sgn": "sign(a)",
    "sign": "sign(a)",
    "sin": "sin(a)",
    "sqrt": "sqrt(a)",
    "square": "a ** 2",
    "tan": "sin(a) / cos(a)",
    "sinh": "(exp(a) - exp(-a)) / 2",
    "cosh": "(exp(a) + exp(-a)) / 2",
}
BINARY_FORMULAS = {
    "floor_divide": "a // b",
    "__floordiv__": "a // b",
    "__rfloordiv__": "b // a",
    "remainder": "a % b",
    "__mod__": "a % b",
    "__rmod__": "b % a",
    "pow": "a ** b",
    "__pow__": "a ** b",
    "__rpow__": "b ** a",
    "hypot": "sqrt(a * a + b * b)",
}


@lifts(*FORMULAS, "__neg__", "__abs__", "special_expm1", "special_erf")
def function(body: BodyLifter, step: Step, input: Any) -> None:
    name = plain_name(step.function).removeprefix("special_")
    add_formula(body, step, FORMULAS[name], a=input)


@lifts(*BINARY_FORMULAS)
def binary_function(
    body: BodyLifter, step: Step, input: Any, other: Any = None, exponent: Any = None
) -> None:
    given = other if exponent is None else exponent
    name = step.function if step.function in BINARY_FORMULAS else step.function.rstrip("_")
    name = name if name in BINARY_FORMULAS else f"__{name.removeprefix('__i')}__"
    add_formula(body, step, BINARY_FORMULAS[name], a=input, b=given)


@lifts("addcmul", "addcdiv")
def add_scaled(
    body: BodyLifter, step: Step, input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1
) -> None:
    sign = "/" if "div" in step.function else "*"
    text = f"a + b {sign} c" if value == 1 else f"a + v * b {sign} c"
    extra = {} if value == 1 else {"v": value}
    add_formula(body, step, text, a=input, b=tensor1, c=tensor2, **extra)


@lifts("lerp")
def interpolate(body: BodyLifter, step: Step, input: Any, end: Any, weight: Any) -> None:
    add_formula(body, step, "a + w * (b - a)", a=input, b=end, w=weight)


@lifts("clamp", "clip", "clamp_min", "clamp_max")
def clamp(body: BodyLifter, step: Step, input: Any, min: Any = None, max: Any = None) -> None:
    if step.function.startswith("clamp_max") and max is None:
        min, max = None, min
    limits = {name: one for name, one in (("min", min), ("max", max)) if one is not None}
    if not any(isinstance(one, Value) for one in limits.values()):
        body.layer(step, "Clamp", input, **limits)
        return
    port: Value | Port = input
    for name, one in limits.items():
        text = "maximum(a, b)" if name == "min" else "minimum(a, b)"
        port = formula(body, step, text, body.name_of(step, "clamped"), a=port, b=one)
    assert isinstance(port, Port)
    body.result(step, port)


def is_zero(given: Any) -> bool:
    """Return whether an argument is the number 0."""
    return isinstance(given, int | float) and given == 0


def _stays(step: Step, given: Any) -> bool:
    """Return whether a result has the dtype of an argument: True + 0 is 1."""
    return isinstance(given, Value) and given.dtype == step.results[0].dtype
