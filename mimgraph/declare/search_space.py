"""Read the search space of a param: `{search: [64, 128], default: 64}`, `{search: {int: [2, 8]}}`."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from mimgraph.declare.sections import PARAM
from mimgraph.declare.tree import Mapping, Scalar, Sequence, Tree, is_faulty
from mimgraph.declare.values import (
    Context,
    check_keys,
    faulty_option,
    read_option,
    read_value,
)
from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.diagnostics.nearest import suggestion
from mimgraph.diagnostics.text import TRUE_OR_FALSE, drop, write
from mimgraph.ir.declared_values import (
    FAULTY,
    Choices,
    Dimension,
    Floats,
    Integers,
    Option,
    PlainNumber,
    Template,
    Written,
    is_multiple,
    written,
)
from mimgraph.ir.grammar import PLACES
from mimgraph.source import Span

MAX_CHOICES = 1000
SPACE = "a list of values, {int: [2, 8]} or {float: [0.1, 1.0]}"


def is_space(tree: Mapping) -> bool:
    """Return whether a mapping is meant as a search space: a key is one of a space, or nearly."""
    known = (*PLACES["a param"], *PLACES["a search"])
    return any(key.text in known or suggestion(key.text, known) for key, _ in tree.entries)


def read_searched(context: Context, key: Scalar, tree: Mapping) -> Option:
    """Return a param with a search space and its default; the value is faulty after a report."""
    faulty = faulty_option(tree.span)._replace(key=key.span)
    if _is_bare(context, tree) or not check_keys(context, "a param", tree):
        return faulty
    search = tree.get("search")
    if search is None:
        message, help = "a param that is a mapping needs a search", f"give search {SPACE}"
        context.fault("missing-key", message, tree.span, help=help)
        return faulty
    space = _read_space(context, search)
    entry = tree.entry("default")
    if space is None:
        return faulty
    if entry is None:
        return _with_first_value(key, search, space)
    value = _read_default(context, entry[1], space)
    if value is FAULTY:
        return faulty
    found = read_option(context, *entry)
    return found._replace(value=value, key=key.span, space=replace(space, default=value))


def _with_first_value(key: Scalar, search: Tree, space: Dimension) -> Option:
    """Return a param whose default is the first value of its space, where that is written."""
    first = search.items[0] if isinstance(search, Sequence) else search
    part = first.part if isinstance(first, Scalar) else None
    items = tuple([item.span for item in first.items]) if isinstance(first, Sequence) else ()
    return Option(space.default, first.span, key.span, part, items, space=space)


def _is_bare(context: Context, tree: Mapping) -> bool:
    """Report `{int: [2, 8]}` without the `search` around it; return whether it is that."""
    if tree.get("search") is not None or not any(tree.get(key) for key in ("int", "float")):
        return False
    first = tree.entries[0][0]
    inside = tree.span.excerpt().text if tree.span.line == tree.span.end_line else "{int: [2, 8]}"
    help = f"write {{search: {inside}}}"
    context.fault("missing-key", "a search space belongs in search", first.span, help=help)
    return True


def _read_space(context: Context, tree: Tree) -> Dimension | None:
    """Return the space that `search` gives; None for a faulty one, which is reported."""
    if isinstance(tree, Sequence):
        return _read_choices(context, tree)
    if not isinstance(tree, Mapping):
        context.wrong_type("search", SPACE, tree)
        return None
    if not check_keys(context, "a search", tree):
        return None
    kinds = [key for key, _ in tree.entries if key.text in ("int", "float")]
    if len(kinds) != 1:
        message = "a search needs int or float" if not kinds else "a search is of int or of float"
        span = kinds[1].span if kinds else tree.span
        context.fault(
            "missing-key" if not kinds else "bad-option", message, span, help=f"give it {SPACE}"
        )
        return None
    return _read_range(context, kinds[0].text, tree)


# --- a list of choices ----------------------------------------------------------------------------


def _read_choices(context: Context, tree: Sequence) -> Choices | None:
    """Return a list of choices; None if one of them is faulty, or given twice."""
    if not tree.items:
        help = "write the values to choose from: [64, 128, 256]"
        context.fault("bad-option", "a search needs a value", tree.span, help=help)
        return None
    if len(tree.items) > MAX_CHOICES:
        message = f"a search has at most {MAX_CHOICES:,} values"
        context.fault("too-large", message, tree.span, help="write {int: [2, 8]} for integers")
        return None
    values = [_plain(context, "a choice", item) for item in tree.items]
    if FAULTY in values or _given_twice(context, tree, values):
        return None
    return Choices(tuple(values), values[0], tuple([item.span for item in tree.items]))


def _given_twice(context: Context, tree: Sequence, values: list[Any]) -> bool:
    """Report the first value that is listed twice."""
    seen: dict[tuple[type, str], Span] = {}
    for item, value in zip(tree.items, values, strict=True):
        first = seen.setdefault((type(value), repr(value)), item.span)
        if first is not item.span:
            message, labels = f"{written(value)} is listed twice", (Label(first, "first here"),)
            fault = Diagnostic(
                "bad-option", message, item.span, labels=labels, help="write each value once"
            )
            context.report.add(fault)
            return True
    return False


def _plain(context: Context, what: str, tree: Tree) -> Any:
    """Return the value of a tree, plain data; FAULTY after reporting an expression or a mapping."""
    if isinstance(tree, Mapping):
        context.wrong_type(what, PARAM, tree)
        return FAULTY
    if isinstance(tree, Sequence):
        items = [_plain(context, what, item) for item in tree.items]
        return FAULTY if FAULTY in items else items
    value = read_value(context, tree)
    if not isinstance(value, Written | Template):
        return value
    help = "write the value itself; another param may read this one"
    context.fault("bad-option", f"{what} must not have a $", tree.span, help=help)
    return FAULTY


def _read_default(context: Context, tree: Tree, space: Dimension) -> Any:
    """Return the default of a space; FAULTY after reporting one that is outside of it."""
    value = _plain(context, "a default", tree)
    if value is FAULTY or space.has(value):
        return float(value) if isinstance(space, Floats) and value is not FAULTY else value
    message = f"the default {_quoted(value)} is outside of the search"
    help = f"write a value of {space}"
    if isinstance(space, Choices):
        near = next((one for one in space.values if str(one) == str(value)), None)
        help = f"write one of {space}" if near is None else write(_quoted(near))
    context.fault("bad-option", message, tree.span, help=help)
    return FAULTY


def _quoted(value: Any) -> str:
    """Return a value as it must be written, a text that looks like a number in quotes."""
    return f'"{value}"' if isinstance(value, str) else written(value)


# --- integers and floats --------------------------------------------------------------------------


def _read_range(context: Context, key: str, tree: Mapping) -> Integers | Floats | None:
    """Return the range that the key `int` or `float` gives; None for a faulty one, which is reported."""
    given = tree.get(key)
    assert given is not None
    bounds = _read_bounds(context, key, given)
    step = _read_step(context, key, tree.get("step"))
    log = _read_log(context, tree)
    if bounds is None or step is None or log is None:
        return None
    low, high = bounds
    if not _check_scale(context, tree, given, low, high, step, log):
        return None
    if key == "float":
        return Floats(low, high, low, step or None, log)
    return Integers(int(low), int(high), int(low), int(step) or 1, log)


def _read_bounds(context: Context, key: str, given: Tree) -> tuple[PlainNumber, PlainNumber] | None:
    """Return the lower and the upper bound; None after reporting that they are none."""
    if not isinstance(given, Sequence) or len(given.items) != 2:
        wants = "two integers, [2, 8]" if key == "int" else "two numbers, [0.1, 1.0]"
        context.wrong_type(key, wants, given)
        return None
    found = [_number(item, key) for item in given.items]
    for item, number in zip(given.items, found, strict=True):
        if number is None:
            is_float = key == "int" and _number(item, "float") is not None
            help = "write {float: [...]}" if is_float else ""
            what = "an integer" if key == "int" else "a number"
            context.wrong_type(f"a bound of {key}", what, item, help=help)
    low, high = found
    if low is None or high is None:
        return None
    if low > high:
        message = f"the lower bound {low} is above the upper bound {high}"
        help = write(f"[{high}, {low}]")
        context.fault("bad-option", message, given.span, help=help)
        return None
    return low, high


def _number(tree: Tree, key: str) -> PlainNumber | None:
    """Return a finite number for the key `int` or `float`, None for another value."""
    value = tree.value if isinstance(tree, Scalar) else None
    if type(value) is int:
        return value if key == "int" else float(value)
    if key == "float" and isinstance(value, float) and math.isfinite(value):
        return value
    return None


def _read_step(context: Context, key: str, given: Tree | None) -> PlainNumber | None:
    """Return the step, 0 without one; None after reporting that it is none."""
    if given is None:
        return 0
    step = _number(given, key)
    if step is None or step <= 0:
        wants = "an integer of at least 1" if key == "int" else "a number above 0"
        context.wrong_type("step", wants, given)
        return None
    return step


def _read_log(context: Context, tree: Mapping) -> bool | None:
    """Return whether the scale is logarithmic; None after reporting another value."""
    given = tree.get("log")
    if given is None or (isinstance(given, Scalar) and isinstance(given.value, bool)):
        return given is not None and given.value is True
    if not is_faulty(given):
        context.wrong_type("log", TRUE_OR_FALSE, given)
    return None


def _check_scale(
    context: Context,
    tree: Mapping,
    bounds: Tree,
    low: PlainNumber,
    high: PlainNumber,
    step: PlainNumber,
    log: bool,
) -> bool:
    """Return whether the step and the scale fit the bounds, after a report if not."""
    if log and step:
        message, help = "a search with log has no step", f"remove {drop('step')}, or log"
        context.fault("bad-option", message, tree.key("step").span, help=help)
        return False
    if log and low <= 0:
        message = f"a search with log needs a lower bound above 0, not {low}"
        context.fault("bad-option", message, bounds.span, help="remove log, or begin above 0")
        return False
    if step and not is_multiple(high - low, step):
        last = low + (high - low) // step * step
        message = f"no number of steps of {step} leads from {low} to {high}"
        help = write(f"[{low}, {last:.12g}]")
        context.fault("bad-option", message, bounds.span, help=help)
        return False
    return True
