"""Match the tensors of two models: by shape, by their neighbours in the data flow, by module and by order of use."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass

MAX_ROUNDS = 32  # of refinement: how far from a tensor others can tell it apart

Colours = Mapping[str, int]
Labels = Mapping[str, Hashable]
Ways = list[tuple[str, str]]  # other names, and the steps on the way
Neighbours = Mapping[str, Ways]
Fit = Callable[[str, str], bool]  # whether our name may be theirs


@dataclass(frozen=True, slots=True)
class Flow:
    """The shapes of a model's tensors, in order of use, and which tensor or input feeds which tensor.

    `feeds` has the source, the target and the steps between them.
    """

    shapes: Mapping[str, tuple[int, ...]]
    feeds: frozenset[tuple[str, str, str]] = frozenset()

    def neighbours(self) -> tuple[Neighbours, Neighbours]:
        """Return the sources of each tensor, and the targets of each tensor or input, with the steps between."""
        before, after = defaultdict[str, Ways](list), defaultdict[str, Ways](list)
        for source, target, how in self.feeds:
            before[target].append((source, how))
            after[source].append((target, how))
        return before, after

    def renamed(self, names: Mapping[str, str]) -> Flow:
        """Return the same with other names of the tensors."""
        return Flow(
            {names[key]: shape for key, shape in self.shapes.items()},
            frozenset((names.get(a, a), names.get(b, b), how) for a, b, how in self.feeds),
        )


def align(ours: Flow, theirs: Flow) -> dict[str, str]:
    """Return their name for each of ours that has a match; equal colours match in order of use.

    First modules are matched whole, by the names of their tensors, then under any names; last come
    tensors that the two models group into modules differently.
    """
    our_colours, their_colours = _colours(ours, theirs)
    common = {leaf(key) for key in ours.shapes} & {leaf(key) for key in theirs.shapes}

    def alike(key: str, other: str) -> bool:
        """Return whether both may be the same tensor.

        A name such as `weight` that both models use means the same in both.
        """
        names = {leaf(key), leaf(other)}
        same = len(names) == 1 or not names <= common
        return same and our_colours[key] == their_colours[other]

    def namesakes(key: str, other: str) -> bool:
        return leaf(key) == leaf(other) and alike(key, other)

    found: dict[str, str] = {}
    for fit in (namesakes, alike):
        found |= _whole(*_unmatched(ours, theirs, found), fit)
    mine, yours = map(_without_biases, _unmatched(ours, theirs, found))
    found |= _whole(mine, yours, alike)
    found |= _regrouped(*_unmatched(ours, theirs, found), alike, our_colours, their_colours)
    return {key: found[key] for key in ours.shapes if key in found}


def interchangeable(ours: Flow, theirs: Flow, own: Collection[str]) -> set[str]:
    """Return our tensors of which several have one shape and use, so that their order is a guess.

    The names of tensors in `own` are a user's choice, and say nothing about the other model.
    """
    nameless = {key: f"{key}.own" if key in own else key for key in ours.shapes}
    colours, _ = _colours(ours.renamed(nameless), theirs)
    counts = Counter(colours[name] for name in nameless.values())
    return {key for key, name in nameless.items() if counts[colours[name]] > 1}


def _unmatched(ours: Flow, theirs: Flow, found: Mapping[str, str]) -> tuple[list[str], list[str]]:
    taken = set(found.values())
    return [k for k in ours.shapes if k not in found], [k for k in theirs.shapes if k not in taken]


def _without_biases(keys: Iterable[str]) -> list[str]:
    """Return the tensors without biases of parts (`a#0.bias`), which the other model may lack."""
    return [key for key in keys if not ("#" in key and leaf(key) == "bias")]


def leaf(key: str) -> str:
    """Return the name of the tensor in its module."""
    return key.rpartition(".")[2]


def owner(key: str) -> str:
    """Return the path of the module that has the tensor."""
    return key.rpartition(".")[0]


# --- modules --------------------------------------------------------------------------------------


def _modules(keys: Iterable[str]) -> dict[str, list[str]]:
    """Return the tensors of each module; a tensor of the model itself is a group of its own."""
    modules = defaultdict[str, list[str]](list)
    for key in keys:
        modules[owner(key) or key].append(key)
    return modules


def _whole(ours: Iterable[str], theirs: Iterable[str], fit: Fit) -> dict[str, str]:
    """Match each of our modules with the next of theirs in which every tensor fits."""
    found: dict[str, str] = {}
    waiting = _modules(theirs)
    for module in _modules(ours).values():
        for name, other in waiting.items():
            pairs = _pairs(module, other, fit) if len(module) == len(other) else {}
            if len(pairs) == len(module):
                found |= pairs
                del waiting[name]
                break
    return found


def _pairs(ours: Iterable[str], theirs: Iterable[str], fit: Fit) -> dict[str, str]:
    """Match each of our tensors with the next of theirs that fits."""
    waiting = list(theirs)
    pairs: dict[str, str] = {}
    for key in ours:
        chosen = next((other for other in waiting if fit(key, other)), None)
        if chosen is not None:
            pairs[key] = chosen
            waiting.remove(chosen)
    return pairs


def _regrouped(
    ours: list[str], theirs: list[str], fit: Fit, our_colours: Colours, their_colours: Colours
) -> dict[str, str]:
    """Match tensors that one model keeps in fewer modules than the other, if that is unambiguous.

    Both models must have equally many tensors of the colour, and one of them all in one module, whose
    order counts. Of two modules that share tensors, one must contain all of the other.
    """
    found: dict[str, str] = {}
    for colour in dict.fromkeys(our_colours[key] for key in ours):
        mine = [key for key in ours if our_colours[key] == colour]
        yours = [key for key in theirs if their_colours[key] == colour]
        one_holds_all = 1 in (len({owner(key) for key in keys}) for keys in (mine, yours))
        if len(mine) == len(yours) and one_holds_all:
            found |= _pairs(mine, yours, fit)
    return _nested(found, ours, theirs)


def _nested(found: Mapping[str, str], ours: list[str], theirs: list[str]) -> dict[str, str]:
    """Return the matches without modules that share only some tensors with a module of the other."""
    back = {other: key for key, other in found.items()}
    inner, outer = _inside(found, ours, theirs), _inside(back, theirs, ours)
    torn = {key for key, other in found.items() if key not in inner and other not in outer}
    mine, yours = {owner(key) for key in torn}, {owner(found[key]) for key in torn}
    return {
        k: other for k, other in found.items() if not (owner(k) in mine or owner(other) in yours)
    }


def _inside(found: Mapping[str, str], keys: list[str], others: list[str]) -> set[str]:
    """Return the tensors of modules that are matched whole with tensors of one module."""
    home = {other: name for name, module in _modules(others).items() for other in module}
    return {
        key
        for module in _modules(keys).values()
        if len({home.get(found.get(key, "")) for key in module}) == 1
        for key in module
    }


# --- colours --------------------------------------------------------------------------------------


def _colours(ours: Flow, theirs: Flow) -> tuple[Colours, Colours]:
    """Return a colour, a number, for every tensor and input: equal for those that may match.

    At first tensors of one shape, without axes of size 1, have one colour. Colours are then refined
    as by Weisfeiler and Leman, by the colours before and after; and by names and exact shapes.
    """
    flows = (ours, theirs)
    neighbours = [flow.neighbours() for flow in flows]
    colours = _numbered(_first(ours), _first(theirs))
    colours = _split(colours, _names_and_shapes(ours), _names_and_shapes(theirs))
    for around in (
        _around,
        _around_by_way,
    ):  # first without the steps, as models may do the same in other steps
        for _ in range(MAX_ROUNDS):
            labels = (around(colours[i], *neighbours[i]) for i in (0, 1))
            finer = _split(colours, *labels)
            if _count(finer) == _count(colours):
                break
            colours = finer
    colours = _split(colours, _names_and_shapes(ours), _names_and_shapes(theirs))
    colours = _split(colours, *({key: leaf(key) for key in flow.shapes} for flow in flows))
    return _split(colours, ours.shapes, theirs.shapes)


def _first(flow: Flow) -> Labels:
    """Label inputs by name, as both models have the same, and tensors by shape."""
    names = {source: source for source, _, _ in flow.feeds if source not in flow.shapes}
    shapes = {k: tuple(size for size in shape if size != 1) for k, shape in flow.shapes.items()}
    return {**names, **shapes}


def _names_and_shapes(flow: Flow) -> Labels:
    return {key: (leaf(key), shape) for key, shape in flow.shapes.items()}


def _around(colours: Colours, *sides: Neighbours) -> Labels:
    """Label everything by the colours before and after it."""
    return {
        key: tuple(tuple(sorted(colours[k] for k in dict(side.get(key, ())))) for side in sides)
        for key in colours
    }


def _around_by_way(colours: Colours, *sides: Neighbours) -> Labels:
    """Label everything by the colours before and after it, with the steps between."""
    return {
        key: tuple(
            tuple(sorted((colours[k], how) for k, how in side.get(key, ()))) for side in sides
        )
        for key in colours
    }


def _split(
    colours: tuple[Colours, Colours], ours: Labels, theirs: Labels
) -> tuple[Colours, Colours]:
    """Split each colour by labels, where both models have equally many of a label.

    The others keep their colour, so one difference between the models does not make all differ.
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
    """Number the labels, equal labels of both models alike."""
    numbers: dict[Hashable, int] = {}
    first, second = (
        {key: numbers.setdefault(label, len(numbers)) for key, label in labels.items()}
        for labels in (ours, theirs)
    )
    return first, second


def _count(colours: tuple[Colours, Colours]) -> int:
    return len({*colours[0].values(), *colours[1].values()})
