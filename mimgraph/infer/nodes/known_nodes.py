"""Remember the types of layers and merges by their question: the op, plain options, types of sources.

Most nodes of a graph, and of the next one, ask again what was asked before. Then their options need not
be matched to those of the op, and no rule is asked. Only nodes without a fault are remembered.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from mimgraph.infer.nodes import rule_cache
from mimgraph.infer.nodes.rule_cache import LONGEST, MOST, Answer
from mimgraph.infer.nodes.sources import known_types
from mimgraph.infer.scope import Fed, Site
from mimgraph.ir.declared.operations import Activation, Apply
from mimgraph.ir.declared.values import Option
from mimgraph.ir.dims.dim import Dim
from mimgraph.ir.presence import ALWAYS
from mimgraph.ir.typed.graph import TypedNode
from mimgraph.ir.types import TensorType
from mimgraph.ops import registry
from mimgraph.ops.custom.module_signature import Registered
from mimgraph.ops.op import Op

_ATOMS = frozenset((int, str, bool, type(None)))  # of equal values and types, no two differ


class Given(NamedTuple):
    """What an answer follows from: the op, the length and run-time sizes of its options, its sources by
    argument."""

    op: Op
    length: int
    run_time: Sequence[tuple[str, Dim]]
    fed: Mapping[str, Fed]


class _Known(NamedTuple):
    """An answer, the length of the options, and the arguments that sources fill.

    The question has ids of sizes in the types of its sources, so these must stay alive.
    """

    answer: Answer
    length: int
    arguments: tuple[str, ...]
    types: tuple[TensorType, ...]


_known: dict[Hashable, _Known] = {}


def question(site: Site, apply: Apply) -> Hashable:
    """Return what alone decides the type of a node; None if other things do, or it may not be known."""
    op = registry.find(apply.kind, apply.name)
    if op is None or op.options_decide or not site.fed:
        return None
    asked: list[object] = [op, site.take and site.take.port]
    if not _add_options(asked, apply.options, apply.lone):
        return None
    if apply.activation is not None and not _add_activation(asked, apply.activation):
        return None
    for one in site.fed:
        source, type_ = one.source, one.type
        if type_ is None or one.presence is not ALWAYS or one.is_own or source.argument:
            return None
        if source.port == "*" or one.group is not None:
            return None
        asked.append(type_.key)
    return tuple(asked)


def _add_activation(asked: list[object], activation: Activation) -> bool:
    """Add an activation to a question; return whether all that it gives is plain."""
    op = registry.find("layer", activation.name)
    if op is None or isinstance(op, Registered):
        return False
    asked += "activation", op
    return _add_options(asked, activation.options, activation.lone)


def _add_options(asked: list[object], named: Mapping[str, Option], lone: Option | None) -> bool:
    """Add options to a question; return whether all their values are plain."""
    for name, option in named.items() if lone is None else (*named.items(), ("", lone)):
        value = option.value
        kind = type(value)
        if kind is float:
            value = repr(value)  # 0.0 is not -0.0
        elif kind not in _ATOMS:
            return False
        asked += name, kind, value
    return True


def known_node(site: Site, asked: Hashable) -> TypedNode | None:
    """Return the node typed as one that asked the same; None if there was none."""
    known = _known.get(asked)
    if known is None:
        return None
    (leaf, results, default, constraints), length, keys, _ = known
    node = site.node
    if length:
        site.state.write(length, node.span)
    if constraints:
        site.state.require(constraints)
    arguments = dict(zip(keys, [one.value for one in site.fed or ()], strict=True))
    return TypedNode(node.name, leaf, arguments, results, default, node)


def remember(asked: Hashable, answer: Answer, given: Given) -> None:
    """Remember the answer for a node without a fault, unless it follows from more than the question."""
    op, length, run_time, fed = given
    if isinstance(op, Registered) or op.reads_files or run_time:
        return
    if op.inputs.kind == "named" or length + len(fed) > LONGEST:
        return
    types = known_types(fed) or {}
    # a batch that no source has is read from the inputs
    if not any(type_.has_batch for type_ in types.values()):
        return
    if len(_known) >= MOST:
        _known.clear()
    _known[asked] = _Known(answer, length, tuple(fed), tuple(types.values()))


def forget() -> None:
    """Forget all answers, and what the rules answered, to measure the time without them."""
    _known.clear()
    rule_cache.forget()
