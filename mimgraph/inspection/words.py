"""Collect what a spec says of a node beside the options of its op: `activation`, `repeat`, `lr`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mimgraph.ir.code import Code, Constant, walk
from mimgraph.ir.names import TRAINING
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ir.typed_operations import Leaf, Repeated, Scan, Sequence, Shared, TypedOperation

# what a word is where a spec does not have it; other words are then left out
WORD_DEFAULTS: Final[Mapping[str, Any]] = {
    "shared": False,
    "index": None,
    "collect": None,
    "carry": [],
    "freeze": False,
    **dict.fromkeys(TRAINING),
}


def words(node: TypedNode) -> dict[str, Any]:
    """Return the words of a node with their values, also those with the value of WORD_DEFAULTS."""
    found: dict[str, Any] = {}
    operation = node.operation
    match operation:
        case Repeated():
            found["repeat"], found["shared"] = operation.times, operation.shared
            found["index"] = operation.counter or None
            found["collect"] = _collected(operation)
        case Scan():
            found["over"], found["carry"] = dict(operation.axes), list(operation.carried)
        case Shared():
            found["share"] = operation.owner
    if operation.branches:
        found["shared"] = operation.sole is not None
        if operation.copies:
            found["each"] = operation.copies
    if taken := taken_port(node):
        found["take"] = taken
    if node.over is not None:
        found["over"] = node.over.axis
    found["freeze"] = node.is_frozen
    if node.training is not None:
        found |= node.training.words
    return found


def taken_port(node: TypedNode) -> str | None:
    """Return the port that `take` made the default result, if that is not the default without it."""
    operation = node.operation
    if isinstance(operation, Shared) or not node.default:
        return None
    return node.default if node.default != own_default(operation) else None


def own_default(operation: TypedOperation) -> str | None:
    """Return the default port of an operation without `take`; None if a port must be named."""
    if isinstance(operation, Leaf):
        return operation.lowering.default
    return operation.default if isinstance(operation, Scan | Sequence) else None


def _collected(repeated: Repeated) -> str | None:
    """Return the output whose results of all steps are collected, if there is one."""
    if repeated.collected is None:
        return None
    return repeated.collected or next(iter(repeated.bodies[0].outputs))


def activation_options(activation: Code) -> dict[str, Any]:
    """Return the options with which an activation is called, `{"approximate": "tanh"}`."""
    return {constant.name: constant.value for constant in _constants(activation)}


def _constants(code: Code) -> Iterator[Constant]:
    return (part for part in walk(code) if isinstance(part, Constant) and part.name)
