"""Find which items of two chains, and which branches of two `each`, correspond."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import takewhile, zip_longest
from operator import attrgetter
from typing import TypeAlias

from mimgraph.compare.equality import ValueNumbers
from mimgraph.compare.match import form
from mimgraph.ir.typed_graph import Body, TypedNode
from mimgraph.ir.typed_operations import Shared, TypedOperation
from mimgraph.ops import registry

MOST_ALIGNED = 500  # items of a chain; longer stretches are paired by position, in linear time

Positions: TypeAlias = tuple[int | None, int | None]  # positions in the old chain and in the new


def is_same_op(old: TypedOperation, new: TypedOperation) -> bool:
    """Return whether both are one op with other options, and not one op in place of another."""
    if old.is_block and new.is_block and not old.merge and not new.merge:
        return all(map(_is_same_block, old.modules[:1], new.modules[:1]))
    return type(old) is type(new) and (isinstance(old, Shared) or old.op == new.op)


def _is_same_block(old: Body, new: Body) -> bool:
    """Return whether the blocks have one name, or half of the names inside them in common."""
    if old.is_chain != new.is_chain:
        return False
    both = old.by_name.keys() & new.by_name.keys()
    return old.family == new.family or 2 * len(both) >= max(len(old.nodes), len(new.nodes))


def paired_branches(
    old: TypedOperation, new: TypedOperation, numbers: ValueNumbers
) -> Iterator[tuple[TypedNode | None, TypedNode | None]]:
    """Pair the branches of one name, then those that do the same; the rest get None."""
    kept = {branch.name for branch in new.branches}
    by_name = {branch.name: branch for branch in old.branches}
    left: dict[Hashable, list[TypedNode]] = {}
    for branch in reversed(old.branches):
        if branch.name not in kept:
            left.setdefault(numbers.operation(branch), []).append(branch)
    for branch in new.branches:
        alike = left.get(numbers.operation(branch))
        yield by_name.get(branch.name) or (alike.pop() if alike else None), branch
    gone = {branch for alike in left.values() for branch in alike}
    yield from ((branch, None) for branch in old.branches if branch in gone)


def aligned(old: Sequence[TypedNode], new: Sequence[TypedNode]) -> Iterator[Positions]:
    """Pair the items of two chains: equal ones first, between them items of one op, then of one
    family of ops, and last items at the same position."""
    levels = [[list(map(key, chain)) for chain in (old, new)] for key in _KEYS]

    def pairs(level: int, same: bool, ours: range, theirs: range) -> Iterator[Positions]:
        if same or level == len(levels):
            yield from zip_longest(ours, theirs)
            return
        for run in _runs(levels[level], ours, theirs):
            yield from pairs(level + 1, *run)

    return pairs(0, False, range(len(old)), range(len(new)))


def _family(node: TypedNode) -> str:
    """Return the family of a layer; anything else is a family of its own."""
    op = registry.find("layer", node.op_name)
    return node.op_name if op is None else op.family


_KEYS: tuple[Callable[[TypedNode], Hashable], ...] = (
    lambda node: form(node.operation),
    attrgetter("op_name"),
    _family,
)


def _runs(
    keys: list[list[Hashable]], ours: range, theirs: range
) -> Iterator[tuple[bool, range, range]]:
    """Cut two ranges into stretches whose keys are equal (True) and the stretches between (False)."""
    old, new = keys[0][ours.start : ours.stop], keys[1][theirs.start : theirs.stop]
    first = _equal_pairs(zip(old, new, strict=False))
    last = _equal_pairs(zip(reversed(old[first:]), reversed(new[first:]), strict=False))
    yield True, ours[:first], theirs[:first]
    middles = old[first : len(old) - last], new[first : len(new) - last]
    ours, theirs = ours[first:], theirs[first:]
    if max(map(len, middles)) > MOST_ALIGNED:
        yield False, ours[: len(middles[0])], theirs[: len(middles[1])]
    elif any(middles):
        from difflib import SequenceMatcher  # most graphs differ in a few nodes in a row

        for tag, a, b, c, d in SequenceMatcher(None, *middles, autojunk=False).get_opcodes():
            yield tag == "equal", ours[a:b], theirs[c:d]
    yield True, ours[len(middles[0]) :], theirs[len(middles[1]) :]


def _equal_pairs(pairs: Iterable[tuple[Hashable, Hashable]]) -> int:
    """Return how many pairs at the start have two equal members."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
