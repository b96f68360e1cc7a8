"""Find the input axes whose size can be symbolic: the model also runs with another size there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import chain, combinations, count
from typing import NamedTuple, TypeAlias

from mimgraph.importer.inputs.model import ForwardInputs, ModelInput, Size, size_names, size_value

LENGTHS = ("T", "S", "L", "U", "V", "K")
MOST_PAIRED = 16  # axes of equal size, each pair of which takes two runs of the model
SIDES = ("H", "W", "D")  # of images, from axis 2 on

_Place: TypeAlias = tuple[str, int]  # an input, and its axis without the batch
Runs = Callable[[ForwardInputs, Mapping[str, int]], bool]
"""Whether a model runs with inputs of these sizes."""


class Lengths(NamedTuple):
    """Inputs with names for their lengths, and the sizes that these have in the example."""

    given: ForwardInputs
    sizes: dict[str, int]


class FixedShape(NamedTuple):
    """The shape of an input as it was given, and with names for the sizes that the module leaves free."""

    input: str
    shape: tuple[Size, ...]
    free: tuple[Size, ...]


def find_lengths(given: ForwardInputs, runs: Runs) -> Lengths:
    """Return the inputs with names for the lengths of examples: axis 1 of integers, bools, and floats of
    rank 3, where the model runs with another size."""
    sizes = _example_sizes(given)
    numbers = {(one.name, 0): size for one in given.inputs for size in _lengths(one)}
    names = _free_names(given, numbers, runs, sizes)
    return Lengths(
        _resized(given, names), sizes | {name: numbers[place] for place, name in names.items()}
    )


def fixed_shapes(given: ForwardInputs, runs: Runs, sizes: Mapping[str, int]) -> list[FixedShape]:
    """Return the input shapes with fixed numbers although the model runs at other sizes.

    `sizes` are the values of the named sizes.
    """
    numbers = {
        (one.name, axis): size
        for one in given.inputs
        for axis, size in enumerate(one.shape)
        if isinstance(size, int)
    }
    freed = _resized(given, _free_names(given, numbers, runs, sizes))
    pairs = zip(given.inputs, freed.inputs, strict=True)
    return [FixedShape(a.name, a.shape, b.shape) for a, b in pairs if a.shape != b.shape]


def _lengths(one: ModelInput) -> Iterator[int]:
    """Yield the size of axis 1 of an example if it may be a length."""
    if one.example is not None and one.shape and isinstance(one.shape[0], int):
        is_float = one.example.is_floating_point() or one.example.is_complex()
        if one.example.ndim == 3 or not is_float:
            yield one.shape[0]


def _free_names(
    given: ForwardInputs, numbers: Mapping[_Place, int], runs: Runs, sizes: Mapping[str, int]
) -> dict[_Place, str]:
    """Return names for the axes at which the model runs with half or twice the size.

    Axes are tried one by one; then pairs of equal size, such as those of a text and its mask, and then all.
    """
    free, tried = list[tuple[_Place, ...]](), set[tuple[_Place, ...]]()
    for group in _groups(numbers):
        left = tuple(place for place in group if place not in chain(*free))
        if not left or left in tried:
            continue
        tried.add(left)
        size = numbers[left[0]]
        others = [other for other in (size // 2, size * 2) if other]
        if any(runs(_resized(given, dict.fromkeys(left, n)), sizes) for n in others):
            free.append(left)
    order, ranks = [*numbers], {one.name: len(one.shape) + 1 for one in given.inputs}
    names = dict[_Place, str]()
    for left in sorted(free, key=lambda places: order.index(places[0])):
        input, axis = left[0]
        taken = {*ranks, *size_names(given.inputs), *names.values()}
        names |= dict.fromkeys(left, size_name(axis + 1, ranks[input], taken))
    return names


def _groups(numbers: Mapping[_Place, int]) -> Iterator[tuple[_Place, ...]]:
    """Yield the axes that may have one name: each, pairs of equal size, and all of equal size."""
    for most in (1, 2, len(numbers)):
        for size in dict.fromkeys(numbers.values()):
            equal = [place for place in numbers if numbers[place] == size]
            if most != 2 or len(equal) <= MOST_PAIRED:
                yield from combinations(equal, min(most, len(equal)))


def _resized(given: ForwardInputs, sizes: Mapping[_Place, Size]) -> ForwardInputs:
    """Return the inputs with other sizes of some axes."""

    def shape(one: ModelInput) -> tuple[Size, ...]:
        return tuple(sizes.get((one.name, axis), size) for axis, size in enumerate(one.shape))

    return given._replace(inputs=tuple(one._replace(shape=shape(one)) for one in given.inputs))


def size_name(axis: int, rank: int, taken: Collection[str]) -> str:
    """Return a name that is not taken for the size of an axis, which tells what it is."""
    names = ("N",) if axis == 0 else SIDES if rank > 3 and axis > 1 else LENGTHS
    more = (f"{names[0]}{number}" for number in count(2))
    return next(name for name in chain(names, more) if name not in taken)


def _example_sizes(given: ForwardInputs) -> dict[str, int]:
    """Return the sizes that names which were given have in the example."""
    return {
        name: number
        for one in given.inputs
        if one.example is not None
        for size, at in zip(one.shape, one.example.shape[1:], strict=True)
        for name, number in _solved(one, size, at)
    }


def _solved(one: ModelInput, size: Size, at: int) -> Iterator[tuple[str, int]]:
    """Yield the name in a size with the number that makes it the size of the example."""
    for name in size_names([one._replace(shape=(size,))]):
        zero, first = (size_value(size, {name: n}) for n in (0, 1))
        yield name, (at - zero) // (first - zero)
