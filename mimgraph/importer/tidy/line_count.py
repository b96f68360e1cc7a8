"""Estimate how many lines of a spec a node takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from mimgraph.importer.draft import Node, Op, Seq

WIDTH = 100  # of a line, as the writer has it
INDENT = 4  # of a node in the graph, with what stands behind its name
LARGE = 8  # a number above it is a width, which may differ between the uses of a block


class LineCount(NamedTuple):
    """Counts the lines of nodes of the graph, or of a block, whose widths may become params."""

    is_block: bool

    def node(self, node: Node) -> int:
        """Return the lines of a layer or chain as a node of its own."""
        match node.operation:
            case Seq(items):
                return self.chain(node.name, _source(node), items)
            case Op(kind, name, options, activation):
                given = {kind: name, "from": _source(node), **options}
                given |= {} if activation is None else {"activation": activation[0]}
                return 1 if self._fits(node.name, self._flow(given)) else 1 + len(given)
        return 1

    def chain(self, name: str, source: str, items: Sequence[Node]) -> int:
        """Return the lines of a `seq` of these items."""
        texts = [self._item(item) for item in items]
        flow = f"{{from: {source}, seq: [{', '.join(texts)}]}}"
        return 1 if self._fits(name, flow) else 3 + len(texts)

    def _fits(self, name: str, text: str) -> bool:
        return INDENT * (1 + self.is_block) + len(name) + len(text) <= WIDTH

    def _item(self, node: Node) -> str:
        match node.operation:
            case Op(_, name, options, activation):
                extra = "" if activation is None else f", {activation[0]}"
                given = self._flow(next(iter(options.values())) if len(options) == 1 else options)
                return f"{{{name}: {given}}}{extra}" if options else f"{name}{extra}"
        return "x" * 16

    def _flow(self, value: Any) -> str:
        if isinstance(value, dict):
            entries = (f"{key}: {self._option(key, one)}" for key, one in value.items())
            return f"{{{', '.join(entries)}}}"
        if isinstance(value, list | tuple):
            return f"[{', '.join(map(self._flow, value))}]"
        return str(value)

    def _option(self, key: str, value: Any) -> str:
        """Return the value of an option: `$out_channels` for a width in a block."""
        is_param = self.is_block and "_" in key and isinstance(value, int) and value > LARGE
        return f"${key}" if is_param else self._flow(value)


def _source(node: Node) -> str:
    return node.sources[0].port.node.name if node.sources else ""
