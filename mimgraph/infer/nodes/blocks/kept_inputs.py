"""Keep inputs that a use of a block leaves out where its module must have them."""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.infer.nodes.optional import MAX_OPTIONAL
from mimgraph.infer.scope import Fed, Site
from mimgraph.ir.declared.graph import Block


def with_kept(site: Site, block: Block, fed: Mapping[str, Fed]) -> dict[str, Fed]:
    """Return the sources of a block with those that are never given but are inputs of its module.

    Other nodes that share the module give them. Of several outputs one may be missing without an input,
    while the block must have the others.
    """
    if not site.kept and not site.left_out:
        return {**fed}
    kept = {name: one for name, one in site.kept.items() if name not in fed}
    if len(block.outputs) > 1:
        left_out = {n: one for n, one in site.left_out.items() if one.type is not None}
        kept = {**left_out, **kept}
    if not kept:
        return {**fed}
    if len(kept) > MAX_OPTIONAL:
        message = f"more than {MAX_OPTIONAL} inputs that some uses leave out"
        site.fault("too-large", message, site.node.span)
        site.state.report.raise_if_any()  # computing their presences would take too long
    place = {name: position for position, name in enumerate(block.input_names)}
    found = {**fed, **kept}
    return {name: found[name] for name in sorted(found, key=lambda n: place[n.partition(".")[0]])}
