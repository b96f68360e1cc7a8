"""Declare the graph that computes given outputs, and name its blocks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import TypeAlias

from mimgraph.builder.content_key import content_key
from mimgraph.builder.declare_body import declare_body
from mimgraph.builder.inputs import Inputs, public_inputs
from mimgraph.builder.node_names import Names
from mimgraph.builder.outputs import Outputs, public_outputs
from mimgraph.builder.user_line import spec_error, user_line
from mimgraph.diagnostics.nearest import suggestion
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_graph import LIMITED, DeclaredLimits
from mimgraph.ir.declared_values import Option
from mimgraph.ir.names import class_fault
from mimgraph.ir.rewrite import with_keys
from mimgraph.source import Span
from mimgraph.support.arguments import as_mapping, as_plain


def declare_graph(
    outputs: Outputs, name: str, doc: str, limits: GivenLimits | None = None
) -> ir.Graph:
    """Return the graph that computes these outputs."""
    span = user_line()
    reason = class_fault(name) if isinstance(name, str) else "a name is a string"
    if reason is not None:
        raise spec_error("bad-name", f"{name!r} cannot be a class name", span, reason)
    body = declare_body(public_outputs(outputs, span), (), None, span)
    keys, blocks = _named(body.blocks)
    return ir.Graph(
        name,
        span,
        inputs=tuple(i for i in body.inputs if isinstance(i, ir.Input)),
        blocks=blocks,
        nodes=with_keys(body.nodes, keys),
        outputs=body.outputs,
        doc=doc,
        limits=declare_limits(limits, span),
    )


def declare_model(
    inputs: Inputs,
    outputs: Outputs,
    name: str,
    doc: str,
    limits: GivenLimits | None = None,
) -> ir.Graph:
    """Return the graph that computes the outputs from these inputs, in their order; raise a fault if
    it needs others, or if it does not need one of them."""
    span = user_line()
    declared = declare_graph(outputs, name, doc, limits)
    given = public_inputs(inputs, span)
    needed = {one.name: one for one in declared.inputs}
    for one in given:
        if one is not needed.get(one.name):
            message = f"{one.name} is among inputs, but no output depends on it"
            raise spec_error("unused-input", message, span, "leave it out of inputs")
    missing = [one for one in needed if one not in {one.name for one in given}]
    if missing:
        message = f"the outputs depend on {', '.join(missing)}, which inputs lacks"
        help = f"inputs=[{', '.join([*(one.name for one in given), *missing])}]"
        raise spec_error("unknown-source", message, span, help)
    return replace(declared, inputs=given)


def _named(blocks: Mapping[str, ir.Block]) -> tuple[dict[str, str], dict[str, ir.Block]]:
    """Return the name of each block by its key, and the blocks by name; equal blocks become one.

    The second block of a family is `residual_2`, a family of its own as its class `Residual2` is, so
    that the graph emits the same source as its dump: copies of a model find their classes by it.
    """
    names = Names(first_number=2)
    keys: dict[str, str] = {}
    known: dict[Hashable, str] = {}
    found: dict[str, ir.Block] = {}
    for key, block in blocks.items():
        named = replace(block, nodes=with_keys(block.nodes, keys))
        content = content_key(named)
        if content not in known:
            name = known[content] = names.unique(block.family)
            found[name] = replace(named, family=name)
        keys[key] = known[content]
    return keys, found


GivenLimits: TypeAlias = Mapping[str, int | str | Mapping[str, int]]

EXAMPLE = '{"parameters": "20M", "macs": "2G"}'


def declare_limits(given: GivenLimits | None, span: Span) -> DeclaredLimits | None:
    """Return the limits as declared at the user's line `span`; None if there are none."""
    limits = as_mapping("limits", given, EXAMPLE)
    if not limits:
        return None
    sizes = as_mapping("sizes in limits", limits.pop("sizes", None), '{"T": 128}')
    for name in limits:
        if name not in LIMITED:
            keys = (*LIMITED, "sizes")
            help = suggestion(name, keys) or f"its keys: {', '.join(keys)}"
            raise spec_error("unknown-key", f"limits has no key {name!r}", span, help)
    return DeclaredLimits(span, _options(limits, span), _options(sizes, span))


def _options(given: Mapping[str, object], span: Span) -> dict[str, Option]:
    return {name: Option(as_plain(name, value), span, span) for name, value in given.items()}
