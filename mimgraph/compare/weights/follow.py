"""Follow positions through layers without weights: which ops keep them apart, and where they end up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from math import prod

from mimgraph.compare.weights.lanes import Case, Moved
from mimgraph.ir.dim import Size
from mimgraph.ir.tensor_copy import (
    MOST_STRETCHES,
    Positions,
    Stretch,
    joined,
    repeated,
    scaled,
)
from mimgraph.ops import registry

CHANNELS = 1  # the axis of channels

# by families of the registry
ON_CHANNELS = ("pooling", "adaptive_pooling", "padding", "upsampling")
ACROSS = ("GLU", "Softmax", "LogSoftmax", "Softmin", "Softmax2d")  # activations that mix positions
EACH = ("Identity", "Cast", "Clamp", "Detach", "DropPath", "LogicalNot")
REDUCTIONS = ("Mean", "Sum", "Prod", "Max", "Min", "Std", "Var", "Norm", "LogSumExp")
POOLS = ("mean_pool", "max_pool", "last_pool")  # over axis 1, of (N, T, D)

Rule = Callable[[Case], Moved | None]


def followed(case: Case) -> Moved | None:
    """Return what moved in the default result of a step, given what moved in its operands; None if the
    op mixes positions, or is not known here."""
    rule = _rule(case.new.op)
    return None if rule is None or case.old.op != case.new.op else rule(case)


def is_inert(op: str) -> bool:
    """Return whether a layer hands on what it is given in evaluation, whatever its options are."""
    return op in ("Identity", "DropPath", "Detach") or _family(op) == "dropout"


def _family(op: str) -> str:
    for kind in ("layer", "merge"):
        if (found := registry.find(kind, op)) is not None:
            return found.family
    return ""


def _rule(op: str) -> Rule | None:
    family = _family(op)
    if op in _RULES:
        return _RULES[op]
    if family == "activation" and op not in ACROSS:
        return _each
    return _RULES.get(family)


def _each(case: Case) -> Moved | None:
    """Keep the positions of the source: each is computed by itself."""
    return case.first.moved if case.is_unary else None


def _by_channel(case: Case) -> Moved | None:
    """Keep the channels of the source: each is computed by itself."""
    moved = _each(case)
    return moved if moved is not None and moved.axis == CHANNELS else None


def _elementwise(case: Case) -> Moved | None:
    """Keep the positions that all operands have; an operand that is broadcast along the axis has none there."""
    rank = len(case.result_shapes("")[1])
    found: set[Moved] = set()
    alike: list[tuple[str, Moved | None]] = []
    for key, lanes in case.lanes.items():
        moved, own = lanes.moved, len(case.shapes(key)[1])
        alike.append((key, None if moved is None else Moved(moved.axis - own, moved.positions)))
        found.update(one for _, one in alike[-1:] if one is not None)
    if len(found) != 1:
        return None
    (moved,) = found
    for key, one in alike:
        shape = case.shapes(key)[1]
        if one is None and len(shape) >= -moved.axis and shape[moved.axis] != 1:
            return None
    return Moved(moved.axis + rank, moved.positions)


def _concat(case: Case) -> Moved | None:
    """Join the positions of the sources, wherever each stood before; a new source has none."""
    dim = case.options()[1].get("dim", 1)
    before, after = case.result_shapes("")
    if not isinstance(dim, int) or len(before) != len(after):
        return None
    axis = dim % len(after)
    starts = _starts(case, axis)
    found: list[Positions] = []
    for key, lanes in case.lanes.items():
        old_start = starts.get(lanes.old, []) if lanes.old is not None else []
        old, new = case.types
        length = _length(new[case.new.operands[key]].shape, axis)
        if length is None:
            return None
        if not old_start or lanes.old is None:
            found.append((Stretch(None, length),))
            continue
        moved = lanes.moved
        if moved is None:
            moved = Moved(axis, (Stretch(0, length),))
        if moved.axis != axis or lanes.old not in old:
            return None
        start = old_start.pop(0)
        found.append(
            tuple(Stretch(None if s is None else s + start, n) for s, n in moved.positions)
        )
    return Moved(axis, joined(found))


def _starts(case: Case, axis: int) -> dict[object, list[int]]:
    """Return where each source of the old concat began; a source that stood there twice has two."""
    found: dict[object, list[int]] = {}
    start = 0
    for at in case.old.operands.values():
        length = _length(case.types[0][at].shape, axis)
        if length is None:
            return {}
        found.setdefault(at, []).append(start)
        start += length
    return found


def _length(shape: Iterable[Size], axis: int) -> int | None:
    sizes = list(shape)
    found = sizes[axis] if axis < len(sizes) else None
    return int(found) if isinstance(found, int) else None


def _flatten(case: Case) -> Moved | None:
    """Make each position a block of as many as the axes behind it have, once for each before it."""
    moved = _each(case)
    options = case.options()
    if moved is None or case.new.leaf is None:
        return None
    (key,) = case.new.operands
    was, now = case.shapes(key)
    bounds = [(o.get("start_dim", 1), o.get("end_dim", -1)) for o in options]
    if bounds[0] != bounds[1] or len(was) != len(now):
        return None
    start, end = (b % len(now) for b in bounds[1] if isinstance(b, int))
    if not start <= moved.axis <= end:
        gone = end - start if moved.axis > end else 0
        return Moved(moved.axis - gone, moved.positions)
    around = [*now[start : moved.axis], *now[moved.axis + 1 : end + 1], was[moved.axis]]
    if not all(isinstance(one, int) for one in around):
        return None
    before = prod(int(one) for one in now[start : moved.axis] if isinstance(one, int))
    behind = prod(int(one) for one in now[moved.axis + 1 : end + 1] if isinstance(one, int))
    if before * len(moved.positions) > MOST_STRETCHES:
        return None
    blocks, old = scaled(moved.positions, behind), was[moved.axis]
    assert isinstance(old, int)
    return Moved(start, repeated(blocks, before, old * behind))


def _reduced(case: Case) -> Moved | None:
    """Keep the positions of an axis that is left."""
    moved = _each(case)
    options = case.options()[1]
    if moved is None:
        return None
    (key,) = case.new.operands
    rank = len(case.shapes(key)[1])
    dims = options.get("dim")
    axes = {
        d % rank for d in (dims if isinstance(dims, list | tuple) else [dims]) if isinstance(d, int)
    }
    if moved.axis in axes or not axes:
        return None
    before = 0 if options.get("keepdim") else sum(1 for axis in axes if axis < moved.axis)
    return Moved(moved.axis - before, moved.positions)


def _pooled(case: Case) -> Moved | None:
    """Keep the positions of the last axis of a sequence; masks and lengths have none that moved."""
    first, *others = case.lanes.values()
    if first.moved is None or first.moved.axis != 2 or any(other.moved for other in others):
        return None
    return Moved(1, first.moved.positions)


def _permuted(case: Case) -> Moved | None:
    """Move the axis with its positions."""
    moved = _each(case)
    options = case.options()[1]
    if moved is None:
        return None
    (key,) = case.new.operands
    order = list(range(len(case.shapes(key)[1])))
    if case.new.op == "Permute":
        dims = options.get("dims")
        if not isinstance(dims, list | tuple):
            return None
        order = [order[d] for d in dims]
    else:
        one, other = options.get("dim0"), options.get("dim1")
        if not isinstance(one, int) or not isinstance(other, int):
            return None
        order[one], order[other] = order[other], order[one]
    return Moved(order.index(moved.axis), moved.positions)


def _einsum(case: Case) -> Moved | None:
    """Keep the positions of an axis that is not summed over, if every operand that has it agrees."""
    equation = str(case.options()[1].get("equation", ""))
    if "..." in equation or "->" not in equation:
        return None
    left, right = (re.sub(r"\s", "", part) for part in equation.split("->"))
    terms = dict(zip(case.lanes, left.split(","), strict=False))
    by_letter = {
        term[lanes.moved.axis]: lanes.moved.positions
        for (key, lanes), term in zip(case.lanes.items(), terms.values(), strict=True)
        if lanes.moved is not None and lanes.moved.axis < len(term)
    }
    if len(by_letter) != 1:
        return None
    ((letter, positions),) = by_letter.items()
    having = [case.lanes[key].moved for key, term in terms.items() if letter in term]
    if letter not in right or any(m is None or m.positions != positions for m in having):
        return None
    return Moved(right.index(letter), positions)


_RULES: dict[str, Rule] = {
    **dict.fromkeys(EACH, _each),
    **dict.fromkeys(ON_CHANNELS, _by_channel),
    **dict.fromkeys(("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"), _by_channel),
    **dict.fromkeys(REDUCTIONS, _reduced),
    **dict.fromkeys(POOLS, _pooled),
    **dict.fromkeys(("Transpose", "Permute"), _permuted),
    "dropout": _each,
    "elementwise": _elementwise,
    "formula": _elementwise,
    "concat": _concat,
    "Flatten": _flatten,
    "einsum": _einsum,
}
