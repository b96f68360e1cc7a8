"""Describe a tensor of the spec, in Keras' order of axes and in ours, and the weights of a node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np

Array: TypeAlias = "np.ndarray[Any, Any]"


class Length:
    """A size that the file leaves open; lengths that must be equal are one."""

    def __init__(self) -> None:
        self._same: Length | int | None = None

    def known(self) -> Length | int:
        """Return the length that stands for all that are equal, or their size."""
        end: Length | int = self
        while isinstance(end, Length) and end._same is not None:
            end = end._same
        return end

    def equal(self, other: Length | int) -> None:
        """Note that this length is the same as another one, or is a size."""
        mine = self.known()
        other = other.known() if isinstance(other, Length) else other
        if isinstance(mine, Length) and mine is not other:
            mine._same = other
        elif isinstance(other, Length) and not isinstance(mine, Length):
            other._same = mine


Size = int | Length | None  # None: computed from a length


def size(given: Size) -> Size:
    """Return the size, as a number if it is known by now."""
    return given.known() if isinstance(given, Length) else given


class Value(NamedTuple):
    """A tensor: where the spec computes it, and how its axes differ from those in Keras.

    `shape` is in Keras' order, without the batch. Keras has the channels last; here they are at axis
    `channel`, if it is given. `order` belongs to a flat tensor whose features come from axes with the
    channels first: a group of sizes in Keras' order for each part, of which one size is not moved.
    """

    source: str
    shape: tuple[Size, ...]
    dtype: str = "float32"
    channel: int | None = None
    order: tuple[tuple[int, ...], ...] | None = None
    mask: str | None = None  # the source of a bool tensor (N, T), true at the steps that count

    @property
    def rank(self) -> int:
        """The number of axes with the batch."""
        return len(self.shape) + 1

    @property
    def axes(self) -> list[int]:
        """Keras' axis at each of our axes."""
        return arranged(self.rank, self.channel)

    def axis(self, theirs: int) -> int:
        """Return our number of an axis of Keras, negative if it is the last of both."""
        if theirs in (-1, self.rank - 1) and self.channel is None:
            return -1
        return self.axes.index(theirs % self.rank)

    def size(self, theirs: int) -> Size:
        """Return the size of an axis of Keras, counted from the batch as 0 or from the end."""
        return size(self.shape[theirs if theirs < 0 else theirs - 1])

    @property
    def ours(self) -> list[Size]:
        """The shape in our order, without the batch."""
        return [size(self.shape[axis - 1]) for axis in self.axes[1:]]


def arranged(rank: int, channel: int | None) -> list[int]:
    """Return Keras' axis at each of our axes, where the channels are at `channel`."""
    axes = list(range(rank - 1))
    axes.insert(rank - 1 if channel is None else channel, rank - 1)
    return axes


class Weight(NamedTuple):
    """A tensor of our state_dict, made of arrays of the file, or of none.

    `is_theirs` is false for one that Keras does not have, made in the shape of one that it has.
    """

    paths: tuple[str, ...]
    make: Callable[..., Array]
    is_theirs: bool = True


def prefixed(prefix: str, weights: Mapping[str, Weight]) -> dict[str, Weight]:
    """Return the weights with a prefix before each key; a tensor of the model itself has no key."""
    return {f"{prefix}.{key}" if key else prefix: weight for key, weight in weights.items()}


def features(order: tuple[tuple[int, ...], ...]) -> Array:
    """Return for each of our features the number of the same feature in Keras."""
    import numpy as np

    parts, start = [], 0
    for sizes in order:
        part = np.arange(start, start + int(np.prod(sizes, dtype=np.int64))).reshape(sizes)
        parts.append(np.moveaxis(part, -1, 0).reshape(-1))
        start += part.size
    return np.concatenate(parts)
