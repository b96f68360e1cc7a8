"""Compute and check the words of a node on how its weights are trained: rates, freezing, `lora`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.nearest import suggestion
from mimgraph.diagnostics.text import MAPPING, code, drop, put, remove
from mimgraph.infer.evaluation import Evaluation, as_yaml, compute, is_number
from mimgraph.ir.declared_graph import Node
from mimgraph.ir.declared_values import FAULTY, OTHERS, Option
from mimgraph.ir.expression import plain
from mimgraph.ir.lowering import ShapesUnknown
from mimgraph.ir.typed_graph import Adapter, Rate, Training, TypedNode
from mimgraph.ir.typed_walks import adaptable, ends_with, inner_nodes, is_part, join, places


def word_fault(
    at: Evaluation, code: DiagnosticCode, message: str, option: Option, help: str = ""
) -> None:
    """Report a fault where the value stands, or where the use of a block gives it."""
    at.fault(code, message, option.span, option.value, help)


OPTIONS = ("rank", "on", "alpha", "dropout")
WRITE = f"write {code('lora: {rank: 8, on: [query, value]}')}"
MOST_LISTED = 12


def _adapter(
    node: Node, typed: TypedNode, whole: Option, parts: Mapping[str, Option], at: Evaluation
) -> Adapter | None:
    """Return the adapters of a node; None after reporting their faults."""
    before = len(at.report.diagnostics)
    if not isinstance(whole.value, Mapping):
        if whole.value is not FAULTY:
            message = f"lora must be a {MAPPING} of rank, on, alpha and dropout"
            word_fault(at, "wrong-type", message, whole, WRITE)
        return None
    given = {k: plain(compute(one.value, at)) for k, one in parts.items()}
    _check_names(whole, parts, at)
    for name, value in given.items():
        if name in OPTIONS and value is not FAULTY:
            _check(name, value, parts[name], at)
    if any(inner.training and inner.training.lora for inner in inner_nodes(typed.operation)):
        message = f"{node.name} has lora inside, and cannot have it around that"
        word_fault(at, "bad-option", message, whole, "write one of them")
    if len(at.report.diagnostics) > before or any(one is FAULTY for one in given.values()):
        return None
    on = given["on"]
    ends = (on,) if isinstance(on, str) else tuple(on)
    found = Adapter(given["rank"], ends, given.get("alpha"), given.get("dropout"))
    targets = _targets(node, typed, ends, parts["on"], at)
    return None if targets is None else replace(found, targets=targets)


def _check_names(whole: Option, parts: Mapping[str, Option], at: Evaluation) -> None:
    """Report options that adapters do not have, and those that are missing."""
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
    match name:
        case "rank":
            fits, wants = type(value) is int and value >= 1, "a whole number of at least 1"
        case "on":
            names = [value] if isinstance(value, str) else value
            fits = isinstance(names, list) and all(isinstance(one, str) and one for one in names)
            fits, wants = fits and bool(names), "names of inner layers: [query, value]"
        case "alpha":
            fits, wants = is_number(value) and isfinite(value) and value > 0, "a number above 0"
        case _:
            fits = is_number(value) and 0 <= value < 1
            wants = "a number of at least 0 and less than 1"
    if not fits:
        word_fault(at, "bad-option", f"{name} of lora must be {wants}, not {as_yaml(value)}", part)


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
    return suggestion(end, names) or _listed("layers that can have adapters", names)


def _listed(what: str, names: list[str]) -> str:
    """Return the help that lists names, the first of many."""
    more = ", ..." if len(names) > MOST_LISTED else ""
    return f"{what}: {', '.join(names[:MOST_LISTED])}{more}"


def _name(path: str) -> str:
    """Return the last name of a path, with the one before if it is a number: `mlp.0`."""
    *_, before, last = ("", *path.split("."))
    return join(before, last) if last.isdecimal() else last


# Compute and check the words of a node on how its weights are trained.


_MULTIPLE_OF = put("lr: 0.1x", 'lr="0.1x"')
_LR = (
    f"write a rate, {put('lr: 1e-4', 'lr=1e-4')}, or a multiple of the optimizer's, {_MULTIPLE_OF}"
)
# what the words for rates want, and the help for another value
_RATES = {
    "lr": ("a number or a multiple", _LR),
    "weight_decay": ("a number", f"write {put('weight_decay: 0.01')}, or {put('0')} for none"),
}
_MULTIPLE = re.compile(r"(\d+\.?\d*(?:e-?\d+)?|\.\d+)x", re.ASCII)


def trained(node: Node, typed: TypedNode, at: Evaluation) -> TypedNode | None:
    """Return the typed node with the settings that its words give; None if one is faulty."""
    words = node.training
    if words is None:
        return typed
    before = len(at.report.diagnostics)
    if node.freeze is True:
        name, option = next(iter(words.given.items()))
        help = f"remove freeze, or {drop(name)}"
        word_fault(at, "bad-option", f"{node.name} is frozen, so {name} does nothing", option, help)
    lr = None if words.lr is None else _rate("lr", words.lr, at)
    decay = None if words.weight_decay is None else _rate("weight_decay", words.weight_decay, at)
    until, parts = "", tuple[str, ...]()
    if words.freeze_until is not None:
        until = str(words.freeze_until.value)
        parts = _frozen_parts(node, typed, words.freeze_until, at)
    lora = None
    if words.lora is not None and len(at.report.diagnostics) == before:
        if words.freeze_until is not None:
            message = f"lora freezes all of {node.name} but the adapters"
            word_fault(at, "bad-option", message, words.freeze_until, remove("freeze"))
        lora = _adapter(node, typed, words.lora, words.lora_parts, at)
    if len(at.report.diagnostics) > before or (words.lora is not None and lora is None):
        return None
    return replace(typed, training=Training(until, parts, lr, decay and decay.value, lora))


def _rate(name: str, option: Option, at: Evaluation) -> Rate | None:
    """Return the learning rate or the weight decay; None after reporting another value."""
    value = plain(compute(option.value, at))
    match = _MULTIPLE.fullmatch(value) if name == "lr" and isinstance(value, str) else None
    wants, help = _RATES[name]
    if match is None and not is_number(value):
        if value is not FAULTY:
            message = f"{name} must be {wants}, not {as_yaml(value)}"
            word_fault(at, "wrong-type", message, option, help)
        return None
    rate = Rate(float(match[1] if match else value), is_multiple=match is not None)
    if not (isfinite(rate.value) and rate.value >= 0):
        message = f"{name} must be at least 0, not {as_yaml(value)}"
        word_fault(at, "bad-option", message, option, help)
    return rate


def _frozen_parts(node: Node, typed: TypedNode, option: Option, at: Evaluation) -> tuple[str, ...]:
    """Return the modules and tensors of the node's module up to the child; none after reporting that
    there is no such child."""
    keys, until = _keys(typed, option, at), str(option.value)
    if keys is None:
        return ()
    found = [index for index, key in enumerate(keys) if is_part(key, until)]
    if not until or not found:
        _report_no_child(node, keys, option, at)
        return ()
    return tuple(_cover(keys, until))


def _keys(typed: TypedNode, option: Option, at: Evaluation) -> list[str] | None:
    """Return the keys of a module's tensors; None after reporting that a model of a library cannot be
    probed for them."""
    try:
        return [*dict.fromkeys(places(typed.operation))]
    except ShapesUnknown as unknown:
        word_fault(at, "missing-package", unknown.message, option, unknown.help)
        return None


def _cover(keys: list[str], until: str) -> list[str]:
    """Return the largest parts of a module that stand before the child `until`, and the child.

    >>> _cover(["conv.weight", "layers.0.weight", "layers.1.weight", "fc.weight"], "layers.1")
    ['conv', 'layers.0', 'layers.1']
    """
    found, before = list[str](), ""
    for name in until.split("."):
        start = f"{before}." if before else ""
        children = dict.fromkeys(
            key[len(start) :].partition(".")[0] for key in keys if key.startswith(start)
        )
        names = [*children]
        found += [join(before, child) for child in names[: names.index(name)]]
        before = join(before, name)
    return [*found, until]


def _report_no_child(node: Node, keys: list[str], option: Option, at: Evaluation) -> None:
    """Report a child that the module does not have, with the children that it has."""
    until, parent = str(option.value), ""
    first, _, rest = until.partition(".")
    while rest and any(is_part(key, join(parent, first)) for key in keys):
        parent = join(parent, first)
        first, _, rest = rest.partition(".")
    start = f"{parent}." if parent else ""
    inner = [key[len(start) :] for key in keys if key.startswith(start) and key != parent]
    children = [*dict.fromkeys(key.partition(".")[0] for key in inner)]
    what = join(node.name, parent)
    if not until:
        message = "freeze: until needs the name of a child"
    elif not children:
        message = f"{what} has no children, so none is called {first!r}"
    else:
        message = f"{what} has no child {first!r}"
    help = suggestion(first, children, "its children") if until else ""
    if not help and children:
        help = _listed("its children", children)
    word_fault(at, "bad-option", message, option, help)
