"""Ask the rules of ops, and remember their answers."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from mimgraph.infer.options import Bound, Values
from mimgraph.infer.state import Fed, Site, Summands
from mimgraph.ir.declared_graph import Block
from mimgraph.ir.dim import MAX_COEFFICIENT, Dim, Size, at_least, substitute, symbol, symbols
from mimgraph.ir.lowering import LazyMapping, Lowering, Module
from mimgraph.ir.names import free_name
from mimgraph.ir.typed_graph import Presence, both
from mimgraph.ir.typed_operations import Leaf
from mimgraph.ir.types import MAX_AXES, Constraint, TensorType, at_least_one
from mimgraph.ops.custom.registration import Registered
from mimgraph.ops.op import Op, OpFault
from mimgraph.ops.registry import layer_of_one

MAX_WEIGHTS = 2**40  # elements in one weight or buffer
MOST = 16_384  # answers in the cache: a text of 1 MiB has about as many nodes
LONGEST = 1000  # characters of options plus number of sources; above it nothing is cached


class Answer(NamedTuple):
    """The answer of a rule: the op, the types of its results by port, the default port, and the
    constraints that must hold when the module runs."""

    leaf: Leaf
    results: Mapping[str, TensorType]
    default: str | None
    constraints: tuple[Constraint, ...]


class _Asked(NamedTuple):
    """An answer with its question: the key has ids of the question's objects, so they must stay
    alive."""

    answer: Answer | Block
    options: Values
    sources: Mapping[str, TensorType]


_asked: dict[Hashable, _Asked] = {}


def ask(bound: Bound, options: Values, sources: Mapping[str, TensorType]) -> Answer | Block:
    """Return the answer of a rule for these options and sources; a block for a merge made of other
    ops."""
    op = bound.op
    # the class of a user's module keeps its answers itself
    if isinstance(op, Registered) or op.reads_files or bound.length + len(sources) > LONGEST:
        return _answer(op, options, sources)
    key = op, options.key, *sources, *[type_.key for type_ in sources.values()]
    known = _asked.get(key)
    if known is None:
        if len(_asked) >= MOST:
            _asked.clear()
        known = _asked[key] = _Asked(_answer(op, options, sources), options, sources)
    return known.answer


def forget() -> None:
    """Forget all answers."""
    _asked.clear()


def _answer(op: Op, options: Values, sources: Mapping[str, TensorType]) -> Answer | Block:
    """Return the answer of the rule itself, checked."""
    lowering = op.infer(sources, options.by_name)
    if isinstance(lowering, Block):
        return lowering
    results = lowering.results
    required: list[Constraint] = []
    for type_ in results.values():
        required += _checked(op.name, type_)
    if lowering.module is not None:
        _check_weights(op.name, lowering.module)
    elif not sources:  # the options alone give the size
        for type_ in results.values():
            _check_elements(op.name, type_.dims)
    leaf = Leaf(op.kind, op.name, options.by_name, lowering)
    return Answer(leaf, results, lowering.default, (*lowering.requires, *required))


def _checked(name: str, type_: TensorType) -> list[Constraint]:
    """Return the constraints under which a result is not empty; refuse one that is empty or too large."""
    if len(type_.dims) > MAX_AXES:
        raise OpFault(
            "too-large", f"{name} gives {len(type_.dims)} axes, and a tensor has at most {MAX_AXES}"
        )
    if _elements(type_.dims) > MAX_COEFFICIENT:
        raise OpFault("too-large", f"{name} gives {type_}, which has more than 2**63 elements")
    required = []
    for size in type_.dims:
        answer = at_least(size, 1) if isinstance(size, Dim) else size >= 1
        if answer is False:
            raise OpFault("empty-output", f"{name} gives {type_}, which is empty")
        if isinstance(size, Dim) and answer is None:
            required.append(at_least_one(size))
    return required


def _check_weights(name: str, module: Module) -> None:
    """Refuse weights and buffers that no machine can hold."""
    if isinstance(module.weights, LazyMapping):  # of a model that people run
        return
    for weight, shape in (*module.weights.items(), *module.buffers.items()):
        _check_elements(f"{weight} of {name}" if weight else name, shape)


def _check_elements(what: str, shape: Sequence[Size]) -> None:
    """Refuse a tensor that no machine can hold."""
    elements = _elements(shape)
    if elements > MAX_WEIGHTS:
        raise OpFault("too-large", f"{what} has {elements:,} elements, more than {MAX_WEIGHTS:,}")


def _elements(shape: Sequence[Size]) -> int:
    """Return the number of elements; sizes known only at run time are not counted."""
    found = 1
    for size in shape:
        if isinstance(size, int):
            found *= int(size)
    return found


def ask_of_one(bound: Bound, options: Values, source: TensorType) -> Answer:
    """Return the answer for one source, the operand `input`; raise an `OpFault` for a wrong option.

    The rule of the merge, which is for two or more, is asked about the source given twice.
    """
    twice = ask(bound, options, {"0": source, "1": source})
    # a merge that is a block of others returns floats, as it is given
    wanted = source if isinstance(twice, Block) else twice.results[""]
    layer, given = layer_of_one(bound.op, options.by_name, source.dtype, wanted.dtype)
    lowering = layer.infer({"input": source}, {**layer.defaults, **given})
    assert isinstance(lowering, Lowering)
    leaf = Leaf(bound.op.kind, bound.op.name, options.by_name, lowering)
    return Answer(leaf, lowering.results, lowering.default, lowering.requires)


# Name the size of a concat that skips missing sources: equal sums are one size.


def with_size_of_given(site: Site, answer: Answer, axis: int, fed: Mapping[str, Fed]) -> Answer:
    """Return the answer of a merge that adds the sizes of its sources along an axis, with a size that
    is known only at run time in place of the sum if some of them may be missing."""
    lowering = answer.leaf.lowering
    if lowering.type is None:
        return answer
    sources = [(one.type.dims[axis], one.presence) for one in fed.values() if one.type is not None]
    if len({presence for _, presence in sources}) == 1:
        return answer
    if site.context.uses:
        message = f"{answer.leaf.name} in a block has one size, so it cannot skip a source"
        help = "make it a node outside of the block, or fill the source first"
        raise OpFault("symbolic-size", message, option="missing", help=help)
    size = _sum_of_given(site, sources)
    dims = (*lowering.type.dims[:axis], size, *lowering.type.dims[axis + 1 :])
    type_ = replace(lowering.type, dims=dims)
    leaf = replace(answer.leaf, lowering=replace(lowering, type=type_))
    return answer._replace(leaf=leaf, results={"": type_})


def _sum_of_given(site: Site, sources: Iterable[tuple[Size, Presence]]) -> Dim:
    """Return the sum of sizes of which some count only if inputs are given, as a size with a name.

    Equal sums have one name, that of the first node, so that tokens and their mask agree; of a node
    typed alone, which knows no other, the name says what it adds: `sum_S_49_if_image`.
    """
    state = site.state
    totals: dict[Presence, Size] = {}
    for source in sources:
        for size, presence in _summands(state.memory.summands, *source):
            totals[presence] = totals.get(presence, 0) + size
    key = frozenset((size, presence) for presence, size in totals.items() if size != 0)
    if key not in state.memory.sums:
        wanted = _text(key) if state.alone else site.node.name
        name = free_name(wanted, {*site.context.env, *state.memory.summands})
        state.memory.sums[key], state.memory.summands[name] = name, key
    return symbol(state.memory.sums[key])


def _summands(
    sums: Mapping[str, Summands], size: Size, presence: Presence
) -> Iterator[tuple[Size, Presence]]:
    """Yield what a size adds, each with its presence; a sum of before is added part by part."""
    name = next((name for name in sorted(symbols(size)) if name in sums), None)
    if name is None:
        yield size, presence
        return
    rest = substitute(size, {name: 0})
    times = substitute(size, {name: 1}) - rest
    if not isinstance(times, int) or times * symbol(name) + rest != size:
        yield size, presence  # not linear in the sum
        return
    for part, needed in sums[name]:
        yield times * part, both(presence, needed)
    yield from _summands(sums, rest, presence)


def _text(summands: Summands) -> str:
    """Return a name that says what a sum adds."""
    always, sometimes = list[str](), list[str]()
    for size, presence in summands:
        given = "_or_".join(sorted("_and_".join(sorted(clause)) for clause in presence))
        (sometimes if given else always).append(f"{size}_if_{given}" if given else str(size))
    text = "_".join(("sum", *sorted(always), *sorted(sometimes)))
    return re.sub(r"\W+", "_", text, flags=re.ASCII)
