"""Compute and check `lora` of a node: the options of its adapters, and the layers that get them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from mimgraph.diagnostics import Diagnostic
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.nearest import suggestion
from mimgraph.infer.evaluation import Evaluation, compute, origin_of, placed
from mimgraph.ir.declared.graph import Node
from mimgraph.ir.declared.training import Training
from mimgraph.ir.declared.values import FAULTY, OTHERS, Option
from mimgraph.ir.expression import plain
from mimgraph.ir.lazy import ShapesUnknown
from mimgraph.ir.typed.graph import TypedNode
from mimgraph.ir.typed.training import Adapter
from mimgraph.ir.typed.training_walk import adaptable, places
from mimgraph.ir.typed.walks import ends_with, inner_nodes, join


def word_fault(
    at: Evaluation, code: DiagnosticCode, message: str, option: Option, help: str = ""
) -> None:
    """Report a fault where the value stands, or where the use of a block gives it."""
    span, labels = placed(option.span, origin_of(option.value, at.origins))
    at.report.add(Diagnostic(code, message, span, labels=labels, help=help, node=at.node))


OPTIONS = ("rank", "on", "alpha", "dropout")
WRITE = "write lora: {rank: 8, on: [query, value]}"
MOST_LISTED = 12


def adapter(node: Node, typed: TypedNode, words: Training, at: Evaluation) -> Adapter | None:
    """Return the adapters of a node; None after reporting their faults."""
    whole = words.lora
    assert whole is not None
    before = len(at.report.diagnostics)
    if not isinstance(whole.value, Mapping):
        if whole.value is not FAULTY:
            message = "lora must be a mapping of rank, on, alpha and dropout"
            word_fault(at, "wrong-type", message, whole, WRITE)
        return None
    given = {k: plain(compute(one.value, at)) for k, one in words.lora_parts.items()}
    _check_names(words, at)
    for name, value in given.items():
        if name in OPTIONS and value is not FAULTY:
            _check(name, value, words.lora_parts[name], at)
    if any(inner.training and inner.training.lora for inner in inner_nodes(typed.operation)):
        message = f"{node.name} has lora inside, and cannot have it around that"
        word_fault(at, "bad-option", message, whole, "write one of them")
    if len(at.report.diagnostics) > before or any(one is FAULTY for one in given.values()):
        return None
    on = given["on"]
    ends = (on,) if isinstance(on, str) else tuple(on)
    found = Adapter(given["rank"], ends, given.get("alpha"), given.get("dropout"))
    targets = _targets(node, typed, ends, words.lora_parts["on"], at)
    return None if targets is None else replace(found, targets=targets)


def _check_names(words: Training, at: Evaluation) -> None:
    """Report options that adapters do not have, and those that are missing."""
    whole, parts = words.lora, words.lora_parts
    assert whole is not None
    for name, part in parts.items():
        if name not in OPTIONS and name != OTHERS:
            help = suggestion(name, OPTIONS) or f"its options: {', '.join(OPTIONS)}"
            at_key = part._replace(span=part.key)
            word_fault(at, "unknown-option", f"lora has no option {name!r}", at_key, help)
    for name in ("rank", "on"):
        if name not in parts and OTHERS not in parts:
            word_fault(at, "missing-option", f"lora needs {name}", whole, WRITE)


def _check(name: str, value: Any, part: Option, at: Evaluation) -> None:
    """Report a value that an option of the adapters cannot have."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match name:
        case "rank":
            fits, wants = type(value) is int and value >= 1, "a whole number of at least 1"
        case "on":
            names = [value] if isinstance(value, str) else value
            fits = isinstance(names, list) and all(isinstance(one, str) and one for one in names)
            fits, wants = fits and bool(names), "names of inner layers: [query, value]"
        case "alpha":
            fits, wants = is_number and isfinite(value) and value > 0, "a number above 0"
        case _:
            fits, wants = is_number and 0 <= value < 1, "a number of at least 0 and less than 1"
    if not fits:
        word_fault(at, "bad-option", f"{name} of lora must be {wants}, not {value!r}", part)


def _targets(
    node: Node, typed: TypedNode, ends: tuple[str, ...], on: Option, at: Evaluation
) -> tuple[tuple[str, str], ...] | None:
    """Return the layers that get adapters, with their classes; None after reporting names that mean none,
    or something that peft cannot adapt."""
    try:
        layers = {path: kind for path, kind in adaptable(typed.operation) if path}
        others = _modules(typed) - layers.keys()
    except ShapesUnknown as unknown:
        word_fault(at, "missing-package", unknown.message, on, unknown.help)
        return None
    before = len(at.report.diagnostics)
    for index, end in enumerate(ends):
        place = on._replace(span=on.item(index))
        if other := next((path for path in sorted(others) if ends_with(path, end)), None):
            message = f"{join(node.name, other)} cannot have adapters"
            word_fault(at, "bad-option", message, place, _candidates(end, layers))
        elif not any(ends_with(path, end) for path in layers):
            message = f"{node.name} has no inner layer {end!r}"
            word_fault(at, "bad-option", message, place, _candidates(end, layers))
    if len(at.report.diagnostics) > before:
        return None
    return tuple(one for one in layers.items() if any(ends_with(one[0], end) for end in ends))


def _modules(typed: TypedNode) -> set[str]:
    """Return the paths of all modules with tensors inside a node."""
    found = set[str]()
    for key in places(typed.operation):
        parts = key.split(".")[:-1]
        found.update(".".join(parts[:end]) for end in range(1, len(parts) + 1))
    return found


def _candidates(end: str, layers: Mapping[str, str]) -> str:
    """Return the help for a wrong name: the layers that can have adapters, by the ends of their paths."""
    if not layers:
        return "Linear, Embedding and Conv layers without groups can have adapters"
    names = [*dict.fromkeys(_name(path) for path in layers)]
    near = suggestion(end, names)
    shown, more = names[:MOST_LISTED], ", ..." if len(names) > MOST_LISTED else ""
    return near or f"layers that can have adapters: {', '.join(shown)}{more}"


def _name(path: str) -> str:
    """Return the last name of a path, with the one before if it is a number: `mlp.0`."""
    *_, before, last = ("", *path.split("."))
    return join(before, last) if last.isdecimal() else last
