"""Which tensor of one model is which of another: by shape, by what feeds what, by order of use."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

ROUNDS = 32  # how far from a tensor the model is looked at

Colours = Mapping[str, int]
Labels = Mapping[str, Hashable]


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
    """Our name to theirs, in our order: those of one colour in order of use."""
    our_colours, their_colours = _colours(ours, theirs)
    common = {_leaf(key) for key in ours.shapes} & {_leaf(key) for key in theirs.shapes}
    waiting = defaultdict[int, list[str]](list)
    for key in theirs.shapes:
        waiting[their_colours[key]].append(key)
    mapping: dict[str, str] = {}
    for key in ours.shapes:
        candidates = waiting[our_colours[key]]
        chosen = next((other for other in candidates if _may_be(key, other, common)), None)
        if chosen is not None:
            mapping[key] = chosen
            candidates.remove(chosen)
    return mapping


def _may_be(ours: str, theirs: str, common: set[str]) -> bool:
    """Not a weight for a bias: names that both models use mean the same thing in both."""
    return _leaf(ours) == _leaf(theirs) or not {_leaf(ours), _leaf(theirs)} <= common


def _leaf(key: str) -> str:
    return key.rpartition(".")[2]


# --- colours --------------------------------------------------------------------------------------


def _colours(ours: Flow, theirs: Flow) -> tuple[Colours, Colours]:
    """A number for every tensor and input, the same for those that may be each other.

    At first those of one shape, axes of size 1 left out. Then, as Weisfeiler and Leman do, they are
    told apart by what feeds them and what they feed; and by their names and exact shapes.
    """
    flows = (ours, theirs)
    neighbours = [flow.neighbours() for flow in flows]
    colours = _numbered(_first(ours), _first(theirs))
    colours = _split(colours, _names_and_shapes(ours), _names_and_shapes(theirs))
    for _ in range(ROUNDS):
        finer = _split(
            colours,
            _around(colours[0], *neighbours[0]),
            _around(colours[1], *neighbours[1]),
        )
        if _count(finer) == _count(colours):
            break
        colours = finer
    colours = _split(colours, _names_and_shapes(ours), _names_and_shapes(theirs))
    colours = _split(colours, *({key: _leaf(key) for key in flow.shapes} for flow in flows))
    return _split(colours, ours.shapes, theirs.shapes)


def _first(flow: Flow) -> Labels:
    """Inputs by name, which both models have in common; tensors by shape."""
    names = {source: source for source, _ in flow.feeds if source not in flow.shapes}
    shapes = {k: tuple(size for size in shape if size != 1) for k, shape in flow.shapes.items()}
    return {**names, **shapes}


def _names_and_shapes(flow: Flow) -> Labels:
    return {key: (_leaf(key), shape) for key, shape in flow.shapes.items()}


def _around(
    colours: Colours, before: Mapping[str, list[str]], after: Mapping[str, list[str]]
) -> Labels:
    return {
        key: tuple(tuple(sorted(colours[k] for k in side.get(key, ()))) for side in (before, after))
        for key in colours
    }


def _split(
    colours: tuple[Colours, Colours], ours: Labels, theirs: Labels
) -> tuple[Colours, Colours]:
    """Of each colour, give those of one label a colour of their own if both models have as many.

    The others keep theirs, so one difference between the models does not make everything differ.
    """
    pairs = [
        {key: (colour, labels.get(key)) for key, colour in known.items()}
        for known, labels in zip(colours, (ours, theirs), strict=True)
    ]
    counts, others = (Counter(labelled.values()) for labelled in pairs)
    first, second = (
        {key: pair if counts[pair] == others[pair] else pair[0] for key, pair in labelled.items()}
        for labelled in pairs
    )
    return _numbered(first, second)


def _numbered(ours: Labels, theirs: Labels) -> tuple[Colours, Colours]:
    numbers: dict[Hashable, int] = {}
    first, second = (
        {key: numbers.setdefault(label, len(numbers)) for key, label in labels.items()}
        for labels in (ours, theirs)
    )
    return first, second


def _count(colours: tuple[Colours, Colours]) -> int:
    return len({*colours[0].values(), *colours[1].values()})
