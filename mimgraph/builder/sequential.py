"""`Sequential`: layers and blocks in a row, one `nn.Sequential`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from mimgraph.builder.block_call import BlockCall, Family
from mimgraph.builder.declare_layer import declare_apply
from mimgraph.builder.records import CallContext, Record, TypedCall, has_blocks, used_already
from mimgraph.builder.trace import enclosing
from mimgraph.builder.user_line import spec_error
from mimgraph.infer.graph import Given
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_graph import Apply, Chain
from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ir.types import TensorType
from mimgraph.ops.layer_call import IN_SEQUENCE, Applicable, LayerCall, Uses
from mimgraph.ops.op import Op
from mimgraph.ops.spelling import with_parentheses
from mimgraph.source import Span
from mimgraph.support.arguments import shown
from mimgraph.support.entry_point import entry_point


class HasLayer(Protocol):
    """An object that can be used as a layer: a graph."""

    def as_layer(self) -> LayerCall | BlockCall: ...


class Sequential(Applicable):
    """Layers and blocks, each applied to the result of the one before; called on a handle.

    With `over=1` it runs for each entry of axis 1. If frozen, its weights get no gradients, and it
    stays in evaluation mode.
    """

    _completed = ("each", "items")
    label = "Sequential"
    stem = "sequential"
    argument_names = ("input",)
    option_names: tuple[str, ...] = ()

    @entry_point
    def __init__(
        self,
        *items: LayerCall | BlockCall | HasLayer,
        over: int | None = None,
        freeze: bool | str = False,
        lr: float | str | None = None,
        weight_decay: float | None = None,
        lora: Mapping[str, object] | None = None,
    ) -> None:
        self.items = tuple(map(_layer, items))
        words = {"lr": lr, "weight_decay": weight_decay, "lora": lora}
        given = {"over": over, "freeze": None if freeze is False else freeze, **words}
        self.keywords: Mapping[str, object] = {k: v for k, v in given.items() if v is not None}
        self.uses = Uses()

    def __repr__(self) -> str:
        keywords = (f"{key}={value!r}" for key, value in self.keywords.items())
        return f"Sequential({', '.join([*map(repr, self.items), *keywords])})"

    @property
    def words(self) -> Mapping[str, object]:
        return self.keywords

    def given(self, options: Mapping[str, object]) -> Sequential:
        """Raise a `TypeError`: a chain has no options of its own."""
        raise TypeError(f"a Sequential has no options, so none of {', '.join(options)}")

    def type_call(self, context: CallContext) -> TypedCall:
        """Type the chain in parts: the function of a block in it runs on the types of the items
        before it."""
        nodes: list[ir.Node] = []
        blocks: dict[str, ir.Block] = {}
        borrowed: dict[str, Record] = {}
        # `known` is the context of item `typed_items`
        known, typed_items = _inside(context, self.keywords), 0
        for index, item in enumerate(self.items):
            name = str(index)
            if not isinstance(item, BlockCall):
                apply = declare_apply(item, context.span, in_sequence=True)
                item_context = context._replace(name=name, sources=())
                nodes.append(item_context.declare(apply, item.keywords))
                continue
            known = _after(context, known, nodes[typed_items:], blocks)
            path = f"{context.path}{context.name}."
            typed = item.type_call(known._replace(name=name, path=path))
            _check_shares_nothing(item, typed.borrowed, context.span)
            blocks |= typed.blocks
            borrowed |= typed.borrowed
            nodes.append(replace(typed.node.declared, sources=()))
            if typed.node.type is None:
                if (
                    item is not self.items[-1]
                ):  # inference reports that the block has several outputs
                    nodes.append(_reader(context, index + 1))
                break
            known, typed_items = _fed(context, name, typed.node.type), index + 1
        chain = Chain(tuple(nodes), context.span)
        return TypedCall(context.infer(chain, self.keywords, blocks).typed, blocks, borrowed)

    def claim(self, typed: TypedNode, context: CallContext) -> None:
        """Mark the items with weights as used: they may not be called, or stand in another chain."""
        for item, node in zip(self.items, typed.operation.steps, strict=True):
            if not node.operation.has_state:
                continue
            if any(trace in item.uses for trace in enclosing(context.trace)):
                raise used_already(item, context.span)
            context.keep(item.uses, IN_SEQUENCE)


def _layer(item: object) -> LayerCall | BlockCall:
    """Return an item as a layer or block with its options."""
    if hasattr(item, "as_layer"):
        item = item.as_layer()
    if isinstance(item, BlockCall) or (isinstance(item, LayerCall) and item.op.kind == "layer"):
        return item
    wants = "an item is a layer or block with its options"
    raise TypeError(f"{wants}, not {shown(item)}{item_help(item)}")


def item_help(item: object) -> str:
    """Return the help for something that is not a layer; "" if there is none."""
    op = item.op if isinstance(item, LayerCall) else item
    if isinstance(op, Op) and op.kind == "merge":
        return f": a merge takes several sources, merges.{op.name}(a, b)"
    if isinstance(item, Op):
        return f": write {with_parentheses(item)}"
    if isinstance(item, Family):
        return f": write {item.name}()"
    if isinstance(item, Sequential):
        return ": write its items one by one, *sequential.items"
    return ": write mg.Sequential(*items)" if isinstance(item, list | tuple) else ""


def _check_shares_nothing(item: BlockCall, borrowed: Mapping[str, Record], span: Span) -> None:
    """Raise an error for an item whose block shares a layer that is called outside of it."""
    shared = next((one for one in borrowed.values() if not has_blocks(one)), None)
    if shared is not None:
        message = f"{item.label} shares {shared.label}, which a Sequential cannot pass to its items"
        help = f"end the Sequential before it, and call {item!r} on the result"
        raise spec_error("bad-option", message, span, help)


def _inside(context: CallContext, keywords: Mapping[str, object]) -> CallContext:
    """Return the context of the first item, whose source lacks the axis that the chain runs over."""
    if "over" not in keywords:
        return context
    typed = context.infer(Chain((), context.span), {"over": keywords["over"]}).typed
    assert typed.over is not None and typed.type is not None
    return _fed(context, "input", typed.over.fold(typed.type))


def _after(
    context: CallContext, known: CallContext, nodes: list[ir.Node], blocks: dict[str, ir.Block]
) -> CallContext:
    """Return the context of the item after `nodes`, where `known` is the context of the first."""
    if not nodes:
        return known
    chain = Chain((*nodes, _reader(context, len(nodes))), context.span)
    typed = known._replace(name=context.name, path=context.path).infer(chain, blocks=blocks).typed
    assert typed.type is not None
    return _fed(context, nodes[-1].name, typed.type)


def _reader(context: CallContext, index: int) -> ir.Node:
    """Return an item that reads the one before, which must have a default result."""
    return ir.Node(str(index), context.span, Apply("layer", "Identity", context.span))


def _fed(context: CallContext, name: str, type_: TensorType) -> CallContext:
    """Return the context of the next item of a chain, whose sole source has this name and type."""
    made = {name: Given(ir.BlockInput(name, context.span), type_)}
    return context._replace(sources=(ir.Source(name, None, context.span),), made=made)
