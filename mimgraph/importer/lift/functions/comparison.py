"""Lift comparisons, logic of masks, and choices by them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from mimgraph.importer.draft import Op, Port
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.formula import add_formula, broadcast, is_number, number_in
from mimgraph.importer.lift.functions.table import lifts, plain_name
from mimgraph.importer.trace.records import Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

COMPARISONS = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "equal": "==",
    "not_equal": "!=",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
}


@lifts(*COMPARISONS, *(f"__{name}__" for name in COMPARISONS))
def compare(body: BodyLifter, step: Step, input: Any, other: Any) -> None:
    add_formula(body, step, f"a {COMPARISONS[plain_name(step.function)]} b", a=input, b=other)


@lifts("isnan")
def is_nan(body: BodyLifter, step: Step, input: Value) -> None:
    add_formula(body, step, "a != a", a=input)


@lifts("logical_not", "bitwise_not", "__invert__")
def invert(body: BodyLifter, step: Step, input: Value) -> None:
    if step.function != "logical_not":
        _bools(step, input)
    body.layer(step, "LogicalNot", input)


@lifts("logical_and", "bitwise_and", "__and__", "__rand__")
def both(body: BodyLifter, step: Step, input: Value, other: Value) -> None:
    _logic(body, step, "logical_and", input, other, neutral=True)


@lifts("logical_or", "bitwise_or", "__or__", "__ror__")
def either(body: BodyLifter, step: Step, input: Value, other: Value) -> None:
    _logic(body, step, "logical_or", input, other, neutral=False)


@lifts("logical_xor", "bitwise_xor", "__xor__", "__rxor__")
def one_of(body: BodyLifter, step: Step, input: Value, other: Value) -> None:
    _bools(step, input, other)
    add_formula(body, step, "a != b", a=input, b=other)


def _logic(
    body: BodyLifter, step: Step, merge: str, input: Value, other: Value, neutral: bool
) -> None:
    """Add a merge of two masks; one that is neutral everywhere changes nothing."""
    if not step.function.startswith("logical"):
        _bools(step, input, other)
    for one, two in ((input, other), (other, input)):
        if is_everywhere(one, neutral) and _is_as_wide(step, two):
            return body.alias(step, two)
    body.merge(step, merge, [input, other], **broadcast(body, input, other))


def _bools(step: Step, *given: Any) -> None:
    """Raise `CannotLift` for operations on the bits of integers."""
    if any(not isinstance(one, Value) or one.dtype != torch.bool for one in given):
        message = f"{plain_name(step.function)} of the bits of integers"
        raise CannotLift("dtype", message, place=step.place)


def is_everywhere(value: Any, truth: bool) -> bool:
    """Return whether a fixed mask has one truth value everywhere, in every trace."""
    if not isinstance(value, Value) or not value.fixed or value.dtype != torch.bool:
        return False
    return bool(value.samples) and all(bool((one == truth).all()) for one in value.samples)


def _is_as_wide(step: Step, value: Value) -> bool:
    return isinstance(value, Value) and value.sizes == step.results[0].sizes


@lifts("where")
def where(body: BodyLifter, step: Step, condition: Value, input: Any, other: Any) -> None:
    if step.callee is torch.Tensor.where:  # input.where(condition, other)
        condition, input = input, condition
    if not is_number(input) and not is_number(other):
        sources = {"condition": condition, "input": input, "other": other}
        options = broadcast(body, condition, input, other)
        body.merge(step, "where", sources, "chosen", **options)
        return
    for fill, kept, inverted in ((input, other, False), (other, input, True)):
        if is_number(fill) and not is_number(kept) and not _is_finite(fill):
            mask = body.source(condition)
            if inverted:
                mask = body.intermediate(step, Op("layer", "LogicalNot"), [mask], "hidden")
            return _fill(body, step, kept, mask, fill)
    add_formula(body, step, "where(c, a, b)", "chosen", c=condition, a=input, b=other)


def _is_finite(number: Any) -> bool:
    given = number_in(number) if isinstance(number, Value) else number
    return not isinstance(given, float) or math.isfinite(given)


@lifts("masked_fill")
def masked_fill(body: BodyLifter, step: Step, input: Value, mask: Value, value: Any) -> None:
    if isinstance(value, Value) and not is_number(value):
        return add_formula(body, step, "where(m, v, a)", "masked", m=mask, v=value, a=input)
    _fill(body, step, input, body.source(mask), value)


def _fill(body: BodyLifter, step: Step, input: Value, mask: Port, value: Any) -> None:
    number = number_in(value) if isinstance(value, Value) else value
    sources = {"input": input, "mask": mask}
    options = broadcast(body, input, mask)
    body.merge(step, "masked_fill", sources, "masked", value=number, **options)
