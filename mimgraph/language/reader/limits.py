"""Read the limits of the cost: amounts, and the sizes at which they hold."""

from __future__ import annotations

from mimgraph.ir.declared.graph import LIMITED, DeclaredLimits
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.mappings import check_keys, read_mapping
from mimgraph.language.reader.values import read_option
from mimgraph.language.yaml_tree.tree import Scalar, Tree


def read_limits(context: Context, key: Scalar, tree: Tree) -> DeclaredLimits | None:
    """Return the limits that a spec declares; None after reporting that they are no mapping."""
    limits = read_mapping(context, "limits", tree)
    if limits is None:
        return None
    check_keys(context, "limits", limits)
    sizes = read_mapping(context, "sizes", limits.get("sizes"))
    return DeclaredLimits(
        key.span,
        {
            one.text: read_option(context, one, v)
            for one, v in limits.entries
            if one.text in LIMITED
        },
        {one.text: read_option(context, one, v) for one, v in sizes.entries} if sizes else {},
    )
