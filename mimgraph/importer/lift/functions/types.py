"""Lift casts, and what leaves a tensor as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mimgraph.importer.lift.functions.table import lifts
from mimgraph.importer.lift.typing import dtype_name
from mimgraph.importer.trace.records import Step, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


@lifts(
    "contiguous",
    "clone",
    "cpu",
    "cuda",
    "alias",
    "get_data",
    "resolve_conj",
    "resolve_neg",
    "pin_memory",
    "requires_grad_",
    "as_tensor",
    "asarray",
    "__pos__",
    "positive",
)
def same(body: BodyLifter, step: Step, input: Value, *args: Any, **kwargs: Any) -> None:
    body.alias(step, input)


@lifts("detach")
def detach(body: BodyLifter, step: Step, input: Value) -> None:
    body.layer(step, "Detach", input)


@lifts(
    "to", "type", "type_as", "float", "double", "half", "bfloat16", "long", "int", "bool", "short"
)
def cast(body: BodyLifter, step: Step, input: Value, *args: Any, **kwargs: Any) -> None:
    dtype = step.results[0].dtype
    if dtype == input.dtype:
        return body.alias(step, input)
    body.layer(step, "Cast", input, dtype=dtype_name(dtype, body.lifter.model_dtype))
