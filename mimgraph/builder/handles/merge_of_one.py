"""Record a layer in place of a merge of one source, `merges.concat([x])`, as programs write it that
collect their sources in lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

from mimgraph.builder.declare_layer import declare_apply
from mimgraph.builder.handles.call_context import CallContext
from mimgraph.builder.handles.records import Layer
from mimgraph.ops.layer_call import NODE_OPTIONS, LayerCall
from mimgraph.ops.lone_source import layer_of_one


def is_merge_of_one(layer: Layer, given: Sequence[object]) -> TypeGuard[LayerCall]:
    """Return whether a call is a merge for two or more that is given one source."""
    return isinstance(layer, LayerCall) and bool(layer.op.alone) and len(given) == 1


def in_place_of(merge: LayerCall, dtype: str, context: CallContext) -> LayerCall:
    """Return the layer that does what the merge does to its one source of this dtype, checked.

    The rule of the merge, which is for two or more, is asked about the source given twice.
    """
    words = {name: merge.keywords[name] for name in NODE_OPTIONS if name in merge.keywords}
    own = {name: value for name, value in merge.keywords.items() if name != "activation"}
    plain = LayerCall(merge.op, merge.args, own)
    twice = context._replace(sources=context.sources * 2)
    typed = twice.infer(declare_apply(plain, context.span), own)
    assert typed.type is not None
    op, options = layer_of_one(merge.op, own, dtype, typed.type.dtype)
    return LayerCall(op, (), {**options, **words})
