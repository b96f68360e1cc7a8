"""Find the axes of an example batch that are lengths: those at which the model runs with another size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from mimgraph.importer.inputs.model import ForwardInputs, ModelInput, Size, size_names, size_value

_NAMES = ("T", "S", "L", "U", "V")

Runs = Callable[[ForwardInputs, Mapping[str, int]], bool]
"""Whether a model runs with inputs of these sizes."""


class Candidate(NamedTuple):
    """Inputs whose axis 1 has this size, and which may be of any length."""

    size: int
    names: tuple[str, ...]


class Lengths(NamedTuple):
    """Inputs with names for their lengths, and the sizes that these have in the example."""

    given: ForwardInputs
    sizes: dict[str, int]


def candidates(given: ForwardInputs) -> tuple[Candidate, ...]:
    """Return the axes that may be lengths: axis 1 of integers, bools, and floats of rank 3."""
    found: dict[int, list[str]] = {}
    for one in given.inputs:
        if one.example is not None and one.shape and isinstance(one.shape[0], int):
            rank = one.example.ndim
            if rank == 3 or not (one.example.is_floating_point() or one.example.is_complex()):
                found.setdefault(one.shape[0], []).append(one.name)
    return tuple(Candidate(size, tuple(names)) for size, names in found.items())


def find_lengths(given: ForwardInputs, runs: Runs) -> Lengths:
    """Return the inputs with names for the axes at which the model runs with another size.

    Axes of equal size are tried together, and if that fails one by one.
    """
    found = Lengths(given, _example_sizes(given))
    for candidate in candidates(given):
        alone = [candidate._replace(names=(name,)) for name in candidate.names]
        for one in [candidate] if len(alone) == 1 else [candidate, *alone]:
            tried = _named(found, one)
            if runs(tried.given, {**tried.sizes, **_other(found, tried)}):
                found = tried
                if one is candidate:
                    break
    return found


def _named(lengths: Lengths, candidate: Candidate) -> Lengths:
    """Return the inputs with one name for the axes of a candidate."""
    given = lengths.given
    taken = {*size_names(given.inputs), *(one.name for one in given.inputs)}
    name = next(name for name in _names() if name not in taken)
    inputs = tuple(
        one._replace(shape=(name, *one.shape[1:])) if one.name in candidate.names else one
        for one in given.inputs
    )
    return Lengths(given._replace(inputs=inputs), {**lengths.sizes, name: candidate.size})


def _names() -> Iterator[str]:
    yield from _NAMES
    n = 2
    while True:
        yield f"T{n}"
        n += 1


def _other(before: Lengths, after: Lengths) -> dict[str, int]:
    """Return another size for the name that is new: a smaller one, as there may be a greatest."""
    ((name, size),) = after.sizes.items() - before.sizes.items()
    return {name: size - 1 if size > 2 else size + 1}


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
