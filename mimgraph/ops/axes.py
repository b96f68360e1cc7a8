"""Share among the rules over one, two or three axes: windows of convolutions and pooling, padding."""

from __future__ import annotations

import inspect
import math
import re
import typing
from collections.abc import Callable, Iterable, Sequence
from functools import partial, reduce
from operator import or_
from types import GenericAlias, UnionType
from typing import Annotated, Any, TypeAlias, Union

from mimgraph.ir.dim import Dim, DimOverflow, Size, at_least
from mimgraph.ir.expression import plain
from mimgraph.ir.option_types import NonNegative, Positive
from mimgraph.ir.types import Constraint
from mimgraph.ops.op import OpFault, Rule
from mimgraph.ops.rule_helpers import bad_option

_ALTERNATIVES = re.compile(r"\{([^{}]*\|[^{}]*)\}")


def over_axes(*axes: int, register: Callable[[Rule], object]) -> Callable[[Rule], Rule]:
    """Register a rule once for each number of axes, which it takes as `axes`: `Conv` as Conv1d and Conv2d.

    The docstring lists what differs, `{one axis|two axes}`, and has an example for each. An option whose
    type differs is annotated by a function of the number of axes, which returns None if there is no such
    option. A layer over 0 axes takes any number: `Dropout`.
    """

    def decorate(rule: Rule) -> Rule:
        hints = typing.get_type_hints(rule, include_extras=True)
        parameters = inspect.signature(rule).parameters
        text, *examples = inspect.cleandoc(rule.__doc__ or "").split("\nExample:\n")
        for place, number in enumerate(axes):
            types = {name: _type_over(number, hints[name]) for name in hints if name != "axes"}
            own = [one for name, one in parameters.items() if types.get(name) is not None]
            words = _ALTERNATIVES.sub(partial(_alternative, place), text)
            made: Any = partial(rule, axes=number)
            made.__name__ = f"{rule.__name__}{number}d" if number else rule.__name__
            made.__module__ = rule.__module__
            made.__doc__ = "\n\nExample:\n".join([words.rstrip(), *examples[place : place + 1]])
            made.__annotations__ = types
            made.__signature__ = inspect.Signature(own)
            register(made)
        return rule

    return decorate


def _alternative(place: int, found: re.Match[str]) -> str:
    """Return what `{one axis|two axes}` says for the number of axes at this place."""
    return found[1].split("|")[place]


def _type_over(axes: int, hint: Any) -> Any:
    """Return the type of an option for one number of axes."""
    if typing.get_origin(hint) in (Union, UnionType):
        return reduce(or_, (_type_over(axes, one) for one in typing.get_args(hint)))
    depends = getattr(hint, "__metadata__", ())
    return depends[0](axes) if depends and callable(depends[0]) else hint


def each(item: Any, count: int) -> Any:
    """Return the type of a list of so many items."""
    return GenericAlias(tuple, (item,) * count)


def lone_or_each(item: Any, axes: int) -> Any:
    """Return the type of one value for all axes, or a list of one for each."""
    return item | each(item, axes)


# Types of options that depend on the number of axes, from which `over_axes` makes those of each layer.
Sizes: TypeAlias = Annotated[Any, partial(lone_or_each, Positive)]
Pads: TypeAlias = Annotated[Any, partial(lone_or_each, NonNegative)]
Sizes2: TypeAlias = Positive | tuple[Positive, Positive]
Pads2: TypeAlias = NonNegative | tuple[NonNegative, NonNegative]

SHAPES = {1: "(N, C, L)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}


def per_axis(value: Any, axes: int) -> tuple[Any, ...]:
    """Return one value for each axis of an option that may be one value for all."""
    return value if isinstance(value, tuple) else (value,) * axes


def slide(size: Size, kernel: int, stride: int, padding: int, dilation: int) -> Size:
    """Return the number of windows on an axis of that size; `padding` is the sum of both sides."""
    kernel, stride, dilation = int(kernel), int(stride), int(dilation)
    reach = dilation * (kernel - 1) + 1
    padded = plain(size) + padding if padding else plain(size)
    if isinstance(padded, int) and padded < reach:
        raise too_large(kernel, dilation, padded)
    return unless_same(size, (padded + (stride - reach)) // stride)


def too_large(kernel: int, dilation: int, padded: int) -> OpFault:
    """Return the fault of a kernel that does not fit even once."""
    dilated = f" with dilation {dilation}" if dilation > 1 else ""
    widest = max(padded - 1, 0) // dilation + 1
    return OpFault(
        "empty-output",
        f"kernel {kernel}{dilated} is larger than the padded input {padded}",
        help=f"a kernel of at most {widest} fits, or pad it first",
    )


def unless_same(size: Size, result: Size) -> Size:
    """Return `result`, or `size` if they are equal, which knows the expression it was written as."""
    return size if result == size else result


def scaled(size: Size, factor: float, option: str) -> Size:
    """Return `floor(size * factor)` as torch computes it, in floats.

    For a size that is a name the factor must be exact, a fraction with a small denominator.
    """
    product = float(factor) * (1 if isinstance(size, Dim) else size)
    if not math.isfinite(product):
        raise DimOverflow("a number of more than 64 bits")
    if not isinstance(size, Dim):
        return unless_same(size, int(product))
    numerator, denominator = factor.as_integer_ratio()
    if denominator > 1024:
        raise OpFault(
            "symbolic-size",
            f"{option} {factor} is not exact, so {size} must be a number",
            option=option,
            help="give this size in the input's shape, or a factor such as 0.5 or 1.25",
        )
    return size * numerator // denominator


def by_axis(sides: Sequence[int]) -> list[tuple[int, int]]:
    """Return torch's padding, which lists the last axis first, as pairs with the first axis first."""
    return [(int(sides[i]), int(sides[i + 1])) for i in range(len(sides) - 2, -1, -2)]


def padded_sizes(sizes: Iterable[Size], pads: Iterable[tuple[int, int]]) -> list[Size]:
    """Return the sizes with padding before and after each axis."""
    pairs = zip(sizes, pads, strict=True)
    return [unless_same(size, plain(size) + before + after) for size, (before, after) in pairs]


def check_pads(
    mode: str, sizes: Iterable[Size], pads: Iterable[tuple[int, int]], option: str = "padding"
) -> tuple[Constraint, ...]:
    """Refuse padding that copies or cuts more than an axis has, and return constraints; `pads` are
    before and after each axis."""
    requires = []
    for size, sides in zip(sizes, pads, strict=True):
        minimum = _least(mode, *sides)
        enough = at_least(size, minimum)
        if enough is False:
            raise bad_option(option, f"{mode} padding {sides} is too large for size {size}")
        if isinstance(size, Dim) and not enough:
            requires.append(Constraint(size, minimum=minimum))
    return tuple(requires)


def _least(mode: str, before: int, after: int) -> int:
    """Return the smallest size that can be padded in this way."""
    match mode:
        case "reflect":
            return max(before, after) + 1  # the border itself is not copied
        case "circular":
            return max(before, after)
        case "constant":
            return -min(before, 0) - min(after, 0)  # torch cuts before it pads
        case _:
            return 0
