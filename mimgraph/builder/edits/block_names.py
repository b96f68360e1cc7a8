"""Name the blocks that an edit makes: copies that only some of the uses of a block changed, and new ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Self

from mimgraph.builder.content_key import content_key
from mimgraph.builder.node_names import Names
from mimgraph.infer.evaluation import texts_in
from mimgraph.infer.structure import calls, reached
from mimgraph.ir.declared_graph import Block, Graph, Node
from mimgraph.ir.rewrite import Rewriter


class CopyKey(str):
    """The temporary key of a copy of a block, `of`, which the spec may have `written` as a param."""

    __slots__ = ("of", "written")
    of: str
    written: str

    def __new__(cls, key: str, of: str, written: str) -> Self:
        self = super().__new__(cls, key)
        self.of, self.written = of, written
        return self


Resolve = Callable[[str], str]  # a name that a param may give, as the value of the param


def used_blocks(
    graph: Graph, more: Mapping[str, Block], resolve: Resolve, also: Iterable[str] = ()
) -> set[str]:
    """Return the keys of all blocks of the graph, and of `more` blocks, that a node uses, or one of the
    blocks `also`."""
    blocks = {**graph.blocks, **more}
    edges = [
        (key, resolve(call.block)) for key, block in blocks.items() for call in calls(block.nodes)
    ]
    return reached([*(resolve(call.block) for call in calls(graph.nodes)), *also], edges)


def name_blocks(graph: Graph, before: Graph, made: Mapping[str, Block], resolve: Resolve) -> Graph:
    """Return the graph with names for the blocks `made`, which have temporary keys.

    A copy has the name of its block if nothing uses that block as it was `before`, else a free one,
    `residual_2`. Blocks with equal content become one.
    """
    if not made:
        return graph
    used = used_blocks(graph, made, resolve)
    unused = graph.blocks.keys() - used_blocks(before, {}, resolve)
    naming = _Naming(graph, used | used_blocks(graph, {}, resolve, unused))
    for key, block in made.items():
        if key in used:
            naming.add(key, block)
    return replace(graph, nodes=naming.renamed(graph.nodes), blocks=naming.blocks())


class _Naming:
    """Gives names to blocks, inner ones first; `left` are the blocks of the graph that keep theirs."""

    def __init__(self, graph: Graph, left: set[str]) -> None:
        self.blocks_before = graph.blocks
        self.left = left & graph.blocks.keys()
        self.names = Names({*self.left, *_choices(graph)}, first_number=2)
        self.keys: dict[str, str] = {}
        self.found: dict[str, Block] = {}
        self.known: dict[Hashable, str] = {}
        for name, block in graph.blocks.items():
            if name in self.left:
                self.known.setdefault(self._content(block), name)

    def add(self, key: str, block: Block) -> None:
        """Name a block, as one with equal content if there is one; its origin goes first."""
        named = replace(block, nodes=self.renamed(block.nodes))
        content = self._content(named)
        of = key.of if isinstance(key, CopyKey) else ""
        if of in self.left and content == self._content(self.blocks_before[of]):
            self.keys[key] = of
            return
        if content not in self.known:
            name = self._new_name(of, block.family)
            self.known[content] = name
            self.found[name] = replace(named, family=block.family if name == of else name)
        self.keys[key] = self.known[content]

    def renamed(self, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        """Return the nodes with the names of the blocks in place of their keys."""
        return Rewriter(name=self._name).nodes(nodes)

    def blocks(self) -> dict[str, Block]:
        """Return all blocks by name, a copy where its block was or after it."""
        found: dict[str, Block] = {}
        for name, block in self.blocks_before.items():
            if name in self.left:
                found[name] = block
            for other in [o for o in self.found if o == name or self.stem(o) == name]:
                found[other] = self.found.pop(other)
        return {**found, **self.found}

    def stem(self, name: str) -> str:
        """Return the name without the number of a copy: `residual` for `residual_2`."""
        stem = re.sub(r"_\d+$", "", name)
        return stem if stem in self.blocks_before else name

    def _name(self, kind: str, name: str, path: str) -> str:
        found = self.keys.get(name, name) if kind == "block" else name
        return name.written if isinstance(name, CopyKey) and name.of == found else found

    def _new_name(self, of: str, family: str) -> str:
        if of and of not in self.left and of not in self.found:
            self.names.taken.add(of)
            return of
        return self.names.unique(self.stem(of or family))

    def _content(self, block: Block) -> Hashable:
        return content_key(replace(block, family=self.stem(block.family)))


def _choices(graph: Graph) -> Iterator[str]:
    """Yield the texts among params, which may give the name of a block."""
    for option in graph.params.values():
        yield from texts_in(option.value)
