"""Lift comparisons, logic of masks, and choices by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from mimgraph.importer.lift.formula import add_formula, is_number, number_in, same_sizes
from mimgraph.importer.lift.functions.table import lifts
from mimgraph.importer.trace.records import Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


@lifts(*COMPARISONS, *(f"__{name}__" for name in COMPARISONS))
def compare(body: BodyLifter, step: Step, input: Any, other: Any) -> None:
    add_formula(body, step, f"a {COMPARISONS[step.function.strip('_')]} b", a=input, b=other)


@lifts("logical_not", "bitwise_not", "__invert__")
def invert(body: BodyLifter, step: Step, input: Value) -> None:
    body.layer(step, "LogicalNot", input)


@lifts("logical_and", "bitwise_and", "__and__", "__rand__")
def both(body: BodyLifter, step: Step, input: Value, other: Value) -> None:
    for one, two in ((input, other), (other, input)):
        if isinstance(one, Value) and all_true(one):
            return body.alias(step, two)
    options = {} if same_sizes(input, other) else {"broadcast": True}
    body.merge(step, "logical_and", [input, other], **options)


@lifts("logical_or", "bitwise_or", "__or__", "__ror__")
def either(body: BodyLifter, step: Step, input: Value, other: Value) -> None:
    options = {} if same_sizes(input, other) else {"broadcast": True}
    body.merge(step, "logical_or", [input, other], **options)


def all_true(value: Value) -> bool:
    """Return whether a fixed mask is true everywhere, in every trace."""
    samples = value.samples if value.fixed and value.dtype == torch.bool else ()
    return bool(samples) and all(bool(sample.all()) for sample in samples)


@lifts("where")
def where(body: BodyLifter, step: Step, condition: Value, input: Any, other: Any) -> None:
    add_formula(body, step, "where(c, a, b)", "chosen", c=condition, a=input, b=other)


@lifts("masked_fill")
def masked_fill(body: BodyLifter, step: Step, input: Value, mask: Value, value: Any) -> None:
    number = number_in(value) if isinstance(value, Value) and is_number(value) else value
    options = {} if same_sizes(input, mask) else {"broadcast": True}
    sources = {"input": input, "mask": mask}
    body.merge(step, "masked_fill", sources, "masked", value=number, **options)
