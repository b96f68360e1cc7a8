"""Explain an unknown source that names a param, a block, or a node elsewhere in the spec."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from mimgraph.diagnostics import Label
from mimgraph.diagnostics.text import NAME_IN, code, put
from mimgraph.ir.declared_graph import Block, Call, Graph, Input, Node, Source

SECTIONS = ("inputs", "nodes")

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# a port as in Python or in a path: lstm["last"], stage[0], lstm/last, lstm:0
_PORT = re.compile(r"([A-Za-z_]\w*)\s*[\[/:@#(>-]+\s*[\"']?(\w+)[\"']?[\])]?", re.ASCII)


class Meaning(NamedTuple):
    """The message, help and labels for a name that means something else in the spec."""

    message: str
    help: str
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True)
class SpecNames:
    """The names of a whole spec, collected only once there is a fault."""

    graph: Graph

    @cached_property
    def outer(self) -> dict[str, Input | Node]:
        """Return the inputs and nodes of the spec itself by name."""
        found: dict[str, Input | Node] = {node.name: node for node in self.graph.nodes}
        return found | {one.name: one for one in self.graph.inputs}

    @cached_property
    def inner(self) -> dict[str, tuple[str, Node]]:
        """Return the nodes of all blocks by name, each with the first block that has it."""
        found: dict[str, tuple[str, Node]] = {}
        for key, block in self.graph.blocks.items():
            for node in block.nodes:
                found.setdefault(node.name, (key, node))
        return found


class OtherScopes(NamedTuple):
    """Looks a name up outside of one scope: the scope of a block, or of the spec itself (None).

    `shared` is the text of the share that names it, or "" if a source does.
    """

    names: SpecNames
    block: Block | None = None

    @property
    def shareable(self) -> list[str]:
        """The nodes of the spec that a block may share; none for the spec itself."""
        return [] if self.block is None else [node.name for node in self.names.graph.nodes]

    def meaning(self, name: str, shared: str) -> Meaning | None:
        """Return the meaning of a name outside of the scope; None if it has none or is a node of a
        block."""
        graph, block = self.names.graph, self.block
        if block is not None and name in self.names.outer:
            return _unreadable_in_block(block, self.names.outer[name], shared)
        if name in graph.blocks:
            return self._block(name, graph.blocks[name], shared)
        if name in graph.params or (block is not None and name in block.params):
            return _value(name, "a param")
        return _value(name, "a size") if name in (block or graph).sizes else None

    def inner_meaning(self, name: str, shared: str) -> Meaning | None:
        """Return the meaning of a name that a node inside of a block has; None if no node has it."""
        if name not in self.names.inner:
            return None
        key, node = self.names.inner[name]
        family = self.names.graph.blocks[key].family
        help = f"{NAME_IN} {family}, and read it as {self._node_using(key) or 'NODE'}.{name}"
        if shared:
            help = f"share must name a node in its own scope: move {name} out of the block"
        label = Label(node.span, "inside the block")
        return Meaning(f"{name} is a node inside the block {family}", help, (label,))

    def _block(self, key: str, block: Block, shared: str) -> Meaning:
        """Explain that the name is that of a block, where a node is needed."""
        message = f"{key} is a block, not {'a node' if shared else 'an input or node'}"
        user = self._node_using(key)
        help = f"use it in a node: {code(f'{{block: {key}, from: ...}}')}"
        if user is not None:
            key = "share" if shared else "from"
            help = f"write {put(f'{key}: {user}')}, the node that uses it"
        return Meaning(message, help, (Label(block.span, "the block"),))

    def _node_using(self, key: str) -> str | None:
        """Return the name of the first node in the scope that uses this block."""
        nodes = self.names.graph.nodes if self.block is None else self.block.nodes
        for node in nodes:
            if isinstance(node.applied, Call) and node.applied.block == key:
                return node.name
        return None


def names_in(source: Source, choices: Collection[str]) -> list[str]:
    """Return the choices in the text of an unknown source, such as `a, b`; all of them for `inputs.*`."""
    if source.name in SECTIONS and source.port == "*":
        return [*choices]
    words = dict.fromkeys(_WORD.findall(f"{source.name} {source.port or ''}"))
    return [word for word in words if word in choices]


def as_sources(source: Source, named: Sequence[str]) -> str:
    """Return how to write sources, or a port, that a text names in another notation: `a, b`, `lstm[0]`."""
    as_list = put(f"[{', '.join(named)}]")
    if source.name in SECTIONS and named:
        return f"write {put(named[0]) if len(named) == 1 else as_list}"
    words = _WORD.findall(source.text)
    if source.name.isidentifier() or not named or words[0] != named[0]:
        return ""
    if words == [*named] and len(named) > 1:
        return f"write several sources as a list: {as_list}"
    port = _PORT.fullmatch(source.text)
    return f"write a port after a dot: {put(f'{port[1]}.{port[2]}')}" if port else ""


def _unreadable_in_block(block: Block, thing: Input | Node, shared: str) -> Meaning:
    """Explain that a block cannot read an input or node of the spec around it."""
    name = thing.name
    what = "an input" if isinstance(thing, Input) else "a node"
    message = f"{name} is {what} outside the block, which can read only its own inputs and nodes"
    inputs = ", ".join([*(f"{one.name}: ..." for one in block.inputs), f"{name}: {name}"])
    help = f"give {block.family} an input {name}, and connect it in each call: {code(f'from: {{{inputs}}}')}"
    if shared:
        help = f"{name} has no module to share"
    return Meaning(message, help, (Label(thing.span, "outside the block"),))


def _value(name: str, what: str) -> Meaning:
    """Explain that the name is a param or a size, not a tensor."""
    message = f"{name} is {what}, not an input or node"
    return Meaning(message, f"only an option can use its value: {code(f'${name}')}")
