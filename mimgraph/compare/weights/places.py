"""Find which places of an old graph the places of a new one are: nodes at any depth, as `diff` pairs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping

from mimgraph.compare.match_parts import aligned, is_same_op, paired_branches
from mimgraph.compare.model import dotted
from mimgraph.compare.pair import Comparison, Pair
from mimgraph.ir.typed_graph import Body, TypedNode
from mimgraph.ir.typed_operations import Leaf, Shared, TypedOperation

Places = dict[str, str]
"""For places of the new graph, dotted as the keys of their modules, those of the old one."""


def paired_places(comparison: Comparison) -> Places:
    """Return the places of all nodes that are in both graphs."""
    pair = comparison.pair(*comparison.roots)
    return {now: was for was, now in _in_bodies(pair, "", "")}


def _in_bodies(pair: Pair, was: str, now: str) -> Iterator[tuple[str, str]]:
    """Yield the old and the new place of every node that two bodies have."""
    for before, name in pair.names.items():
        old, new = pair.old.by_name.get(before), pair.new.by_name.get(name)
        if old is not None and new is not None:
            yield from _in_nodes(pair, old, new, dotted(was, before), dotted(now, name))


def _in_nodes(
    pair: Pair, old: TypedNode, new: TypedNode, was: str, now: str
) -> Iterator[tuple[str, str]]:
    """Yield the places of two nodes that correspond, and of those inside them."""
    yield was, now
    one, other = old.operation, new.operation
    if isinstance(one, Shared) or isinstance(other, Shared):
        return
    if pair.does_same(old, new):
        yield from _in_equals(one, other, was, now)
    elif is_same_op(one, other):
        yield from _in_items(pair, one, other, was, now)
        yield from _in_inner_bodies(pair, one, other, was, now)


def _in_equals(
    old: TypedOperation, new: TypedOperation, was: str, now: str
) -> Iterator[tuple[str, str]]:
    """Yield the places inside two operations that do the same, and so have the same nodes."""
    for (key, node), (other_key, other) in zip(old.inner(), new.inner(), strict=False):
        before, after = dotted(was, key), dotted(now, other_key)
        yield before, after
        yield from _in_equals(node.operation, other.operation, before, after)


def _in_items(
    pair: Pair, old: TypedOperation, new: TypedOperation, was: str, now: str
) -> Iterator[tuple[str, str]]:
    """Yield the places inside the items of two chains or the branches of two `each`."""
    pairs = [
        (old.steps[one], new.steps[other])
        for one, other in aligned(old.steps, new.steps)
        if one is not None and other is not None
    ]
    for one, other in (*pairs, *paired_branches(old, new, pair.numbers)):
        if one is not None and other is not None:
            yield from _in_nodes(pair, one, other, dotted(was, one.name), dotted(now, other.name))


def _in_inner_bodies(
    pair: Pair, old: TypedOperation, new: TypedOperation, was: str, now: str
) -> Iterator[tuple[str, str]]:
    """Yield the places inside the bodies of two uses of a block."""
    bodies = zip(old.modules, new.modules, strict=False)
    inner = pair.comparison.inner_pairs(old, new)
    for index, ((one, other), found) in enumerate(zip(bodies, inner, strict=True)):
        before, after = dotted(was, old.key(index)), dotted(now, new.key(index))
        if found is not None:
            yield from _in_bodies(found, before, after)
        else:
            yield from _in_equal_bodies(one, other, before, after)


def _in_equal_bodies(old: Body, new: Body, was: str, now: str) -> Iterator[tuple[str, str]]:
    for one in old.nodes:
        before, after = dotted(was, one.name), dotted(now, one.name)
        yield before, after
        yield from _in_equals(one.operation, new.by_name[one.name].operation, before, after)


def paired_modules(
    old: Mapping[str, Leaf], new: Mapping[str, Leaf], places: Mapping[str, str]
) -> dict[str, str]:
    """Return the old path of modules of the new graph: at places that correspond, else moved ones, which have
    the name, the layer and, if there are several, the shapes of one that is gone."""
    found = {
        path: was
        for path, leaf in new.items()
        if (was := places.get(path)) is not None and was in old and old[was].name == leaf.name
    }
    for key in (_moved_key, _moved_key_of_any_size):
        taken = set(found.values())
        gone = _lone({path: key(path, leaf) for path, leaf in old.items() if path not in taken})
        come = _lone({path: key(path, leaf) for path, leaf in new.items() if path not in found})
        found |= {come[key]: path for key, path in gone.items() if key in come}
    return found


def _lone(keys: Mapping[str, Hashable]) -> dict[Hashable, str]:
    """Return the only path that has a key, for each key; modules without tensors or a name have none."""
    counts = Counter(keys.values())
    return {key: path for path, key in keys.items() if key is not None and counts[key] == 1}


def _moved_key(path: str, leaf: Leaf) -> Hashable:
    name = path.rpartition(".")[2]
    module = leaf.lowering.module
    if name.isdecimal() or module is None or not leaf.has_state:
        return None
    return name, leaf.name, tuple(module.weights.items())


def _moved_key_of_any_size(path: str, leaf: Leaf) -> Hashable:
    key = _moved_key(path, leaf)
    return key[:2] if isinstance(key, tuple) else None
