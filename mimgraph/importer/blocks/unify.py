"""Find equal bodies, bottom up, and make one block of each kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from mimgraph.importer.blocks.names import block_names
from mimgraph.importer.blocks.params import parametrise
from mimgraph.importer.blocks.patterns import name_sizes
from mimgraph.importer.blocks.repeats import make_repeats
from mimgraph.importer.blocks.slots import structure
from mimgraph.importer.draft import Body, Use, inner_nodes, used_bodies
from mimgraph.importer.names import name_body


def make_blocks(root: Body, tidy: bool = False) -> dict[str, Body]:
    """Return a body for each block by its key, those that others use first; uses get the keys.

    With `tidy` the keys of weights may change, so that more is repeated. The uses of a block get their arguments before the bodies around them are compared.
    """
    blocks = _Blocks(root)
    for bodies in _by_height(root):
        for body in bodies:
            make_repeats(body, blocks.members, tidy)
            if body is not root:
                blocks.uses[id(body)].arguments = name_sizes(body)
            name_body(body)
        if root not in bodies:
            blocks.add(bodies)
    return blocks.named()


@dataclass(eq=False)
class _Blocks:
    """The blocks that were found so far, each the list of its equal bodies."""

    root: Body
    groups: list[list[Body]] = field(default_factory=list)
    _numbers: dict[int, int] = field(default_factory=dict)
    uses: dict[int, Use] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for body in used_bodies(self.root):
            for use in _uses(body):
                self.uses[id(use.body)] = use

    def number(self, body: Body) -> int:
        """Return the number of the block that a body is."""
        return self._numbers[id(body)]

    def members(self, body: Body) -> list[Body]:
        """Return the bodies that are the same block as a body."""
        return self.groups[self.number(body)]

    def add(self, bodies: list[Body]) -> None:
        """Make blocks of bodies that use only blocks that are known."""
        equal = defaultdict[Hashable, list[Body]](list)
        for body in bodies:
            equal[structure(body, self.number)].append(body)
        for group in equal.values():
            for body in group:
                self._numbers[id(body)] = len(self.groups)
            self.groups.append(group)
            for body, arguments in zip(group, parametrise(group), strict=True):
                self.uses[id(body)].arguments |= arguments

    def named(self) -> dict[str, Body]:
        """Return the blocks by their keys, and write these and the arguments that differ from the
        defaults at each use."""
        keys = block_names(self.groups)
        for body in used_bodies(self.root):
            for use in _uses(body):
                use.block = keys[self.number(use.body)]
                defaults = self.groups[self.number(use.body)][0].params
                use.arguments = {
                    name: value
                    for name, value in use.arguments.items()
                    if repr(value) != repr(defaults[name])
                }
        return {key: group[0] for key, group in zip(keys, self.groups, strict=True)}


def _uses(body: Body) -> Iterator[Use]:
    for node in inner_nodes(body.nodes):
        if isinstance(node.operation, Use):
            yield node.operation


def _by_height(root: Body) -> list[list[Body]]:
    """Return the bodies in groups, each after those that it uses."""
    heights: dict[int, int] = {}
    groups = defaultdict[int, list[Body]](list)
    for body in used_bodies(root):
        heights[id(body)] = 1 + max((heights[id(use.body)] for use in _uses(body)), default=0)
        groups[heights[id(body)]].append(body)
    return [groups[height] for height in sorted(groups)]
