"""Plan which tensors of one model are copied to which of the other: whole, joined, cut, transposed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from mimgraph.runtime.weight_transfer.align import align, interchangeable, leaf, owner
from mimgraph.runtime.weight_transfer.parts import Part
from mimgraph.runtime.weight_transfer.usage import Usage


@dataclass(frozen=True, slots=True)
class Plan:
    """Pairs of parts, of which the second is copied to the first, and the keys without a counterpart.

    A part whose pair is None becomes zeros. The keys in `guessed` are ours whose order is a guess.
    """

    pairs: tuple[tuple[Part, Part | None], ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    guessed: tuple[str, ...]

    def mapping(self) -> dict[str, str | tuple[str, ...]]:
        """Return for each of our keys theirs; several if ours joins them, in the order of our rows."""
        sources: dict[str, list[str]] = {}
        for ours, theirs in self.pairs:
            keys = sources.setdefault(ours.key, [])
            if theirs is not None and theirs.key not in keys:
                keys.append(theirs.key)
        return {
            key: keys[0] if len(keys) == 1 else tuple(keys) for key, keys in sources.items() if keys
        }

    def zeros(self) -> tuple[str, ...]:
        """Return our joined biases with rows of zeros, for biases that the other model lacks."""
        return tuple(dict.fromkeys(ours.key for ours, theirs in self.pairs if theirs is None))

    def copy(self, ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> None:
        """Copy the values."""
        for target, source in self.pairs:
            stored = ours[target.key].detach()
            if source is None:
                target.write(stored, stored.new_zeros(target.shape))
            else:
                target.write(stored, source.read(theirs[source.key].detach()))


def plan(ours: Usage, theirs: Usage, own: Collection[str], joined: Collection[str] = ()) -> Plan:
    """Align two models by the parts of tensors that both have; our tensors in `joined` stay whole.

    `own` are our tensors that are in no layer of torch. Ours may be only a part of the other model, such as its encoder: the part that fits best is used.
    """
    best: tuple[int, Plan] | None = None
    for leading in theirs.without_heads(ours):
        found = _aligned(ours, leading, own, joined)
        misfits = len(found.missing) + len(found.unused)
        if best is None or misfits < best[0]:
            heads = theirs.tensors.keys() - leading.tensors.keys()
            left = heads.union(found.unused)
            best = (
                misfits,
                replace(found, unused=tuple(key for key in theirs.tensors if key in left)),
            )
        if not misfits:
            break
    assert best is not None
    return best[1]


def _aligned(ours: Usage, theirs: Usage, own: Collection[str], joined: Collection[str]) -> Plan:
    """Return the plan that aligns all of both models."""
    mine, yours = _comparable(ours, theirs, joined)
    yours |= _shortened(mine, yours, ours.tables, theirs.tables)
    flows = ours.flow(mine), theirs.flow(yours)
    found = align(*flows)
    guessed = {mine[name].key for name in interchangeable(*flows, own)}
    zeros = _absent(found, mine)
    missing = {part.key for name, part in mine.items() if name not in found.keys() | zeros}
    pairs = tuple(
        (part, yours[found[name]] if name in found else None)
        for name, part in mine.items()
        if part.key not in missing
    )
    taken = {source for name, source in found.items() if mine[name].key not in missing}
    left = {part.key for name, part in yours.items() if name not in taken}
    return Plan(
        pairs,
        tuple(key for key in ours.tensors if key in missing),
        tuple(key for key in theirs.tensors if key in left),
        tuple(key for key in ours.tensors if key in guessed - missing),
    )


def _absent(found: Mapping[str, str], parts: Mapping[str, Part]) -> set[str]:
    """Return the parts of joined biases that the other model lacks, though it has their weights."""
    joined = {part.key for name, part in parts.items() if name in found and "#" in name}
    return {
        name
        for name, part in parts.items()
        if name not in found
        and part.key in joined
        and leaf(name) == "bias"
        and f"{owner(name)}.weight" in found
    }


def _comparable(
    ours: Usage, theirs: Usage, kept: Collection[str]
) -> tuple[dict[str, Part], dict[str, Part]]:
    """Return the parts of both models by name; a tensor is split if the other model has such parts."""
    joined = _whole_in_both(ours, theirs) | set(kept), _whole_in_both(theirs, ours)
    while True:
        named = ours.named_parts(joined[0]), theirs.named_parts(joined[1])
        news = [
            {
                part.key
                for name, part in named[i].items()
                if "#" in name and _shape(part) not in map(_shape, named[1 - i].values())
            }
            for i in (0, 1)
        ]
        if not any(news):
            return named
        for known, new in zip(joined, news, strict=True):
            known |= new


def _whole_in_both(ours: Usage, theirs: Usage) -> set[str]:
    """Return our tensors in parts of a shape that both models have equally often, theirs not in parts.

    Else a query whose halves are used, as rotary positions do, would be cut if keys are half as wide.
    """
    if not theirs.edges:  # it did not run, so its parts are not known
        return set()
    mine, yours = (Counter(map(_joined_shape, usage.parts.values())) for usage in (ours, theirs))
    cut = {_joined_shape(parts) for parts in theirs.parts.values() if len(parts) > 1}
    shapes = {key: _joined_shape(parts) for key, parts in ours.parts.items() if len(parts) > 1}
    return {
        key for key, shape in shapes.items() if mine[shape] == yours[shape] and shape not in cut
    }


def _shortened(
    ours: Mapping[str, Part],
    theirs: Mapping[str, Part],
    our_starts: Mapping[str, int],
    their_starts: Mapping[str, int],
) -> dict[str, Part]:
    """Return the other model's position tables, cut to the length of the tables of ours that may correspond.

    The first row that our model reads corresponds to the first row that theirs reads.
    """
    mine, yours = (set(map(_shape, parts.values())) for parts in (ours, theirs))
    waiting = {name: part for name, part in ours.items() if _shape(part) not in yours}
    found = {}
    for name, part in theirs.items():
        if part.key not in their_starts or _shape(part) in mine or len(part.shape) != 2:
            continue
        for other, shorter in waiting.items():
            table = _table(shorter.shape)
            start = their_starts[part.key] - our_starts.get(shorter.key, 0)
            end = start + table[0] if len(table) == 2 else 0
            fits = 0 <= start < end <= part.shape[0]
            if fits and table[1:] == part.shape[1:]:
                found[name] = replace(part, rows=tuple(range(start, end)))
                del waiting[other]
                break
    return found


def _table(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the rows and width of a table, which may be stored as (1, rows, width)."""
    return shape[1:] if len(shape) == 3 and shape[0] == 1 else shape


def _shape(part: Part) -> tuple[int, ...]:
    return tuple(size for size in part.shape if size != 1)


def _joined_shape(parts: Iterable[Part]) -> tuple[int, ...]:
    """Return the shape of a tensor that is used in these parts, outputs first."""
    shapes = [part.shape for part in parts]
    return (sum(shape[0] for shape in shapes), *shapes[0][1:]) if shapes[0] else ()


def shapes(keys: Iterable[str], tensors: Mapping[str, Tensor]) -> list[str]:
    """Return each key with the shape of its tensor."""
    return [f"{key} {tuple(tensors[key].shape)}" for key in keys]
