"""Name the value that an item of a seq has alone, `Linear: 64`, where something else stands beside it."""

from __future__ import annotations

from mimgraph.builder.edits.edit import Edit
from mimgraph.ir.declared.graph import Node
from mimgraph.ir.declared.operations import Apply
from mimgraph.ops import registry
from mimgraph.support.frozen_data import replace


def with_named_value(edit: Edit, item: Node) -> Node:
    """Return an item as `Linear: {out_features: 64, activation: ReLU}`: a value is alone, or has a
    name."""
    apply = item.applied
    if not isinstance(apply, Apply) or apply.lone is None:
        return item
    has_words = item.take is not None or item.over is not None or item.freeze is not False
    if not (has_words or apply.options or apply.activation is not None):
        return item
    op = registry.find(apply.kind, edit.resolved(apply.name))
    if op is None or op.lone_option is None:  # which is a fault of its own
        return item
    options = {op.lone_option: apply.lone, **apply.options}
    return item.with_applied(replace(apply, options=options, lone=None))
