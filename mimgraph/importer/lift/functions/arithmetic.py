"""Lift arithmetic: two tensors as merges, anything with a number as a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mimgraph.importer.lift.formula import add_formula, is_number, same_sizes
from mimgraph.importer.lift.functions.table import lifts, refuse
from mimgraph.importer.trace.records import Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

HINTS = {
    "add": "sum",
    "subtract": "difference",
    "multiply": "product",
    "divide": "quotient",
    "maximum": "maximum",
    "minimum": "minimum",
}


def binary(body: BodyLifter, step: Step, merge: str, text: str, one: Any, two: Any) -> None:
    """Add a merge of two tensors, or the formula `text` if one of them is a number."""
    if is_number(one) or is_number(two):
        add_formula(body, step, text, a=one, b=two)
    else:
        options = {} if same_sizes(one, two) else {"broadcast": True}
        body.merge(step, merge, [one, two], HINTS[merge], **options)


@lifts("add", "__add__", "__radd__")
def add(body: BodyLifter, step: Step, input: Any, other: Any, *, alpha: Any = 1) -> None:
    if alpha != 1:
        add_formula(body, step, f"a + {alpha!r} * b", a=input, b=other)
    elif is_zero(input) and isinstance(other, Value):  # sum([...]) begins with 0
        body.alias(step, other)
    elif is_zero(other) and isinstance(input, Value):
        body.alias(step, input)
    else:
        binary(body, step, "add", "a + b", input, other)


@lifts("sub", "subtract", "__sub__")
def subtract(body: BodyLifter, step: Step, input: Any, other: Any, *, alpha: Any = 1) -> None:
    if alpha != 1:
        add_formula(body, step, f"a - {alpha!r} * b", a=input, b=other)
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


@lifts("reciprocal")
def reciprocal(body: BodyLifter, step: Step, input: Any) -> None:
    add_formula(body, step, "1 / a", a=input)


@lifts("floor_divide", "__floordiv__")
def floor_divide(body: BodyLifter, step: Step, input: Any, other: Any) -> None:
    add_formula(body, step, "a // b", a=input, b=other)


@lifts("remainder", "__mod__")
def remainder(body: BodyLifter, step: Step, input: Any, other: Any) -> None:
    add_formula(body, step, "a % b", a=input, b=other)


@lifts("pow", "__pow__", "float_power")
def power(body: BodyLifter, step: Step, input: Any, exponent: Any) -> None:
    add_formula(body, step, "a ** b", a=input, b=exponent)


@lifts("__rpow__")
def power_reversed(body: BodyLifter, step: Step, input: Any, other: Any) -> None:
    add_formula(body, step, "b ** a", a=input, b=other)


@lifts("maximum", "fmax")
def maximum(body: BodyLifter, step: Step, input: Any, other: Any) -> None:
    binary(body, step, "maximum", "maximum(a, b)", input, other)


@lifts("minimum", "fmin")
def minimum(body: BodyLifter, step: Step, input: Any, other: Any) -> None:
    binary(body, step, "minimum", "minimum(a, b)", input, other)


@lifts("neg", "negative", "__neg__")
def negative(body: BodyLifter, step: Step, input: Any) -> None:
    add_formula(body, step, "-a", a=input)


@lifts("abs", "exp", "log", "sqrt", "sin", "cos", "absolute", "__abs__")
def function(body: BodyLifter, step: Step, input: Any) -> None:
    name = step.function.strip("_")
    add_formula(body, step, f"{'abs' if name == 'absolute' else name}(a)", a=input)


@lifts("rsqrt")
def rsqrt(body: BodyLifter, step: Step, input: Any) -> None:
    add_formula(body, step, "1 / sqrt(a)", a=input)


@lifts("square")
def square(body: BodyLifter, step: Step, input: Any) -> None:
    add_formula(body, step, "a ** 2", a=input)


@lifts("clamp", "clip")
def clamp(body: BodyLifter, step: Step, input: Any, min: Any = None, max: Any = None) -> None:
    limits = {name: one for name, one in (("min", min), ("max", max)) if one is not None}
    if any(isinstance(one, Value) for one in limits.values()):
        text = f"maximum(a, {'min' if min is not None else ''})"
        refuse(step, tensor_limits=text)
    body.layer(step, "Clamp", input, **limits)


def is_zero(given: Any) -> bool:
    """Return whether an argument is the number 0."""
    return isinstance(given, int | float) and given == 0
