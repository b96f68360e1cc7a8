"""The values that a search may give a param: choices, integers or floats. Frozen."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mimgraph.source import Span


@dataclass(frozen=True, slots=True)
class Choices:
    """A list of values; `spans` are their places in the spec."""

    values: tuple[Any, ...]
    default: Any
    spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        return f"[{', '.join(map(written, self.values))}]"

    @property
    def size(self) -> int:
        """The number of values."""
        return len(self.values)

    def has(self, value: Any) -> bool:
        """Return whether a value is one of the choices: 1, 1.0 and true differ."""
        return any(is_same(value, one) for one in self.values)


@dataclass(frozen=True, slots=True)
class Integers:
    """The integers from `low` to `high`, both included, each `step` above the last.

    With `log` a sampler draws small ones as often as large ones.
    """

    low: int
    high: int
    default: int
    step: int = 1
    log: bool = False

    def __str__(self) -> str:
        return f"{self.low} to {self.high}{_how(self.step != 1 and self.step, self.log)}"

    @property
    def size(self) -> int:
        """The number of values."""
        return (self.high - self.low) // self.step + 1

    def has(self, value: Any) -> bool:
        """Return whether a value is one of the integers."""
        is_whole = type(value) is int and self.low <= value <= self.high
        return is_whole and (value - self.low) % self.step == 0


@dataclass(frozen=True, slots=True)
class Floats:
    """The numbers from `low` to `high`, both included; with a `step`, some of them.

    With `log` a sampler draws small ones as often as large ones.
    """

    low: float
    high: float
    default: float
    step: float | None = None
    log: bool = False

    def __str__(self) -> str:
        return f"{self.low} to {self.high}{_how(self.step, self.log)}"

    @property
    def size(self) -> float:
        """The number of values, infinite without a step."""
        if self.step is None:
            return 1 if self.low == self.high else math.inf
        return round((self.high - self.low) / self.step) + 1

    def has(self, value: Any) -> bool:
        """Return whether a value is one of the numbers."""
        if type(value) not in (int, float) or not self.low <= value <= self.high:
            return False
        return self.step is None or is_multiple(value - self.low, self.step)


Dimension: TypeAlias = Choices | Integers | Floats
Number: TypeAlias = int | float


def is_same(one: Any, other: Any) -> bool:
    """Return whether two plain values are equal, also in their types."""
    return type(one) is type(other) and repr(one) == repr(other)


def is_multiple(length: float, step: float) -> bool:
    """Return whether a length is some number of steps, but for rounding."""
    steps = length / step
    return abs(steps - round(steps)) < 1e-6


def _how(step: float | None, log: bool) -> str:
    """Return the words for the step and the scale: `, by 2`."""
    return (f" by {step}" if step else "") + (", log" if log else "")


def written(value: Any) -> str:
    """Return a value as YAML writes it, a text without quotes."""
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)
