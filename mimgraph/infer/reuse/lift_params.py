"""Make the blocks of a spec independent of its params, so that they can stand in another spec.

A block may read the params of its spec. Compilers call this step lambda lifting: such a block gets a
param of its own for each of them, and each use gives it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from mimgraph.infer.dag import ordered
from mimgraph.infer.names_read import in_block, in_value
from mimgraph.infer.outer_shares import calls, inner_blocks
from mimgraph.infer.reuse.substitute import Renamed, with_values
from mimgraph.ir.declared.graph import Block, Graph
from mimgraph.ir.declared.operations import Call
from mimgraph.ir.declared.rewrite import Rewriter
from mimgraph.ir.declared.values import Option, Written
from mimgraph.ir.expression import Variable
from mimgraph.ir.names import name_fault
from mimgraph.source import Span


def lift_params(graph: Graph) -> Graph:
    """Return the graph with blocks that take, as params of their own, the params of the graph that
    they or blocks in them read."""
    needed = _needed(graph)
    names = _own_names(graph, needed)
    if not names:
        return graph
    renamed = {name: Renamed(own) for name, own in names.items() if own != name}
    blocks: dict[str, Block] = {}
    for key, block in graph.blocks.items():
        inside = with_values(block, renamed) if renamed else block
        own = {names[name]: graph.params[name]._replace(value=None) for name in needed[key]}
        given = {names[name]: names[name] for name in names}
        nodes = Rewriter(call=_Giver(graph.blocks, needed, names, given).call).nodes(inside.nodes)
        # they come first, as the defaults of the others may read them
        blocks[key] = replace(inside, params={**own, **inside.params}, nodes=nodes)
    given = {own: name for name, own in names.items()}
    nodes = Rewriter(call=_Giver(graph.blocks, needed, names, given).call).nodes(graph.nodes)
    return replace(graph, blocks=blocks, nodes=nodes)


def _needed(graph: Graph) -> dict[str, list[str]]:
    """Return, for each block, the params of the graph that it or a block in it reads, in order."""
    found: dict[str, list[str]] = {}
    edges = [(used, user) for user, used in inner_blocks(graph.blocks)]
    for key in ordered(graph.blocks, edges):
        block = graph.blocks[key]
        if block.is_private:  # a part gave it all that it reads
            found[key] = []
            continue
        names = _free(block).union(*(found[call.block] for call in calls(block.nodes)))
        found[key] = [name for name in graph.params if name in names]
    return found


def _free(block: Block) -> set[str]:
    """Return the names that a block reads and does not declare; a default may read the params above
    it."""
    found = {*in_block(block)} - block.own_names
    above = set[str]()
    for name, option in block.params.items():
        found.update({*in_value(option.value)} - above)
        above.add(name)
    return found


def _own_names(graph: Graph, needed: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the name that each needed param has in the blocks: its own, unless a block that needs
    it has a param or size of that name."""
    found: dict[str, str] = {}
    taken = {*graph.params}.union(*(block.own_names for block in graph.blocks.values()))
    for name in graph.params:
        users = [graph.blocks[key] for key, names in needed.items() if name in names]
        if users:
            is_free = all(name not in block.own_names for block in users)
            found[name] = name if is_free else unique_name(name, taken)
            taken.add(found[name])
    return found


def unique_name(stem: str, taken: Container[str]) -> str:
    """Return the name, or if it is taken or not allowed the first of `stem_1`, `stem_2`, ... that is
    free."""
    number, name = 0, stem
    base = stem if name_fault(f"{stem}_1") is None else "block"
    while name in taken or name_fault(name) is not None:
        number += 1
        name = f"{base}_{number}"
    return name


class _Giver:
    """Gives params to the uses of blocks in one scope, where `given` has the name there of each."""

    def __init__(
        self,
        blocks: Mapping[str, Block],
        needed: Mapping[str, Sequence[str]],
        names: Mapping[str, str],
        given: Mapping[str, str],
    ) -> None:
        self.blocks, self.needed, self.names, self.given = blocks, needed, names, given

    def call(self, call: Call) -> Call:
        """Return the use of a block with the params that the block now takes; a lone value gets the
        name of the param that was the first."""
        own = [self.names[name] for name in self.needed[call.block]]
        if not own:
            return call
        params = {**call.params, **{name: _read(self.given[name], call.span) for name in own}}
        if call.lone is not None:
            params = {next(iter(self.blocks[call.block].params)): call.lone, **params}
        return replace(call, params=params, lone=None)


def _read(name: str, span: Span) -> Option:
    """Return an option whose value is that of a param."""

    def part(start: int, end: int) -> Span:
        return span

    return Option(Written(Variable(name), span, part), span, span)
