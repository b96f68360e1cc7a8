"""Express the sizes that several traces have by the named sizes of the inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations_with_replacement

from mimgraph.ir.dim import Dim, Size, symbol, symbols

BATCH = "N"
MOST_DIVISOR = 64  # of a size such as (T - 3) // 2 + 1


class Sizes:
    """Finds an expression for the numbers that stand at one place in every trace.

    `named` has for each name, the batch `N` too, its number in each trace. At least three traces tell
    a sum from a product.
    """

    def __init__(self, named: Mapping[str, Sequence[int]]) -> None:
        self.named = {name: tuple(numbers) for name, numbers in named.items()}
        self.count = len(next(iter(self.named.values())))
        self._found: dict[tuple[int, ...], Size] = {}
        self._unknown = 0

    def of(self, numbers: Sequence[int]) -> Size:
        """Return the number if it is the same in every trace, else an expression.

        A size that no simple expression gives is a symbol of its own, which `is_unknown` recognises.
        """
        key = tuple(numbers)
        if len(set(key)) == 1:
            return key[0]
        if key not in self._found:
            self._found[key] = next(self._candidates(key), None) or self._new()
        return self._found[key]

    def _new(self) -> Dim:
        self._unknown += 1
        return symbol(f"_{self._unknown}")

    def _candidates(self, key: tuple[int, ...]) -> Iterator[Size]:
        """Yield the expressions that have these numbers, the simplest first."""
        for name, numbers in self.named.items():
            if numbers == key:
                yield symbol(name)
        bases = [*self._bases()]
        for base, numbers in bases:
            line = _line(numbers, key)
            if line is not None:
                factor, offset = line
                yield base * factor + offset
        for base, numbers in bases:
            for divisor in range(2, MOST_DIVISOR):
                for shift in range(-divisor, divisor + 1):
                    parts = tuple((number + shift) // divisor for number in numbers)
                    line = _line(parts, key)
                    if line is not None and line[0] == 1 and abs(line[1]) <= 2:
                        yield (base + shift) // divisor + line[1]

    def _bases(self) -> Iterator[tuple[Size, tuple[int, ...]]]:
        """Yield the named sizes and the products of two of them, with their numbers."""
        for name, numbers in self.named.items():
            yield symbol(name), numbers
        for one, two in combinations_with_replacement(self.named.items(), 2):
            numbers = tuple(a * b for a, b in zip(one[1], two[1], strict=True))
            yield symbol(one[0]) * symbol(two[0]), numbers
        for one, two in combinations_with_replacement(self.named.items(), 2):
            if one is not two and one[0] != BATCH:
                numbers = tuple(a + b for a, b in zip(one[1], two[1], strict=True))
                yield symbol(one[0]) + symbol(two[0]), numbers


def _line(xs: Sequence[int], ys: Sequence[int]) -> tuple[int, int] | None:
    """Return the whole factor and offset of a line through the points; None if there is none."""
    (x0, x1), (y0, y1) = xs[:2], ys[:2]
    if x0 == x1 or (y1 - y0) % (x1 - x0):
        return None
    factor = (y1 - y0) // (x1 - x0)
    offset = y0 - factor * x0
    fits = all(factor * x + offset == y for x, y in zip(xs, ys, strict=True))
    return (factor, offset) if fits and factor > 0 else None


def is_unknown(size: Size) -> bool:
    """Return whether a size changes with the inputs in a way that no simple expression gives."""
    return any(name.startswith("_") for name in symbols(size))
