"""Name the size of a concat that skips missing sources: equal sums are one size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from mimgraph.infer.nodes.rule_cache import Answer
from mimgraph.infer.scope import Fed, Site, Summands
from mimgraph.ir.dims.dim import Dim, Size, substitute, symbol, symbols
from mimgraph.ir.names import free_name
from mimgraph.ir.presence import ALWAYS, Presence, both
from mimgraph.ops.op import OpFault


def with_size_of_given(site: Site, answer: Answer, axis: int, fed: Mapping[str, Fed]) -> Answer:
    """Return the answer of a merge that adds the sizes of its sources along an axis, with a size that
    is known only at run time in place of the sum if some of them may be missing."""
    lowering = answer.leaf.lowering
    if lowering.type is None:
        return answer
    sources = [
        (one.type.dims[axis], ALWAYS if one.is_own else one.presence)
        for one in fed.values()
        if one.type is not None
    ]
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
        for size, presence in _summands(state.summands, *source):
            totals[presence] = totals.get(presence, 0) + size
    key = frozenset((size, presence) for presence, size in totals.items() if size != 0)
    if key not in state.sums:
        wanted = _text(key) if state.alone else site.node.name
        name = free_name(wanted, {*site.context.env, *state.summands})
        state.sums[key], state.summands[name] = name, key
    return symbol(state.sums[key])


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
