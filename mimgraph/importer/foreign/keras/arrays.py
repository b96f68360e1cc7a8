"""Convert arrays from Keras' layout to torch's."""

from __future__ import annotations

from typing import Any

from mimgraph.importer.foreign.keras.value import Array, Value, Weight, features


def rows(array: Array, value: Value) -> Array:
    """Return the rows in the order of our features of a flat value."""
    if value.order is None:
        return array
    width = 0
    for sizes in value.order:
        part = 1
        for one in sizes:
            part *= one
        width += part
    if width != array.shape[0]:
        raise ValueError(f"it has {array.shape[0]} rows for {width} features")
    return array[features(value.order)]


def linear(array: Array, value: Value) -> Array:
    """Return the weight of a Linear from the kernel of a Dense."""
    return rows(array, value).T


def convolution(array: Array) -> Array:
    """Return the weight of a convolution or its transpose: Keras has the two channels last."""
    return array.transpose(array.ndim - 1, array.ndim - 2, *range(array.ndim - 2))


def depthwise(array: Array) -> Array:
    """Return the weight of a convolution with a group for each channel."""
    axes = range(array.ndim - 2)
    moved = array.transpose(array.ndim - 2, array.ndim - 1, *axes)
    return moved.reshape(-1, 1, *moved.shape[2:])


def transposed(array: Array) -> Array:
    """Return the weight of a recurrent layer."""
    return array.T


def zeros(array: Array) -> Array:
    """Return zeros in place of a weight that Keras does not have, in the shape of one that it has."""
    return array * 0


def ones(array: Array) -> Array:
    """Return ones in place of a weight that Keras does not have, in the shape of one that it has."""
    return array * 0 + 1


def count() -> Array:
    """Return the number of batches that a normalisation has seen, which Keras does not keep."""
    import numpy as np

    return np.zeros((), np.int64)


COUNT = Weight((), count)


def kept(numbers: Any) -> Weight:
    """Return a weight with the numbers of the config, as nested lists."""

    def make() -> Array:
        import numpy as np

        return np.asarray(numbers, "float32")

    return Weight((), make)
