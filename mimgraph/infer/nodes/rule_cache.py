"""What the rules of the catalogue answer, each remembered: the same question has the same answer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import prod
from typing import NamedTuple

from mimgraph.infer.options import Bound, Values
from mimgraph.ir.dim import MAX_COEFFICIENT, Dim, at_least
from mimgraph.ir.graph import Block
from mimgraph.ir.lowering import Module
from mimgraph.ir.typed import Leaf
from mimgraph.ir.types import MAX_AXES, Constraint, TensorType, at_least_one
from mimgraph.ops.custom.module_signature import Registered
from mimgraph.ops.op import Op, OpFault

MAX_WEIGHTS = 2**40  # elements of one tensor that a module keeps
MOST = 4096  # answers that are remembered
LONGEST = 1000  # characters of the options, and sources, of one of them


class Answer(NamedTuple):
    """An op without its activation, the types of its results by port, the port that is meant without
    one, and what must hold when the module runs."""

    leaf: Leaf
    results: Mapping[str, TensorType]
    default: str | None
    constraints: tuple[Constraint, ...]


class _Asked(NamedTuple):
    """An answer, and the question, which lives as long as its key."""

    answer: Answer | Block
    options: Values
    sources: Mapping[str, TensorType]


_asked: dict[Hashable, _Asked] = {}


def ask(bound: Bound, options: Values, sources: Mapping[str, TensorType]) -> Answer | Block:
    """What the rule says of these options and sources; a merge may be a block of other ops."""
    op = bound.op
    # a class of the user's remembers itself what torch said of it
    if isinstance(op, Registered) or bound.length + len(sources) > LONGEST:
        return _answer(op, options, sources)
    key = op, options.key, *sources, *[type_.key for type_ in sources.values()]
    known = _asked.get(key)
    if known is None:
        if len(_asked) >= MOST:
            _asked.clear()
        known = _asked[key] = _Asked(_answer(op, options, sources), options, sources)
    return known.answer


def forget() -> None:
    """Forget all answers, for a measurement of what they save."""
    _asked.clear()


def _answer(op: Op, options: Values, sources: Mapping[str, TensorType]) -> Answer | Block:
    """The rule applied, and what it gives checked."""
    lowering = op.infer(sources, options.by_name)
    if isinstance(lowering, Block):
        return lowering
    results = lowering.results
    required = [one for type_ in results.values() for one in _checked(op.name, type_)]
    if lowering.module is not None:
        _check_weights(op.name, lowering.module)
    leaf = Leaf(op.kind, op.name, options.by_name, lowering)
    return Answer(leaf, results, lowering.default, (*lowering.requires, *required))


def _checked(name: str, type_: TensorType) -> list[Constraint]:
    """A result has elements, and not too many; what cannot be decided becomes a constraint."""
    if len(type_.dims) > MAX_AXES:
        raise OpFault(
            "too-large", f"{name} gives {len(type_.dims)} axes, and a tensor has at most {MAX_AXES}"
        )
    if prod([int(size) for size in type_.dims if isinstance(size, int)]) > MAX_COEFFICIENT:
        raise OpFault("too-large", f"{name} gives {type_}, which has more than 2**63 elements")
    required = []
    for size in type_.dims:
        answer = at_least(size, 1)
        if answer is False:
            raise OpFault("empty-output", f"{name} gives {type_}, which is empty")
        if answer is None:
            assert isinstance(size, Dim)
            required.append(at_least_one(size))
    return required


def _check_weights(name: str, module: Module) -> None:
    """No learned or kept tensor is larger than any machine."""
    for weight, shape in (*module.weights.items(), *module.buffers.items()):
        if (elements := prod(map(int, shape))) > MAX_WEIGHTS:
            what = f"{weight} of {name}" if weight else name
            raise OpFault(
                "too-large", f"{what} has {elements:,} elements, more than {MAX_WEIGHTS:,}"
            )
