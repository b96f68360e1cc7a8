"""Declare the layers and merges that an edit is given in Python."""

from __future__ import annotations

from typing import TypeAlias

from mimgraph.builder.blocks.call import BlockCall
from mimgraph.builder.declare_layer import declare_apply
from mimgraph.builder.edits.edit import Edit
from mimgraph.builder.edits.scope import Scope
from mimgraph.builder.handles.call_context import CallContext
from mimgraph.builder.node_names import snake_case
from mimgraph.builder.sequential import HasLayer, Sequential, item_help
from mimgraph.builder.tracing.expressions import as_written
from mimgraph.builder.user_line import raise_at_call
from mimgraph.diagnostics import SpecError
from mimgraph.infer.graph import Given, GivenGroup, Made
from mimgraph.ir.declared_graph import BlockInput, Node, Source
from mimgraph.ir.rewrite import Rewriter
from mimgraph.ops.layer_call import LayerCall, is_source
from mimgraph.support.arguments import shown

NewLayer: TypeAlias = LayerCall | Sequential | BlockCall | HasLayer
Layer: TypeAlias = LayerCall | Sequential | BlockCall

# a size that is known only at run time is written as its expression, `$(2 * T)`
WRITTEN = Rewriter(option=lambda option: as_written(option, None))


def as_layer(given: object) -> Layer:
    """Return the argument as a layer or merge with its options; raise a `TypeError` for another."""
    if hasattr(given, "as_layer"):
        given = given.as_layer()
    if isinstance(given, Layer):
        return given
    wants = "an edit takes a layer or merge with its options, such as layers.GELU()"
    called = ': graph.rewire("joined", from_=["a", "b"]) gives a node other sources'
    help = called if is_source(given) else item_help(given)
    raise TypeError(f"{wants}, not {shown(given)}{help}")


def is_layer(given: object) -> bool:
    """Return whether the argument is a layer or merge with its options."""
    return isinstance(given, Layer) or hasattr(given, "as_layer")


def stem(layer: Layer) -> str:
    """Return the beginning of the name of a node that the user does not name."""
    return snake_case(layer.op.__name__) if isinstance(layer, LayerCall) else layer.stem


def declare(edit: Edit, scope: Scope, name: str, layer: Layer, sources: tuple[Source, ...]) -> Node:
    """Return a node with a layer on these sources of the scope; the blocks that it uses are added to
    the edit."""
    fitted = _fitted(layer, sources)
    context = CallContext(name, scope.path, edit.span, fitted, {}, None)
    if isinstance(layer, LayerCall):
        if layer.option_sources:
            message = f"{layer.label} is given a source of another graph"
            raise edit.fault("unknown-source", message, "give only options: the sources stay")
        if scope.is_seq and layer.op.kind != "layer":
            message = (
                f"{layer.label} is a {layer.op.kind}, and an item of a seq is a layer or block"
            )
            help = f"replace the seq, {scope.path[:-1]!r}, as a whole"
            raise edit.fault("unknown-layer", message, help)
        apply = declare_apply(layer, edit.span, scope.is_seq)
        return WRITTEN.node(context.declare(apply, layer.keywords))
    made = {source.name: _made(edit, scope, name, source) for source in fitted}
    try:
        typed = layer.type_call(context._replace(made=made))
    except SpecError as error:  # at a source in the spec, or inside the function of a block
        raise_at_call(error.diagnostics, edit.span)
    if typed.borrowed:
        lent = next(iter(typed.borrowed.values()))
        message = f"{layer.label} shares {lent.label}, which is called outside of this graph"
        raise edit.fault("unknown-source", message, "make the layer inside the block")
    edit.made.update(typed.blocks)
    return WRITTEN.node(typed.node.declared)


def input_of_item(scope: Scope, item: str) -> tuple[Source, ...]:
    """Return the source of an item of a seq: the item before it."""
    before = str(int(item) - 1) if int(item) else "input"
    return (Source(before, None, scope.nodes[0].span),)


def _fitted(layer: Layer, sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """Return the sources with their names if all are names of arguments of the layer, else by
    position."""
    if isinstance(layer, LayerCall):
        if layer.op.inputs.kind == "named":
            return sources
        known = layer.op.inputs.names
    else:
        known = layer.argument_names
    if all(source.argument is None or source.argument in known for source in sources):
        return sources
    return tuple([source._replace(argument=None, argument_span=None) for source in sources])


def _made(edit: Edit, scope: Scope, name: str, source: Source) -> Made:
    """Return an input or node that a block reads, with its type."""
    typed, type_ = scope.typed.get(source.name), scope.types.get(source.name)
    if typed is not None and not scope.is_seq:
        return typed
    if typed is not None:
        type_ = typed.type
    inputs = (one for one in scope.inputs if one.name == source.name)
    declared = next(inputs, None) or BlockInput(source.name, source.span)
    if type_ is not None:
        return Given(declared, type_)
    members = {k: one for k, one in scope.types.items() if k.startswith(f"{source.name}.")}
    if members and isinstance(declared, BlockInput):
        return GivenGroup(declared, {k.partition(".")[2]: one for k, one in members.items()})
    message = f"the shape that {scope.path}{name} reads is not known"
    help = "its block is repeated zero times, so give a layer in place of a block"
    raise edit.fault("bad-option", message, help)
