"""Rearrange: einops' notation, read once and written as plain calls of torch."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mimgraph.catalogue import OpFault, bad_option, layer, same_size
from mimgraph.ir.code import Code
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import INPUT, Lowering
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.layers.flatten import flattened
from mimgraph.layers.reshape import divided, moved, product

Group = tuple[str, ...]  # the names that an axis is made of; none for "1"

_WORD = re.compile(r"\s*(?:(?P<name>[A-Za-z]\w*)|(?P<mark>[()]|1(?!\w)))", re.ASCII)


@layer()
def Rearrange(
    input: TensorType,
    /,
    pattern: str,
    sizes: dict[str, Size] = {},  # noqa: B006 - never changed
) -> Lowering:
    """Axes split, moved and joined as einops writes it: "n c h w -> n (h w) c"."""
    left, right = _read(pattern)
    _check(input, left, right, sizes)
    extents, requires = _extents(input, left, sizes)
    view = View(INPUT, left)
    for group in left:
        if group not in right:
            view.split(group, [extents[name] if name in sizes else -1 for name in group])
    for group in right:  # what stands side by side already is joined before it is moved
        view.join(group)
    view.move(right)
    for group in right:
        view.join(group)
    view.add_ones(right)
    shape = [product(extents[name] for name in group) for group in right]
    return Lowering(moved(input, *shape[input.batched :]), call=view.code, requires=requires)


class View:
    """A tensor on its way: the code so far, and what each axis is made of."""

    def __init__(self, code: Code, axes: list[Group]) -> None:
        self.code = code
        self.axes = list(axes)

    def split(self, group: Group, sizes: list[Size]) -> None:
        """Give each name of an axis an axis of its own; an axis of none is dropped."""
        index = self.axes.index(group)
        if not group:
            self.code = self.code.method("squeeze", index)
        elif len(group) > 1:
            if -1 not in sizes:
                sizes[0] = -1
            self.code = self.code.method("unflatten", index, tuple(sizes))
        self.axes[index : index + 1] = [(name,) for name in group]

    def join(self, group: Group) -> None:
        """Make one axis of the names of a group, if they stand side by side."""
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
        if () in self.axes:
            return
        for index, group in enumerate(groups):
            if not group:
                self.code = self.code.method("unsqueeze", index)


def _read(pattern: str) -> tuple[list[Group], list[Group]]:
    """The groups on both sides of the arrow."""
    sides = pattern.split("->")
    if len(sides) != 2:
        raise bad_option("pattern", 'a pattern has two sides: "n c h w -> n (h w) c"')
    left, right = (list(_groups(side)) for side in sides)
    return left, right


def _groups(side: str) -> Iterator[Group]:
    """The axes of one side, in parentheses those that are joined."""
    position = 0
    opened: list[str] | None = None
    while side[position:].strip():
        match = _WORD.match(side, position)
        if match is None:
            raise bad_option("pattern", f"a pattern has no {side[position:].lstrip()[0]!r}")
        position = match.end()
        name, mark = match["name"], match["mark"]
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
            opened.append(name)
    if opened is not None:
        raise bad_option("pattern", "a parenthesis of the pattern is not closed")


def _check(
    input: TensorType, left: list[Group], right: list[Group], sizes: dict[str, Size]
) -> None:
    """Each axis stands once on each side, and the batch stays where it is."""
    names = [name for group in left for name in group]
    if len(set(names)) != len(names) or sorted(names) != sorted(n for g in right for n in g):
        raise bad_option("pattern", "a pattern names each axis once on each side")
    unknown = next((name for name in sizes if name not in names), None)
    if unknown is not None:
        raise bad_option("sizes", f"the pattern has no axis {unknown}")
    if len(left) != input.rank:
        raise OpFault("rank-mismatch", f"the pattern takes {len(left)} axes", note=str(input))
    if input.batched and (len(left[0]) != 1 or right[0] != left[0]):
        raise bad_option("pattern", "the batch must stay the first axis alone")


def _extents(
    input: TensorType, left: list[Group], sizes: dict[str, Size]
) -> tuple[dict[str, Size], tuple[Constraint, ...]]:
    """The size of each name, and what must hold for it to be whole."""
    extents = dict(sizes)
    requires: list[Constraint] = []
    for group, size in zip(left, input.shape, strict=True):
        unknown = [name for name in group if name not in sizes]
        given = product(sizes[name] for name in group if name in sizes)
        if len(unknown) > 1:
            message = f"the pattern leaves {' and '.join(unknown)} open"
            raise bad_option("pattern", message, "give all but one of them in sizes")
        if not unknown and not same_size(given, size):
            written = group[0] if len(group) == 1 else f"({' '.join(group)})" if group else "1"
            raise bad_option("pattern", f"the pattern makes {written} {given}, not {size}")
        if unknown:
            quotient = divided(size, given)
            if quotient is None:
                raise bad_option(
                    "pattern", f"the pattern splits {size}, which is no multiple of {given}"
                )
            extents[unknown[0]], needed = quotient
            requires += needed
    return extents, tuple(requires)
