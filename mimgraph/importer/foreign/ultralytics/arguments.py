"""Bind the arguments of a row to the parameters of a module, and check their types."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from types import NoneType
from typing import Any, get_args, get_type_hints

from mimgraph.importer.foreign.located import refuse
from mimgraph.source import Span

LARGEST = 1 << 20  # of a number of channels, a size, a count


class Numbers(tuple[int, ...]):
    """A list of whole numbers, such as the height and width of a kernel."""


class Signed(int):
    """A whole number that may be negative."""


WORDS = {
    int: "a whole number",
    Signed: "a whole number",
    float: "a number",
    bool: "True or False",
    Numbers: "a list of whole numbers",
    NoneType: "None",
}


def bind(function: Callable[..., Any], given: list[Any], name: str, span: Span) -> dict[str, Any]:
    """Return the arguments of a row by the name of the parameter, checked; refuse others."""
    signature = inspect.signature(function)
    try:
        bound = signature.bind(*given)
    except TypeError:
        takes = ", ".join(signature.parameters)
        refuse("wrong-arity", f"{name} takes {takes}; {len(given)} are given", span)
    hints = get_type_hints(function)
    checked = {}
    for key, value in bound.arguments.items():
        kinds = get_args(hints[key]) or (hints[key],)
        checked[key] = _as_one_of(kinds, value)
        if checked[key] is _WRONG:
            wanted = " or ".join(WORDS[kind] for kind in kinds)
            refuse("bad-option", f"{key} of {name} must be {wanted}, not {value!r:.40}", span)
    return checked


_WRONG = object()


def _as_one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    """Return a value that is of one of the kinds, or _WRONG; numbers are not negative, nor too large."""
    match value:
        case bool() | None:
            fits = type(value) in kinds
        case int():
            fits = 0 <= value <= LARGEST and (int in kinds or float in kinds)
            fits = fits or (Signed in kinds and abs(value) <= LARGEST)
        case float():
            fits = 0 <= value <= LARGEST and math.isfinite(value) and float in kinds
        case [*items] if Numbers in kinds and all(type(item) is int for item in items):
            fits = len(items) <= 16 and all(0 <= item <= LARGEST for item in items)
            value = Numbers(items)
        case _:
            fits = (
                type(value) in kinds
            )  # what the reader gives itself, such as the levels of a head
    return value if fits else _WRONG
