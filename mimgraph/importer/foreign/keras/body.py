"""Collect the nodes of a graph or block, and move axes where a node needs another order."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Container, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from mimgraph.importer.foreign.keras.faults import Config
from mimgraph.importer.foreign.keras.value import Value, Weight, arranged
from mimgraph.importer.foreign.model import Note, NoteKind
from mimgraph.ir.names import input_fault, name_fault

Sources = Sequence[str] | Mapping[str, str]


@dataclass
class Node:
    """A node: its entry in the spec without `from`, its sources, and its weights by our key."""

    name: str
    entry: dict[str, Any]
    sources: Sources
    weights: dict[str, Weight]

    def reads(self) -> list[str]:
        """Return the sources."""
        values = self.sources.values() if isinstance(self.sources, Mapping) else self.sources
        return list(values)


@dataclass
class Shared:
    """What all bodies of a model share."""

    config: Config
    blocks: dict[str, dict[str, Any]] = field(default_factory=dict)
    opaque: dict[str, str] = field(default_factory=dict)  # class -> its text in the companion

    def block(self, wanted: str, block: dict[str, Any]) -> str:
        """Keep a block, and return its name; equal blocks are one."""
        for name, other in self.blocks.items():
            if other == block:
                return name
        name = free(identifier(wanted), self.blocks)
        self.blocks[name] = block
        return name


@dataclass
class Body:
    """The nodes of a graph or block, by name, in the order in which they are made."""

    shared: Shared
    reserved: dict[str, Any]  # the names of the layers, which no helper node may take
    nodes: dict[str, Node] = field(default_factory=dict)
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    moved: dict[tuple[str, int | None], Value] = field(default_factory=dict)
    flattened: dict[str, Value] = field(default_factory=dict)  # by the Flatten that reads it
    notes: list[Note] = field(default_factory=list)
    shares: Iterator[str] | None = None  # the nodes whose weights the next nodes use

    @property
    def taken(self) -> MutableMapping[str, Any]:
        """The nodes and inputs by name."""
        return ChainMap(cast(Any, self.nodes), self.inputs)

    def note(self, kind: NoteKind, reason: str, message: str, layer: str) -> None:
        """Note at the node of a layer what the spec does not say as the file does."""
        self.notes.append(Note(kind, reason, message, identifier(layer)))

    def add(
        self,
        name: str,
        entry: dict[str, Any],
        sources: Sources,
        weights: Mapping[str, Weight] | None = None,
    ) -> str:
        """Add a node under this name, or a number behind it, and return its name."""
        name = free(identifier(name), self.taken)
        if self.shares is not None and weights:
            entry, weights = {"share": next(self.shares)}, {}
        self.nodes[name] = Node(name, entry, sources, dict(weights or {}))
        return name

    def add_input(self, name: str, entry: dict[str, Any]) -> str:
        """Add an input of the body and return its name."""
        name = identifier(name)
        name = free(f"{name}_input" if input_fault(name) else name, self.inputs)
        self.inputs[name] = entry
        return name

    def helper(
        self, value: Value, suffix: str, entry: dict[str, Any], sources: Sources | None = None
    ) -> str:
        """Add a node that prepares a value for another node."""
        wanted = identifier(f"{value.source}_{suffix}")
        name = free(wanted, ChainMap(self.taken, self.reserved))
        return self.add(name, entry, sources or [value.source])

    def at(self, value: Value, channel: int | None) -> Value:
        """Return the value with its channels at this axis, None for the last as in Keras."""
        value = self.plain(value)
        if value.channel == channel or value.rank < 3:
            return value._replace(channel=None) if value.rank < 3 else value
        key = (value.source, channel)
        if key not in self.moved:
            wanted = arranged(value.rank, channel)
            dims = [value.axes.index(axis) for axis in wanted]
            entry: dict[str, Any] = {"layer": "Permute", "dims": dims}
            if value.rank == 3:
                entry = {"layer": "Transpose", "dim0": 1, "dim1": 2}
            suffix = "last" if channel is None else "first"
            name = self.helper(value, suffix, entry)
            self.moved[key] = value._replace(source=name, channel=channel)
        return self.moved[key]._replace(mask=value.mask)

    def plain(self, value: Value) -> Value:
        """Return a flat value with its features in the order of Keras."""
        if value.order is None:
            return value
        key = (value.source, None)
        if value.source in self.flattened and key not in self.moved:
            before = self.at(self.flattened[value.source], None)
            name = self.helper(value, "plain", {"layer": "Flatten"}, [before.source])
            self.moved[key] = value._replace(source=name, order=None)
        if key not in self.moved:
            parts, start, several = [], 0, len(value.order) > 1
            for sizes in value.order:
                part, width = value, _product(sizes)
                if several:
                    cut = {"layer": "Slice", "dim": 1, "start": start, "end": start + width}
                    part = value._replace(source=self.helper(value, "part", cut))
                parts.append(self._straight(part, sizes))
                start += width
            name = parts[0]
            if several:
                name = self.helper(value, "plain", {"merge": "concat"}, parts)
            self.moved[key] = value._replace(source=name, order=None)
        return self.moved[key]

    def _straight(self, value: Value, sizes: tuple[int, ...]) -> str:
        """Return the source of a flat part, whose features came from axes of these sizes, as in Keras."""
        if len(sizes) < 2:
            return value.source
        shape = [sizes[-1], *sizes[:-1]]
        apart = self.helper(value, "apart", {"layer": "Reshape", "shape": shape})
        dims = [0, *range(2, len(sizes) + 1), 1]
        moved = self.helper(value, "moved", {"layer": "Permute", "dims": dims}, [apart])
        return self.helper(value, "plain", {"layer": "Flatten"}, [moved])


def identifier(name: str) -> str:
    """Return the name with what a spec does not allow replaced, `block_1_conv` for `block-1/conv`."""
    found = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "node"
    if found[0].isdigit():
        found = f"layer_{found}"
    return f"{found}_node" if name_fault(found) else found


def free(name: str, taken: Container[str]) -> str:
    """Return the name, or the first of name_1, name_2, ... that is not taken."""
    found, number = name, 0
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


def _product(sizes: Sequence[int]) -> int:
    found = 1
    for one in sizes:
        found *= one
    return found
