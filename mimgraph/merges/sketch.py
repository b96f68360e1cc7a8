"""Blocks made in code: how a merge that is a graph of other ops writes that graph down."""

from __future__ import annotations

from typing import Any

from mimgraph.ir.graph import Activation, Apply, Block, BlockInput, Node, Option, Output, Source
from mimgraph.source import SourceFile, Span

_NOWHERE = Span(SourceFile("mimgraph", ""), 1, 1, 1, 1)


class Sketch:
    """A block that grows node by node; each method returns the name of what it adds."""

    def __init__(self, family: str, *inputs: str, doc: str = "") -> None:
        self.family = family
        self.inputs = inputs
        self.doc = doc
        self.nodes: list[Node] = []

    def layer(self, name: str, layer: str, *sources: str, **options: Any) -> str:
        """A layer on its sources; a source may be `node.port`."""
        return self._add("layer", name, layer, tuple(map(_source, sources)), options)

    def layer_of(self, name: str, layer: str, sources: dict[str, str], **options: Any) -> str:
        """A layer on sources by the argument that each fills."""
        named = tuple(_source(text, argument) for argument, text in sources.items())
        return self._add("layer", name, layer, named, options)

    def merge(self, name: str, merge: str, *sources: str, **options: Any) -> str:
        """A merge of its sources."""
        return self._add("merge", name, merge, tuple(map(_source, sources)), options)

    def formula(self, name: str, expr: str, **sources: str) -> str:
        """Arithmetic on sources by name; sizes 1 broadcast."""
        named = tuple(_source(text, argument) for argument, text in sources.items())
        return self._add("merge", name, "formula", named, {"expr": expr, "broadcast": True})

    def parameter(self, name: str, *shape: int, init: Any, batched: bool = False) -> str:
        """A learned tensor."""
        options = {"shape": list(shape), "init": init, "batched": batched}
        return self._add("tensor", name, "parameter", None, options)

    def block(self, *outputs: str, **named: str) -> Block:
        """The finished block: one output, or several by name."""
        results = {name: name for name in outputs} | named
        return Block(
            self.family,
            _NOWHERE,
            {},
            tuple(BlockInput(name, _NOWHERE) for name in self.inputs),
            tuple(self.nodes),
            tuple(Output(name, _source(text), _NOWHERE) for name, text in results.items()),
            doc=self.doc,
        )

    def _add(
        self,
        kind: str,
        name: str,
        op: str,
        sources: tuple[Source, ...] | None,
        options: dict[str, Any],
    ) -> str:
        activation = options.pop("activation", None)
        given = {key: Option(value, _NOWHERE, _NOWHERE) for key, value in options.items()}
        applied = Activation(activation, {}, None, _NOWHERE) if activation else None
        apply = Apply(kind, op, _NOWHERE, given, None, applied)
        self.nodes.append(Node(name, _NOWHERE, apply, sources))
        return name


def _source(text: str, argument: str | None = None) -> Source:
    name, dot, port = text.partition(".")
    return Source(name, port if dot else None, _NOWHERE, argument)
