"""Which tensor of one model is which of another: by shape, by what feeds what, by order of use."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

ROUNDS = 32  # how far from a tensor the model is looked at

Colours = dict[str, int]


@dataclass(frozen=True, slots=True)
class Flow:
    """A model's tensors in order of use with their shapes, and what feeds what: pairs of names,
    the first a tensor or an input."""

    shapes: Mapping[str, tuple[int, ...]]
    feeds: frozenset[tuple[str, str]] = frozenset()

    def neighbours(self) -> tuple[Mapping[str, list[str]], Mapping[str, list[str]]]:
        """What feeds each tensor, and what each tensor or input feeds."""
        before, after = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
        for source, target in self.feeds:
            before[target].append(source)
            after[source].append(target)
        return before, after


def align(ours: Flow, theirs: Flow) -> dict[str, str]:
    """Our name to theirs, in our order.

    Tensors of one colour are the same up to order. Of them, one of the same name and shape is
    taken, else one of the same shape, else one that differs in axes of size 1.
    """
    our_colours, their_colours = _colours(ours, theirs)
    common = {_leaf(key) for key in ours.shapes} & {_leaf(key) for key in theirs.shapes}
    mapping: dict[str, str] = {}
    free = list(theirs.shapes)
    for named, shaped in ((True, True), (False, True), (False, False)):
        waiting = defaultdict[Hashable, list[str]](list)
        for key in free:
            waiting[_label(key, theirs, their_colours, named, shaped)].append(key)
        for key in ours.shapes:
            if key not in mapping:
                candidates = waiting[_label(key, ours, our_colours, named, shaped)]
                fitting = (other for other in candidates if _may_be(key, other, common))
                if (chosen := next(fitting, None)) is not None:
                    mapping[key] = chosen
                    candidates.remove(chosen)
        taken = set(mapping.values())
        free = [key for key in free if key not in taken]
    return {key: mapping[key] for key in ours.shapes if key in mapping}


def _label(key: str, flow: Flow, colours: Colours, named: bool, shaped: bool) -> Hashable:
    return colours[key], _leaf(key) if named else None, flow.shapes[key] if shaped else None


def _leaf(key: str) -> str:
    return key.rpartition(".")[2]


def _may_be(ours: str, theirs: str, common: set[str]) -> bool:
    """Not a weight for a bias: names that both models use mean the same thing in both."""
    return _leaf(ours) == _leaf(theirs) or not {_leaf(ours), _leaf(theirs)} <= common


# --- colours --------------------------------------------------------------------------------------


def _colours(ours: Flow, theirs: Flow) -> tuple[Colours, Colours]:
    """A number for every tensor, the same for those that look alike, at first in shape.

    Then, as Weisfeiler and Leman do, in the colours of what feeds them and what they feed. A class
    is split only where both models split it into equal parts, so one difference between them does
    not make everything differ.
    """
    colours = _numbered(_first(ours), _first(theirs))
    neighbours = (ours.neighbours(), theirs.neighbours())
    for _ in range(ROUNDS):
        seen = [
            {
                key: (
                    colour,
                    tuple(sorted(known[other] for other in before.get(key, ()))),
                    tuple(sorted(known[other] for other in after.get(key, ()))),
                )
                for key, colour in known.items()
            }
            for known, (before, after) in zip(colours, neighbours, strict=True)
        ]
        counts, others = (Counter(signatures.values()) for signatures in seen)
        uneven = {sign[0] for sign in counts | others if counts[sign] != others[sign]}
        finer = _numbered(
            *({k: s[0] if s[0] in uneven else s for k, s in signs.items()} for signs in seen)
        )
        if _count(finer) == _count(colours):
            break
        colours = finer
    return colours


def _first(flow: Flow) -> dict[str, Hashable]:
    """Shapes without axes of size 1; inputs by name, which both models have in common."""
    names: Iterable[str] = (source for source, _ in flow.feeds if source not in flow.shapes)
    shapes = {k: tuple(size for size in shape if size != 1) for k, shape in flow.shapes.items()}
    return {**{name: name for name in names}, **shapes}


def _numbered(
    ours: Mapping[str, Hashable], theirs: Mapping[str, Hashable]
) -> tuple[Colours, Colours]:
    numbers: dict[Hashable, int] = {}
    first, second = (
        {key: numbers.setdefault(value, len(numbers)) for key, value in labels.items()}
        for labels in (ours, theirs)
    )
    return first, second


def _count(colours: tuple[Colours, Colours]) -> int:
    return len({*colours[0].values(), *colours[1].values()})
