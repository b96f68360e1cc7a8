"""Find the nodes around a block whose modules the block shares, `share: tokens`, by their names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from mimgraph.infer.dag import Edge
from mimgraph.ir.declared.graph import Block, Node, operations
from mimgraph.ir.declared.operations import Call, Share

MAX_NAMES = 100_000  # that all blocks together share or hand on

OuterShares = Mapping[str, Collection[str]]  # the names that each block shares, by its key


def shared_by(node: Node) -> Share | None:
    """Return the share of a node that uses another's module, on one source or on each of several."""
    return node.applied if isinstance(node.applied, Share) else None


def calls(nodes: Iterable[Node]) -> Iterable[Call]:
    """Return every block call in a body, also those in chains and in `each`."""
    return (operation for operation in operations(nodes) if isinstance(operation, Call))


def inner_blocks(blocks: Mapping[str, Block]) -> list[Edge]:
    """Return an edge from each block to each block that it uses."""
    return [
        (key, call.block)
        for key, block in blocks.items()
        for call in calls(block.nodes)
        if call.block in blocks
    ]


def shared_around(node: Node, outer: OuterShares) -> list[str]:
    """Return the names outside of its blocks that the blocks of a node share."""
    if not outer:
        return []
    return [name for call in calls((node,)) for name in outer.get(call.block, ())]


def outer_shares(blocks: Mapping[str, Block], around: Collection[str]) -> OuterShares:
    """Return the names of nodes outside that each block shares, itself or by the blocks that it uses.

    A node outside is one of those `around` all blocks, or a node of a block that uses this one.
    """
    nodes = {key: {node.name for node in block.nodes} for key, block in blocks.items()}
    wanted = [
        (key, share.target)
        for key, block in blocks.items()
        for share in map(shared_by, block.nodes)
        if share is not None and share.target not in nodes[key]
    ]
    if not wanted:
        return {}
    users: dict[str, list[str]] = {}
    for user, used in inner_blocks(blocks):
        users.setdefault(used, []).append(user)
    found: dict[str, dict[str, None]] = {}
    number = 0
    for key, name in wanted:
        is_input = any(one.name == name for one in blocks[key].inputs)
        if is_input or not (name in around or _is_above(key, name, nodes, users)):
            continue
        stack = [key]
        while stack and number <= MAX_NAMES:
            here = stack.pop()
            # a user that has a node of this name gives its module, others hand it on
            if name not in nodes[here] and name not in found.setdefault(here, {}):
                found[here][name] = None
                number += 1
                stack += users.get(here, ())
    return found


def is_too_large(outer: OuterShares) -> bool:
    """Return whether blocks share too many names to find them all."""
    return sum(map(len, outer.values())) > MAX_NAMES


def _is_above(
    key: str, name: str, nodes: Mapping[str, set[str]], users: Mapping[str, list[str]]
) -> bool:
    """Return whether a block that uses this one, itself or by others, has a node of this name."""
    seen, stack = set[str](), [key]
    while stack:
        here = stack.pop()
        if here not in seen:
            seen.add(here)
            if name in nodes[here]:
                return True
            stack += users.get(here, ())
    return False
