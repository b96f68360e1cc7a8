"""Define Rearrange and Reduce, which translate einops' notation to plain calls of torch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod
from typing import Literal

from mimgraph.ir.code import Code, Tuple, named_constant
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import INPUT, Lowering
from mimgraph.ir.names import param_fault
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.ops.layer_call import layer
from mimgraph.ops.layers.reduction import reduced_dtype
from mimgraph.ops.layers.reshape import flattened
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import bad_option, divided, reshaped, same_size

MAX_LENGTH = 1_000  # characters of a pattern

Group = tuple[str, ...]  # the names whose product an axis is; none for "1"

_WORD = re.compile(
    r"\s*(?:(?P<name>[A-Za-z]\w*|\.\.\.)|(?P<number>\d{1,18}(?!\w))|(?P<mark>[()]))", re.ASCII
)
_REST, _JOINED_REST = "...", "(...)"  # an ellipsis by itself, and one in parentheses


@layer(family="rearrange")
def Rearrange(
    input: TensorType,
    /,
    pattern: str,
    sizes: dict[str, Size] = {},  # noqa: B006 - never changed
) -> Lowering:
    """Axes split, moved and joined in einops' notation: "n c h w -> n (h w) c".

    Rogozhnikov 2022. `sizes` gives the sizes that the pattern leaves open; `...` is any number of
    axes, `1` an axis of size 1.

    Example:
        tokens: [T, 64]
        {layer: Rearrange, from: tokens, pattern: "n t (h c) -> n h t c", sizes: {h: 4}}
    """
    left, right = _read(input, pattern)
    if odd := sorted(set(_names(left)) ^ set(_names(right))):
        which = ", ".join(name.partition(".")[0] for name in odd)
        message = "a pattern names each axis once on each side"
        raise bad_option("pattern", message, f"only on one side: {which}")
    view, shape, requires = _view(input, left, right, sizes, None)
    return Lowering(
        reshaped(input, *shape),
        call=view.code,
        requires=requires,
        makes=None if view.is_copy else (),
        scatters=view.is_moved,
        gathers=view.is_joined,
    )


@layer(family="rearrange")
def Reduce(
    input: TensorType,
    /,
    pattern: str,
    reduction: Literal["mean", "sum", "max", "min", "prod"],
    sizes: dict[str, Size] = {},  # noqa: B006 - never changed
) -> Lowering:
    """As Rearrange, and reduces the axes that only the left side has: "n c h w -> n c".

    Rogozhnikov 2022. Instead of a name such an axis may have its size, a number.

    Example:
        image: [3, 32, 32]
        {layer: Reduce, from: image, pattern: "n c (h 2) (w 2) -> n c h w", reduction: max}
    """
    left, right = _read(input, pattern, numbers=True)
    if not set(_names(right)) <= set(_names(left)):
        raise bad_option("pattern", "the right side has an axis that is not on the left")
    dtype = reduced_dtype(input, reduction.capitalize(), "Reduce")
    view, shape, requires = _view(input, left, right, sizes, reduction)
    return Lowering(input.in_shape(*shape, dtype=dtype), call=view.code, requires=requires)


def _view(
    input: TensorType,
    left: list[Group],
    right: list[Group],
    sizes: dict[str, Size],
    reduction: str | None,
) -> tuple[View, list[Size], tuple[Constraint, ...]]:
    """Return the rearranged input, its shape, and the constraints on it."""
    sizes = sizes | {n: int(n.partition(".")[0]) for n in _names(left) if n[0].isdigit()}
    extents, requires = _extents(input, left, sizes)
    kept = set(_names(right))
    view = View(INPUT, left)
    for group in left:
        if group not in right and kept.intersection(group):
            view.split(group, [extents[name] if name in sizes else -1 for name in group])
    if reduction is not None:
        view.reduce(reduction, kept)
    view.drop_ones()
    split = view.code
    for group in right:  # axes that are neighbours already are joined before they are moved
        view.join(group)
    view.is_joined = view.code is not split
    joined = view.code
    view.move(right)
    in_place = view.code
    for group in right:
        view.join(group)
    view.is_moved, view.is_copy = in_place is not joined, view.code is not in_place
    view.add_ones(right)
    shape = [prod(extents[name] for name in group) for group in right]
    return view, shape, requires


def _argument(name: str) -> str:
    """Return a name in a pattern if it may be the name of an argument, else ""."""
    return name if param_fault(name) is None else ""


class View:
    """A tensor being rearranged: the code so far, and the names in each axis."""

    def __init__(self, code: Code, axes: list[Group]) -> None:
        self.code = code
        self.axes = list(axes)
        self.is_joined = self.is_moved = self.is_copy = False

    def split(self, group: Group, sizes: list[Size]) -> None:
        """Split an axis into one for each of its names."""
        index = self.axes.index(group)
        if len(group) > 1:
            if -1 not in sizes:
                sizes[0] = -1
            # a class that is used with several sizes calls its argument by the name in the pattern
            named = (named_constant(_argument(n), s) for n, s in zip(group, sizes, strict=True))
            self.code = self.code.method("unflatten", index, Tuple(tuple(named)))
        self.axes[index : index + 1] = [(name,) for name in group]

    def reduce(self, reduction: str, kept: set[str]) -> None:
        """Reduce the axes that have none of the names in `kept`."""
        gone = [i for i, axis in enumerate(self.axes) if axis and not kept.intersection(axis)]
        if reduction == "prod":  # torch's takes one axis
            for index in reversed(gone):
                self.code = self.code.method("prod", index)
        elif gone:
            method = {"max": "amax", "min": "amin"}.get(reduction, reduction)
            self.code = self.code.method(method, gone[0] if len(gone) == 1 else tuple(gone))
        self.axes = [axis for i, axis in enumerate(self.axes) if i not in gone]

    def drop_ones(self) -> None:
        """Drop the axes that have no name."""
        for index in reversed(range(len(self.axes))):
            if not self.axes[index]:
                self.code = self.code.method("squeeze", index)
                del self.axes[index]

    def join(self, group: Group) -> None:
        """Join the axes of a group, if they are neighbours."""
        singles = [(name,) for name in group]
        for start in range(len(self.axes)):
            if len(group) > 1 and self.axes[start : start + len(group)] == singles:
                end = start + len(group) - 1
                last = end == len(self.axes) - 1
                self.code = flattened(self.code, start, -1 if last else end)
                self.axes[start : end + 1] = [group]

    def move(self, groups: list[Group]) -> None:
        """Bring the axes into the order of the groups."""
        wanted: list[Group] = []
        for group in filter(None, groups):
            wanted += [group] if group in self.axes else [(name,) for name in group]
        order = [self.axes.index(axis) for axis in wanted]
        displaced = [index for index, origin in enumerate(order) if index != origin]
        if len(displaced) == 2:
            self.code = self.code.method("transpose", *displaced)
        elif displaced:
            self.code = self.code.method("permute", *order)
        self.axes = wanted

    def add_ones(self, groups: list[Group]) -> None:
        """Insert an axis of size 1 for each group without names."""
        for index, group in enumerate(groups):
            if not group:
                self.code = self.code.method("unsqueeze", index)


def _read(
    input: TensorType, pattern: str, numbers: bool = False
) -> tuple[list[Group], list[Group]]:
    """Parse a pattern into the groups of its two sides, and check them against the input.

    With `numbers`, an axis on the left may be a number, its size.
    """
    if len(pattern) > MAX_LENGTH:
        message = f"a pattern of more than {MAX_LENGTH:,} characters"
        raise OpFault("too-large", message, option="pattern")
    sides = pattern.split("->")
    if len(sides) != 2:
        raise bad_option("pattern", 'a pattern has two sides: "n c h w -> n (h w) c"')
    left, right = list(_groups(sides[0], numbers)), list(_groups(sides[1]))
    left, right = _without_rest(input, left, right)
    for names in (_names(left), _names(right)):
        if len(set(names)) != len(names):
            raise bad_option("pattern", "a pattern names each axis once on each side")
    if len(left) != input.rank:
        raise OpFault("rank-mismatch", f"the pattern takes {len(left)} axes", note=str(input))
    _check_batch(input, left, right)
    return _with_named_ones(left, right)


def _check_batch(input: TensorType, left: list[Group], right: list[Group]) -> None:
    """Refuse to split the batch, to join it with another axis, or to reduce it unless another axis
    is the batch as well."""
    axes = input.batch_axes
    if axes:
        batch = left[axes[0]]
        is_reduced = not set(batch).intersection(_names(right)) and len(axes) > 1
        if len(batch) != 1 or (batch not in right and not is_reduced):
            raise bad_option("pattern", "the batch must stay an axis of its own")


def _names(groups: list[Group]) -> list[str]:
    """Return the names in the groups, in order."""
    return [name for group in groups for name in group]


def _without_rest(
    input: TensorType, left: list[Group], right: list[Group]
) -> tuple[list[Group], list[Group]]:
    """Replace each ellipsis by as many names as the input has axes for it."""
    if _JOINED_REST in _names(left):
        raise bad_option("pattern", "an ellipsis on the left is not in parentheses")
    if (_REST,) not in left and {_REST, _JOINED_REST}.intersection(_names(right)):
        raise bad_option("pattern", "the left side has no ellipsis")
    count = input.rank - len(left) + 1
    if (_REST,) in left and count < 0:
        raise OpFault("rank-mismatch", f"the pattern takes {len(left) - 1} axes", note=str(input))
    names = tuple(f"...{number}" for number in range(count))
    found = []
    for side in (left, right):
        spread: list[Group] = []
        for group in side:
            if group == (_REST,):
                spread += [(name,) for name in names]
            elif _JOINED_REST in group:
                index = group.index(_JOINED_REST)
                spread.append((*group[:index], *names, *group[index + 1 :]))
            else:
                spread.append(group)
        found.append(spread)
    return found[0], found[1]


def _with_named_ones(left: list[Group], right: list[Group]) -> tuple[list[Group], list[Group]]:
    """Name each 1 that is on both sides, so that it is moved like any other axis."""
    count = min(left.count(()), right.count(()))
    found = []
    for side in (left, right):
        names = iter([(f"1.{number}",) for number in range(count)])
        found.append([group or next(names, ()) for group in side])
    return found[0], found[1]


def _groups(side: str, numbers: bool = False) -> Iterator[Group]:
    """Yield the axes of one side; names in parentheses are one group.

    A number other than 1 gets its position as part of its name, since each is another axis.
    """
    position = 0
    opened: list[str] | None = None
    while side[position:].strip():
        match = _WORD.match(side, position)
        if match is None:
            raise bad_option("pattern", f"a pattern cannot contain {side[position:].lstrip()[0]!r}")
        name, mark, number = match["name"], match["mark"], match["number"]
        if number is not None and int(number) != 1:
            if not numbers or int(number) == 0:
                raise bad_option("pattern", f"an axis cannot be {number} here")
            name = f"{int(number)}.{position}"
        position = match.end()
        if mark in ("(", ")") and (mark == "(") == (opened is not None):
            raise bad_option("pattern", "the parentheses of a pattern do not match or are nested")
        if mark == "(":
            opened = []
        elif mark == ")":
            yield tuple(opened or ())
            opened = None
        elif opened is None:
            yield (name,) if name else ()
        elif name:
            opened.append(_JOINED_REST if name == _REST else name)
    if opened is not None:
        raise bad_option("pattern", "a parenthesis of the pattern is not closed")


def _extents(
    input: TensorType, left: list[Group], sizes: dict[str, Size]
) -> tuple[dict[str, Size], tuple[Constraint, ...]]:
    """Return the size of each name, and the constraints under which sizes divide evenly."""
    names = _names(left)
    stray = next((name for name in sizes if name not in names), None)
    if stray is not None:
        raise bad_option("sizes", f"the pattern has no axis {stray}")
    extents = dict(sizes)
    requires: list[Constraint] = []
    for group, size in zip(left, input.shape, strict=True):
        unknown = [name for name in group if name not in sizes]
        given = prod(sizes[name] for name in group if name in sizes)
        if len(unknown) > 1:
            message = f"the pattern leaves the sizes of {' and '.join(unknown)} open"
            raise bad_option("pattern", message, "give all but one of them in sizes")
        if not unknown and not same_size(given, size):
            written = " ".join(name.partition(".")[0] for name in group) or "1"
            written = f"({written})" if len(group) > 1 else written
            raise bad_option("pattern", f"the pattern makes {written} {given}, not {size}")
        if unknown:
            quotient = divided(size, given)
            if quotient is None:
                raise bad_option(
                    "pattern", f"the pattern splits {size}, which is not a multiple of {given}"
                )
            extents[unknown[0]], needed = quotient
            requires += needed
    return extents, tuple(requires)
