"""Rename a node, or an item of an `each`, where nodes and the blocks inside share its module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mimgraph.builder.blocks.call import new_key
from mimgraph.builder.edits.block_names import CopyKey
from mimgraph.builder.edits.edit import Edit
from mimgraph.builder.edits.scope import Scope
from mimgraph.infer.outer_shares import calls, shared_by
from mimgraph.ir.declared.graph import Block, Node
from mimgraph.ir.declared.operations import Call
from mimgraph.ir.declared.rewrite import Rewriter
from mimgraph.support.frozen_data import replace


@dataclass
class SharedName:
    """Renames a node, or the `items` of an `each`, where other nodes share its module.

    A block that shares the module becomes a copy; `known` has its key by that of the block. A block
    with a node of the old name shares that one.
    """

    edit: Edit
    old: str
    new: str
    items: Mapping[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)

    def in_node(self, node: Node) -> Node:
        """Return the node with the new name in its share, and in the blocks that it uses."""
        share = shared_by(node)
        if share is None:
            return Rewriter(call=self._in_call).node(node)
        if share.target != self.old:
            return node
        item = None if share.item is None else self.items.get(share.item, share.item)
        if self.new == self.old and item == share.item:
            return node
        return node.with_applied(replace(share, target=self.new, item=item))

    def check_free(self, scope: Scope) -> None:
        """Raise an error if the new name is that of a node around the block, which a node here, or a
        block inside, shares."""
        user = next((node for node in scope.nodes if self._shares_new((node,), {})), None)
        if user is not None and self.new not in scope.names:
            message = f"{scope.path}{user.name} shares {self.new}, a node around the block"
            raise self.edit.fault("duplicate-name", message, "choose another name", user.span)

    def _in_call(self, call: Call) -> Call:
        """Return the use of a block with a copy of it, if nodes in the block share the node."""
        key = self.known.get(call.block)
        if key is None:
            key = self.known[call.block] = self._copied(call)
        return call if key == call.block else replace(call, block=key)

    def _copied(self, call: Call) -> str:
        block = self._block(call)
        own = {*block.input_names, *(node.name for node in block.nodes)}
        for node in block.nodes if self.items and self.old not in own else ():
            share = shared_by(node)
            if node.has_branches and share is not None and share.target == self.old:
                message = (
                    f"{block.family}.{node.name} names modules of {self.old} after its sources"
                )
                help = f"name them in {self.old} first: each: {{NAME: SOURCE}}"
                raise self.edit.fault("bad-name", message, help, node.span)
        nodes = tuple(map(self.in_node, block.nodes)) if self.old not in own else block.nodes
        if all(one is other for one, other in zip(nodes, block.nodes, strict=True)):
            return call.block
        if self.new in own and self.new != self.old:
            message = f"{self.new} is a name in {block.family}, which shares {self.old}"
            raise self.edit.fault("duplicate-name", message, "choose another name", block.span)
        written = call.block
        of = written.of if isinstance(written, CopyKey) else self.edit.resolved(written)
        key = CopyKey(new_key(block.family), of, getattr(written, "written", written))
        self.edit.made[key] = replace(block, nodes=nodes)
        return key

    def _block(self, call: Call) -> Block:
        """Return the block of a use, perhaps one that this edit made."""
        return self.edit.made.get(call.block) or self.edit.block(call)

    def _shares_new(self, nodes: Iterable[Node], found: dict[str, bool]) -> bool:
        """Return whether one of the nodes, or of the nodes in their blocks, shares a node of the new
        name that is around them; `found` are the answers for blocks."""
        for node in nodes:
            share = shared_by(node)
            if share is not None and share.target == self.new:
                return True
            for call in calls((node,)):
                if call.block not in found:
                    block = self._block(call)
                    own = {*block.input_names, *(one.name for one in block.nodes)}
                    inside = self.new not in own and self._shares_new(block.nodes, found)
                    found[call.block] = inside
                if found[call.block]:
                    return True
        return False
