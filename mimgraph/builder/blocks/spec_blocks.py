"""Call the blocks of a spec in Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mimgraph.builder.blocks.call import DeclaredBlock, Family, InputTypes, new_key
from mimgraph.builder.handles.call_context import CallContext
from mimgraph.diagnostics import Report
from mimgraph.infer.dag import ordered
from mimgraph.infer.declared import params
from mimgraph.infer.named_ops import choose
from mimgraph.infer.outer_shares import calls, inner_blocks
from mimgraph.infer.reuse.substitute import Values, with_values
from mimgraph.infer.scope import State
from mimgraph.ir.declared import graph as ir
from mimgraph.ir.declared.rewrite import with_keys
from mimgraph.ops.signature import REQUIRED
from mimgraph.support.frozen_data import replace


class SpecBlock(Family):
    """A block of a spec that can be called; the spec's params are replaced by their values."""

    def __init__(self, declared: DeclaredBlock) -> None:
        block = declared.blocks[declared.key]
        self.declared = declared
        self.name, self.span = block.family, block.span
        self.inputs = tuple(i.name for i in block.inputs)
        self.optional = frozenset(i.name for i in block.inputs if i.optional is not False)
        required = {name: REQUIRED for name, o in block.params.items() if o.value is None}
        self.defaults = {**block.params, **required}

    def declare(
        self,
        arguments: list[Mapping[str, object]],
        types: InputTypes,
        context: CallContext,
        counter: str = "",
    ) -> DeclaredBlock:
        return self.declared


def spec_blocks(graph: ir.Graph) -> dict[str, Family]:
    """Return the blocks of a graph by name, to be called in Python.

    A block that a Python function declared calls that function again.
    """
    values = params(State(graph.blocks, Report()), graph.params)
    blocks = SpecBlocks(choose(graph, values, Report()), values)
    return {
        name: block.function or SpecBlock(blocks.declared(blocks.blocks[name], blocks.keys[name]))
        for name, block in graph.blocks.items()
    }


class SpecBlocks:
    """The blocks of a spec for use in another graph: with new keys, and values for the spec's params."""

    def __init__(self, graph: ir.Graph, values: Values) -> None:
        self.keys = {name: new_key(block.family) for name, block in graph.blocks.items()}
        self.blocks = {name: with_values(block, values) for name, block in graph.blocks.items()}
        inner = inner_blocks(graph.blocks)
        order = ordered(graph.blocks, [(used, user) for user, used in inner])
        self.position = {name: position for position, name in enumerate(order)}
        self.inner: dict[str, list[str]] = {}
        for user, used in inner:
            self.inner.setdefault(user, []).append(used)
        self.known: dict[frozenset[str], dict[str, ir.Block]] = {}

    def declared(self, block: ir.Block, key: str = "") -> DeclaredBlock:
        """Return a block with all blocks that it uses, by key."""
        key = key or new_key(block.family)
        return DeclaredBlock(key, {**self.used(block.nodes), key: self._with_keys(block)})

    def used(self, nodes: Iterable[ir.Node]) -> dict[str, ir.Block]:
        """Return all blocks that these nodes use, by key, inner ones first."""
        named = frozenset([call.block for call in calls(nodes)])
        if named not in self.known:
            found, stack = set[str](), [*named]
            while stack:
                name = stack.pop()
                if name not in found:
                    found.add(name)
                    stack += self.inner.get(name, ())
            inner_first = sorted(found, key=self.position.__getitem__)
            self.known[named] = {self.keys[n]: self._with_keys(self.blocks[n]) for n in inner_first}
        return self.known[named]

    def _with_keys(self, block: ir.Block) -> ir.Block:
        return replace(block, nodes=with_keys(block.nodes, self.keys))
