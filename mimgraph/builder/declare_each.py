"""`layer.each(a, b)`: what is called on every source, declared and typed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mimgraph.builder.content_key import content
from mimgraph.builder.declare_layer import declare_apply, declare_freeze, declare_take, option
from mimgraph.builder.feed import Draft, Feed
from mimgraph.builder.user_line import fail
from mimgraph.infer.nodes.each import One, port_of
from mimgraph.ir import graph as ir
from mimgraph.ops.registry import EachCall, LayerCall


def draft_each(call: EachCall, feed: Feed) -> Draft:
    """The operation on each source; a block must declare the same graph on all of them."""
    options = {name: option(values, feed.span) for name, values in call.options.items()}
    take = declare_take(getattr(call.layer, "keywords", {}), feed.span)
    if isinstance(call.layer, LayerCall):
        operation: One = declare_apply(call.layer, feed.span)
        freeze = declare_freeze(call.layer.keywords, feed.span)
        return Draft(feed.infer(ir.Each(operation, options, feed.span), take, {}, freeze), {})
    layer: Any = call.layer
    if twice := [name for name in call.options if name in getattr(layer, "keywords", ())]:
        help = "write it once: in with_, one value for each, or in the block's call for all"
        raise fail("duplicate-key", f"{twice[0]} is given twice", feed.span, help)
    drafts = [
        _with(call, position).draft(_one(feed, source))
        for position, source in enumerate(feed.sources)
    ]
    operations = [_without(draft.typed.declared.operation, call) for draft in drafts]
    if any(content(other) != content(operations[0]) for other in operations):
        message = f"{call.layer.label} declares another graph for some of its sources"
        help = "call the block on each alone: what it declares depends on that source or option"
        raise fail("bad-option", message, feed.span, help)
    blocks = {key: block for draft in drafts for key, block in draft.blocks.items()}
    layer.claim(drafts[0].typed, feed)
    if isinstance(operations[0], ir.Call):  # what is no param of the block is a part of it
        known = blocks[operations[0].block].params
        options = {name: values for name, values in options.items() if name in known}
    each = ir.Each(operations[0], options, feed.span)
    freeze = drafts[0].typed.declared.freeze
    return Draft(feed.infer(each, take, blocks, freeze), blocks)


def _one(feed: Feed, source: ir.Source) -> Feed:
    """One of the sources alone."""
    path = f"{feed.path}{feed.name}."
    alone = source._replace(argument=None, argument_span=None)
    return feed._replace(name=port_of(source), path=path, sources=(alone,))


def _with(call: EachCall, position: int) -> Any:
    """The recipe with the options that one source has for itself."""
    own = {
        name: values[position]
        for name, values in call.options.items()
        if isinstance(values, list | tuple) and position < len(values)
    }
    layer: Any = call.layer
    return layer.given(own) if own else layer


def _without(operation: ir.Operation | None, call: EachCall) -> One:
    """The operation without these options."""
    if isinstance(operation, ir.Call):
        params = {k: v for k, v in operation.params.items() if k not in call.options}
        return replace(operation, params=params)
    assert isinstance(operation, ir.Chain)
    return operation
