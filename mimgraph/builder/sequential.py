"""`Sequential`: layers and blocks in a row, one `nn.Sequential`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from mimgraph.builder.blocks.function import BlockCall, Family
from mimgraph.builder.declare_layer import declare_apply, declare_freeze, declare_take
from mimgraph.builder.feed import Draft, Feed
from mimgraph.builder.record import IN_SEQUENCE, used_already
from mimgraph.infer.single_node import Given
from mimgraph.ir import graph as ir
from mimgraph.ir.typed import Sequence, TypedNode
from mimgraph.ops.registry import Applicable, LayerCall, Op
from mimgraph.support.arguments import shown


class Layerlike(Protocol):
    """What can stand as a layer: a graph."""

    def as_layer(self) -> LayerCall | BlockCall: ...


class Sequential(Applicable):
    """Layers and blocks, each fed by the one before; called on a handle.

    Frozen, its weights get no gradients, and it stays in evaluation mode.
    """

    label = "Sequential"
    stem = "sequential"
    argument_names = ("input",)

    def __init__(self, *items: LayerCall | BlockCall | Layerlike, freeze: bool = False) -> None:
        self.items = tuple(map(_layer, items))
        self.freeze = freeze
        self.uses: dict[Any, Any] = {}

    def __repr__(self) -> str:
        shown = [*map(repr, self.items), *(["freeze=True"] if self.freeze else [])]
        return f"Sequential({', '.join(shown)})"

    def given(self, options: Mapping[str, Any]) -> Sequential:
        """A chain has no options of its own."""
        raise TypeError(f"a Sequential has no options, so none of {', '.join(options)}")

    def draft(self, feed: Feed) -> Draft:
        """The chain; what a block in it is fed must be known before the block can be traced."""
        nodes: list[ir.Node] = []
        blocks: dict[str, ir.Block] = {}
        known, pending = feed, 0
        for index, item in enumerate(self.items):
            if isinstance(item, BlockCall):
                known = _after(feed, known, nodes[pending:], blocks)
                path = f"{feed.path}{feed.name}."
                draft = item.draft(known._replace(name=str(index), path=path))
                blocks |= draft.blocks
                nodes.append(replace(draft.typed.declared, sources=()))
                if draft.typed.type is None:
                    break  # which of its results goes on is not said, as inference tells
                known, pending = _fed(feed, str(index), draft.typed), index + 1
            else:
                apply = declare_apply(item, feed.span, in_sequence=True)
                take = declare_take(item.keywords, feed.span)
                freeze = declare_freeze(item.keywords, feed.span)
                nodes.append(ir.Node(str(index), feed.span, apply, (), take, freeze))
        freeze = declare_freeze({"freeze": self.freeze}, feed.span)
        typed = feed.infer(ir.Chain(tuple(nodes), feed.span), None, blocks, freeze)
        return Draft(typed, blocks)

    def claim(self, typed: TypedNode, feed: Feed) -> None:
        """An item with weights of its own may stand nowhere else."""
        assert isinstance(typed.operation, Sequence)
        for item, node in zip(self.items, typed.operation.items, strict=True):
            if not node.operation.has_state:
                continue
            if feed.trace in item.uses:
                raise used_already(item, feed.span)
            feed.keep(item.uses, IN_SEQUENCE)


def _layer(item: Any) -> LayerCall | BlockCall:
    """An item as a layer or block with its options."""
    if hasattr(item, "as_layer"):
        item = item.as_layer()
    if isinstance(item, LayerCall | BlockCall):
        return item
    wants = "an item is a layer or block with its options"
    raise TypeError(f"{wants}, not {shown(item)}{_instead_of(item)}")


def _instead_of(item: Any) -> str:
    """Return what to write instead, where that is known."""
    if isinstance(item, Op) and item.kind == "merge":
        return f": a merge takes several sources, merges.{item.name}(a, b)"
    if isinstance(item, Op):
        return f": write layers.{item.name}()"
    if isinstance(item, Family):
        return f": write {item.name}()"
    return ": write Sequential(*items)" if isinstance(item, list | tuple) else ""


def _after(feed: Feed, known: Feed, nodes: list[ir.Node], blocks: dict[str, ir.Block]) -> Feed:
    """What the item behind `nodes` is fed, if `known` is what the first of them is."""
    if not nodes:
        return known
    chain = ir.Chain(tuple(nodes), feed.span)
    typed = known._replace(name=feed.name, path=feed.path).infer(chain, None, blocks)
    return _fed(feed, nodes[-1].name, typed)


def _fed(feed: Feed, name: str, typed: TypedNode) -> Feed:
    """An item of a chain as the sole source of the next."""
    assert typed.type is not None
    made = {name: Given(ir.BlockInput(name, feed.span), typed.type)}
    return feed._replace(sources=(ir.Source(name, None, feed.span),), made=made)
