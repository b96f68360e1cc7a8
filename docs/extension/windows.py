"""Write the formulas of windows with the numbers of an example: convolutions, pooling, padding, resizing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from extension.worked import Worked

_AXES = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}


def _spatial(example: Worked) -> list[tuple[str, int, int, Any]]:
    """Return the axes behind the channels: the letter, the place, the size before and the size after."""
    before = example.sources[0].shape[2:]
    after = next(iter(example.results.values())).shape[2:]
    letters = _AXES[len(before)]
    return [
        (letter, i, *sizes)
        for i, (letter, sizes) in enumerate(
            zip(letters, zip(before, after, strict=True), strict=True)
        )
    ]


def _at(value: Any, axis: int) -> Any:
    """Return the value of an axis of an option that may be one for all."""
    return value[axis] if isinstance(value, tuple) else value


def _lines(formula: str, numbers: dict[str, str]) -> Iterator[str]:
    """Yield the formula, and its numbers for each axis; equal ones once, `H' = W'`."""
    yield f"An axis of size `L` gets the size `{formula}`."
    by_text: dict[str, list[str]] = {}
    for letter, text in numbers.items():
        by_text.setdefault(text, []).append(letter)
    for text, letters in by_text.items():
        yield f"{', '.join(f'`{letter}`' for letter in letters)}: `{text}`"


def _windows(example: Worked) -> Iterator[str]:
    """Yield the number of windows that fit, of convolutions and pools."""
    options = example.node.options
    if isinstance(options.get("padding"), str):
        yield "`padding: same` keeps the size of every axis."
        return
    dilated, padded = "dilation" in options, "padding" in options
    reach = "dilation · (kernel_size - 1) - 1" if dilated else "kernel_size"
    top = f"L{' + 2 · padding' if padded else ''} - {reach}"
    numbers = {}
    for letter, axis, before, after in _spatial(example):
        kernel = _at(options["kernel_size"], axis)
        stride = _at(options.get("stride") or kernel, axis)
        pad = f" + 2 · {_at(options['padding'], axis)}" if padded else ""
        minus = f"{_at(options['dilation'], axis)} · ({kernel} - 1) - 1" if dilated else f"{kernel}"
        numbers[letter] = f"⌊({before}{pad} - {minus}) / {stride}⌋ + 1 = {after}"
    yield from _lines(f"⌊({top}) / stride⌋ + 1", numbers)
    if options.get("stride", 1) is None:
        yield "Without `stride` windows do not overlap: it is `kernel_size`."


def _transposed(example: Worked) -> Iterator[str]:
    options = example.node.options
    numbers = {}
    for letter, axis, before, after in _spatial(example):
        given = {name: _at(options[name], axis) for name in _TRANSPOSED}
        stride, pad, dilation, kernel, more = given.values()
        numbers[letter] = (
            f"({before} - 1) · {stride} - 2 · {pad} + {dilation} · ({kernel} - 1) + {more} + 1 = {after}"
        )
    yield from _lines(
        "(L - 1) · stride - 2 · padding + dilation · (kernel_size - 1) + output_padding + 1",
        numbers,
    )


_TRANSPOSED = ("stride", "padding", "dilation", "kernel_size", "output_padding")


def _unpooled(example: Worked) -> Iterator[str]:
    options = example.node.options
    if options["output_size"]:
        yield f"`output_size` selects {_by(options['output_size'])}, one of the sizes that pool to this."
        return
    numbers = {}
    for letter, axis, before, after in _spatial(example):
        kernel, pad = _at(options["kernel_size"], axis), _at(options["padding"], axis)
        stride = _at(options["stride"] or kernel, axis)
        numbers[letter] = f"({before} - 1) · {stride} - 2 · {pad} + {kernel} = {after}"
    yield from _lines("(L - 1) · stride - 2 · padding + kernel_size", numbers)


def _padded(example: Worked) -> Iterator[str]:
    options = example.node.options
    sides = options.get("padding", options.get("pad"))
    numbers = {}
    for letter, axis, before, after in _behind(example, sides):
        first, last = (sides, sides) if isinstance(sides, int) else sides[axis : axis + 2]
        numbers[letter] = f"{before} + {first} + {last} = {after}"
    yield from _lines("L + before + after", numbers)


def _behind(example: Worked, sides: Any) -> Iterator[tuple[str, int, int, Any]]:
    """Yield the axes behind the channels; the place is that of the first of its two sides."""
    found = _spatial(example)
    for letter, axis, before, after in found:
        yield letter, 2 * (len(found) - 1 - axis), before, after  # torch lists the last axis first


def _resized(example: Worked) -> Iterator[str]:
    options = example.node.options
    factor = options.get("scale_factor")
    if factor is None:
        yield f"The axes behind the channels get the sizes of `size`, {_by(options['size'])}."
        return
    numbers = {
        letter: f"⌊{before} · {_number(_at(factor, axis))}⌋ = {after}"
        for letter, axis, before, after in _spatial(example)
    }
    yield from _lines("⌊L · scale_factor⌋", numbers)


def _number(value: float) -> str:
    return f"{value:g}"


def _adapted(example: Worked) -> Iterator[str]:
    size = example.node.options["output_size"]
    if isinstance(size, tuple) and None in size:
        yield f"`output_size` is {_by(size)}; null keeps the size of an axis."
    else:
        yield f"Each axis behind the channels gets the size that `output_size` says, {_by(size)}."


def _fractional(example: Worked) -> Iterator[str]:
    options = example.node.options
    if options["output_size"] is not None:
        yield f"`output_size` is {_by(options['output_size'])}."
        return
    ratio = options["output_ratio"]
    numbers = {
        letter: f"⌊{before} · {_number(_at(ratio, axis))}⌋ = {after}"
        for letter, axis, before, after in _spatial(example)
    }
    yield from _lines("⌊L · output_ratio⌋", numbers)


def _unfolded(example: Worked) -> Iterator[str]:
    options = example.node.options
    kernel, stride = options["kernel_size"], options["stride"]
    _, channels, height, width = example.sources[0].shape
    columns = example.results[""].shape
    rows = [f"(⌊({size} - {kernel}) / {stride}⌋ + 1)" for size in (height, width)]
    yield f"A column holds one window of all channels: `{channels} · {kernel} · {kernel} = {columns[1]}`."
    yield f"There are as many columns as windows: `{' · '.join(rows)} = {columns[2]}`."


def _folded(example: Worked) -> Iterator[str]:
    kernel = example.node.options["kernel_size"]
    _, column, _ = example.sources[0].shape
    _, channels, height, width = example.results[""].shape
    yield f"A column holds one window of all channels: `{column} / ({kernel} · {kernel}) = {channels}`."
    yield f"`output_size` is {height} x {width}, which has as many windows as there are columns."


def _by(size: Any) -> str:
    """Return sizes as text: `24 x 32`."""
    if not isinstance(size, tuple):
        return str(size)
    return " x ".join("null" if one is None else str(one) for one in size)


Formula = Callable[[Worked], Iterator[str]]
# by a pattern of the names of ops
FORMULAS: dict[str, Formula] = {
    r"(Deform)?Conv\dd|(Max|Avg|LP)Pool\dd": _windows,
    r"ConvTranspose\dd": _transposed,
    r"MaxUnpool\dd": _unpooled,
    r"\w*Pad\dd|Pad": _padded,
    r"Interpolate|Upsample|Upsampling\w+": _resized,
    r"Adaptive\w+": _adapted,
    r"Fractional\w+": _fractional,
    "Unfold": _unfolded,
    "Fold": _folded,
}
