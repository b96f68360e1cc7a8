"""Add formulas: arithmetic over the sources of a node."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from mimgraph.importer.draft import Op, Port
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.trace.records import Step, Value
from mimgraph.ir.dim import Dim

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

_NAME = re.compile(r"\b[a-z]\w*\b(?!\()")


def add_formula(body: BodyLifter, step: Step, text: str, hint: str = "", **given: Any) -> None:
    """Add the formula `text` for a step: `add_formula(body, step, "a * b", a=x, b=0.5)`.

    Names in the text stand for what is given: a value or port for a source, a number for itself.
    """
    body.result(step, formula(body, step, text, body.name_of(step, hint or "formula"), **given))


def formula(body: BodyLifter, step: Step, text: str, hint: str = "formula", **given: Any) -> Port:
    """Add a formula for a part of a step, and return its result."""
    sources = {name: one for name, one in given.items() if not is_number(one)}
    numbers = {name: literal(step, one) for name, one in given.items() if name not in sources}
    text = _NAME.sub(lambda match: numbers.get(match[0], match[0]), text)
    if not sources:
        raise CannotLift("function", "a formula of numbers alone", place=step.place)
    options: dict[str, Any] = {"expr": text} | broadcast(body, *sources.values())
    return body.intermediate(step, Op("merge", "formula", options), sources, hint)


def broadcast(body: BodyLifter, *sources: Value | Port) -> dict[str, Any]:
    """Return the option by which sources of different sizes meet; none if their sizes are equal."""
    shapes = {body.type_of(one).shape for one in sources}
    return {"broadcast": True} if len(shapes) > 1 else {}


def is_number(given: Any) -> bool:
    """Return whether an argument is a number, or a tensor that holds one known number."""
    if isinstance(given, Value):
        return given.fixed and given.rank == 0 and number_in(given) is not None
    return isinstance(given, int | float | Dim)


def number_in(value: Value) -> float | int | bool | None:
    """Return the number in a fixed tensor, the same in every trace; None if there is none."""
    found = [sample.item() for sample in value.samples if sample.numel() == 1]
    same = bool(found) and len(found) == len(value.samples) and all(n == found[0] for n in found)
    return found[0] if same else None


def literal(step: Step, given: Any) -> str:
    """Return a number as it stands in a formula; `$(...)` for one of named sizes."""
    number = number_in(given) if isinstance(given, Value) else given
    if isinstance(number, Dim):
        return f"$({number})"
    if isinstance(number, bool):
        number = int(number)
    if isinstance(number, float) and not math.isfinite(number):
        raise CannotLift("function", f"a formula with the number {number}", place=step.place)
    return repr(number) if number is not None and number >= 0 else f"({number!r})"
