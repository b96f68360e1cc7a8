"""The padding of windows: TensorFlow's "same", which may be longer at the end."""

from __future__ import annotations

from mimgraph.importer.foreign.keras.options import Layer
from mimgraph.importer.foreign.keras.value import Size


def same(
    owner: Layer, sizes: list[Size], windows: list[int], strides: list[int]
) -> list[tuple[int, int]]:
    """Return the zeros before and after each axis, so that the result has `ceil(size / stride)` steps."""
    found = []
    for one, window, stride in zip(sizes, windows, strides, strict=True):
        if stride < 1 or window < 1:
            owner.refuse("bad-option", "a window or stride is below 1")
        if stride == 1:
            total = window - 1
        elif isinstance(one, int):
            total = max((-(-one // stride) - 1) * stride + window - one, 0)
        else:
            help = "give the model an Input with all sizes, and save it again"
            message = "its padding 'same' with a stride depends on a size that the file leaves open"
            owner.refuse("symbolic-size", message, help)
        found.append((total // 2, total - total // 2))
    return found


def windows(kernel: list[int], dilation: list[int]) -> list[int]:
    """Return how far each window reaches."""
    return [(size - 1) * step + 1 for size, step in zip(kernel, dilation, strict=True)]


def steps(one: Size, window: int, stride: int, padding: int) -> Size:
    """Return the number of steps of a window along an axis."""
    if isinstance(one, int) and stride > 0:
        return (one + padding - window) // stride + 1
    return one if stride == 1 and padding == window - 1 else None


def short(numbers: list[int]) -> int | list[int]:
    """Return one number for equal ones, as torch takes it."""
    return numbers[0] if len({*numbers}) == 1 else numbers


def pad_list(pairs: list[tuple[int, int]]) -> list[int]:
    """Return pairs by axis as torch's `pad` lists them, the last axis first."""
    return [number for pair in reversed(pairs) for number in pair]
