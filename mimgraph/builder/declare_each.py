"""Declare a further call of a layer as a share, and type `layer.each(a, b)`: one layer applied to every source."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from mimgraph.builder.declare_layer import as_declared, declare_apply, entries_of, option
from mimgraph.builder.names import content_key
from mimgraph.builder.records import (
    BLOCK_OPTIONS,
    NO_BLOCKS,
    CallContext,
    Composite,
    Layer,
    TypedCall,
    lent_to,
)
from mimgraph.builder.user_line import spec_error
from mimgraph.declare.nodes import read_each
from mimgraph.infer.each import port_of
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_graph import AppliedOperation, Call, Each, Operation, Share
from mimgraph.ir.declared_values import Option
from mimgraph.ops.layer_call import EachCall, ItemCall, LayerCall
from mimgraph.source import Span


def share(layer: Layer | None, target: str, span: Span) -> Share | Each:
    """Declare a further call of the layer of the node `target`."""
    if not isinstance(layer, EachCall):
        return Share(target, span, layer.item if isinstance(layer, ItemCall) else None)
    if layer.options:
        raise spec_error("unknown-option", "a share takes no options", span)
    return Each(Share(target, span), {}, span, declare_times(layer, span))


def declare_times(call: EachCall, span: Span) -> Option | None:
    """Return the number of copies on one source; None for one for each source."""
    return None if call.times is None else option(call.times, span)


def type_each(call: EachCall, context: CallContext) -> TypedCall:
    """Type the call; a block must declare the same graph for all sources."""
    span = context.span
    if isinstance(call.layer, LayerCall):
        each = _declared(call, declare_apply(call.layer, span), span)
        return TypedCall(context.infer(each, call.layer.keywords).typed, NO_BLOCKS)
    layer = cast("Composite", call.layer)
    _check_options(layer, call, span)
    times = declare_times(call, span)
    number = 0 if times is None else times.value
    sources = context.sources * number if type(number) is int and number > 0 else context.sources
    typed = [
        _with_options(layer, call, position).type_call(_alone(context, source))
        for position, source in enumerate(sources)
    ]
    operations = [_without_options(one.node.declared.operation, call) for one in typed]
    if any(content_key(other) != content_key(operations[0]) for other in operations):
        message = f"{layer.label} declares another graph for some of its sources"
        help = "call the block on each alone: what it declares depends on that source or option"
        raise spec_error("bad-option", message, span, help)
    blocks = {key: block for one in typed for key, block in one.blocks.items()}
    borrowed = {name: record for one in typed for name, record in one.borrowed.items()}
    layer.claim(typed[0].node, context)
    each = _declared(call, operations[0], span)
    if isinstance(operations[0], Call):  # another param's value is a part of the declared block
        params = blocks[operations[0].block].params
        options = {name: values for name, values in each.options.items() if name in params}
        each = replace(each, options=options)
    node = lent_to(context, borrowed).infer(each, layer.words, blocks).typed
    return TypedCall(node, blocks, borrowed)


def _declared(call: EachCall, operation: AppliedOperation, span: Span) -> Each:
    """Declare the operation as applied to each source."""
    words = {"shared": call.shared} | ({"with": call.options} if call.options else {})
    times = entries_of({"times": call.times}, span)["times"] if call.times is not None else None
    entries = entries_of(words, span)
    each = as_declared(span, lambda at: read_each(at, operation, entries, times, span, ""))
    assert each is not None  # else it has raised
    return each


def _check_options(layer: Composite, call: EachCall, span: Span) -> None:
    """Raise an error if an option is no param, or has a value for all sources as well."""
    for name in call.options:
        if name in BLOCK_OPTIONS:
            help = f"give it to the block, {layer.label}({name}=...).each(...)"
            raise spec_error(
                "unknown-option", f"with_ takes params, and {name} is none", span, help
            )
    twice = next((name for name in call.options if name in layer.keywords), None)
    if twice is not None:
        help = "write it once: in with_, one value for each, or in the block's call for all"
        raise spec_error("duplicate-key", f"{twice} is given twice", span, help)


def _alone(context: CallContext, source: ir.Source) -> CallContext:
    """Return the context of the call on one of the sources."""
    path = f"{context.path}{context.name}."
    alone = source._replace(argument=None, argument_span=None)
    return context._replace(name=port_of(source), path=path, sources=(alone,))


def _with_options(layer: Composite, call: EachCall, position: int) -> Composite:
    """Return the layer with the options for the source at this position."""
    own = {
        name: values[position]
        for name, values in call.options.items()
        if isinstance(values, list | tuple) and position < len(values)
    }
    return layer.given(own) if own else layer


def _without_options(operation: Operation | None, call: EachCall) -> AppliedOperation:
    """Return the operation without the options that have a value for each source."""
    assert operation is not None and not isinstance(operation, Each)
    return operation.with_named({k: v for k, v in operation.named.items() if k not in call.options})
