"""Compute and check the words of a node on how its weights are trained."""

from __future__ import annotations

import re
from dataclasses import replace
from math import isfinite
from typing import Any

from mimgraph.diagnostics.nearest import suggestion
from mimgraph.infer.evaluation import Evaluation, compute
from mimgraph.infer.nodes.adapters import adapter, word_fault
from mimgraph.ir.declared.graph import Node
from mimgraph.ir.declared.values import FAULTY, Option
from mimgraph.ir.expression import plain
from mimgraph.ir.lazy import ShapesUnknown
from mimgraph.ir.typed.graph import TypedNode
from mimgraph.ir.typed.training import Rate, Training
from mimgraph.ir.typed.training_walk import places
from mimgraph.ir.typed.walks import is_part, join

_MULTIPLE = re.compile(r"(\d+\.?\d*(?:e-?\d+)?|\.\d+)x", re.ASCII)


def trained(node: Node, typed: TypedNode, at: Evaluation) -> TypedNode | None:
    """Return the typed node with the settings that its words give; None if one is faulty."""
    words = node.training
    if words is None:
        return typed
    before = len(at.report.diagnostics)
    if node.freeze is True:
        name, option = next(iter(words.given.items()))
        help = f"leave freeze out, or {name}"
        word_fault(
            at, "bad-option", f"{node.name} is frozen, so that {name} does nothing", option, help
        )
    lr = None if words.lr is None else _rate(words.lr, at)
    decay = None if words.weight_decay is None else _decay(words.weight_decay, at)
    until, parts = "", tuple[str, ...]()
    if words.freeze_until is not None:
        until = str(words.freeze_until.value)
        parts = _frozen_parts(node, typed, words.freeze_until, at)
    lora = None
    if words.lora is not None and len(at.report.diagnostics) == before:
        if words.freeze_until is not None:
            message = f"lora freezes all of {node.name} but the adapters"
            word_fault(at, "bad-option", message, words.freeze_until, "leave freeze out")
        lora = adapter(node, typed, words, at)
    if len(at.report.diagnostics) > before or (words.lora is not None and lora is None):
        return None
    return replace(typed, training=Training(until, parts, lr, decay, lora))


def _rate(option: Option, at: Evaluation) -> Rate | None:
    """Return the learning rate; None after reporting another value."""
    value = plain(compute(option.value, at))
    if isinstance(value, str) and (match := _MULTIPLE.fullmatch(value)):
        rate = Rate(float(match[1]), is_multiple=True)
    elif _is_number(value):
        rate = Rate(float(value))
    else:
        if value is not FAULTY:
            word_fault(
                at,
                "wrong-type",
                f"lr must be a number or a multiple, not {_shown(value)}",
                option,
                _LR,
            )
        return None
    if not (isfinite(rate.value) and rate.value >= 0):
        word_fault(at, "bad-option", f"lr must be at least 0, not {_shown(value)}", option, _LR)
    return rate


_LR = "write a rate, lr: 1e-4, or a multiple of the optimizer's, lr: 0.1x"


def _decay(option: Option, at: Evaluation) -> float | None:
    """Return the weight decay; None after reporting another value."""
    value = plain(compute(option.value, at))
    if value is FAULTY:
        return None
    if not _is_number(value):
        help = "write weight_decay: 0.01, or 0 for none"
        word_fault(
            at, "wrong-type", f"weight_decay must be a number, not {_shown(value)}", option, help
        )
        return None
    if not (isfinite(value) and value >= 0):
        message = f"weight_decay must be at least 0, not {_shown(value)}"
        word_fault(at, "bad-option", message, option)
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else repr(value)


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
        message = f"{what} has no children, so that none is called {first!r}"
    else:
        message = f"{what} has no child {first!r}"
    help = suggestion(first, children, "its children") if until else ""
    if not help and children:
        shown, more = children[:12], ", ..." if len(children) > 12 else ""
        help = f"its children: {', '.join(shown)}{more}"
    word_fault(at, "bad-option", message, option, help)
