"""Check the sources of a graph that is used as a block: their dtype, vocabulary, batch and presence."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from mimgraph.diagnostics import Label
from mimgraph.infer.evaluation import Evaluation, compute, decide, layered
from mimgraph.infer.nodes.optional import missing_inputs
from mimgraph.infer.scope import Fed, Site
from mimgraph.ir.declared.graph import Block, BlockInput, Input
from mimgraph.ir.declared.values import FAULTY
from mimgraph.ir.expression import plain
from mimgraph.ir.types import TensorType


def fits_inputs(
    site: Site,
    block: Block,
    fed: Mapping[str, Fed],
    absent: Container[str],
    params: Mapping[str, Any],
) -> bool:
    """Return whether each source fits its input, and those that are `absent` may be; report the first
    that does not, at the source."""
    missing: frozenset[str] | None = None
    for one in block.inputs:
        if one.name in absent and not _may_leave_out(site, block, one, params):
            return False
        given = None if one.declared is None else fed.get(one.name)  # else it may be a group
        if one.declared is None or given is None or given.type is None:
            continue
        if missing is None:
            missing = missing_inputs(fed)
        if one.name in missing and not _is_optional(site, one, params):
            _report_missing(site, block, one.declared, given)
            return False
        if not _fits(site, block, one.declared, given, given.type, params):
            return False
    return True


def _may_leave_out(site: Site, block: Block, one: BlockInput, params: Mapping[str, Any]) -> bool:
    """Return whether a use may leave out an input; report it if not."""
    source = site.left_out.get(one.name)
    if _is_optional(site, one, params) or (source is not None and one.declared is None):
        return True
    if source is not None and one.declared is not None:
        _report_missing(site, block, one.declared, source)
        return False
    message, help = f"{block.family} needs a source {one.name!r}", f"feed {one.name}"
    labels = (Label(one.span, "the input"),)
    site.fault("wrong-arity", message, site.node.span, labels=labels, help=help)
    return False


def _is_optional(site: Site, wants: BlockInput, params: Mapping[str, Any]) -> bool:
    env = layered(params, site.state.params)
    return decide("optional", wants.optional, Evaluation(env, site.state.report, site.path))


def _fits(
    site: Site,
    block: Block,
    wants: Input,
    fed: Fed,
    given: TensorType,
    params: Mapping[str, Any],
) -> bool:
    """Return whether a type fits; report it if not."""
    what = f"{wants.name} of {block.family}"
    label = (Label(wants.span, "the input"),)
    if given.dtype != wants.dtype:
        message = f"{what} is {wants.dtype}, not {given.dtype}"
        site.fault("dtype-mismatch", message, fed.source.span, labels=label)
        return False
    if wants.vocab is not None:
        env = layered(params, site.state.params)
        vocab = plain(compute(wants.vocab.value, Evaluation(env, site.state.report, site.path)))
        if vocab != given.vocab:
            if vocab is not FAULTY:
                message = f"{what} has a vocab of {vocab}, not {given.vocab or 'none'}"
                site.fault("dtype-mismatch", message, fed.source.span, labels=label)
            return False
    if given.has_moved_batch:
        message = f"{what} has the batch first, but {fed.text} has it elsewhere"
        site.fault("batch-moved", message, fed.source.span, note=str(given), labels=label)
        return False
    if not given.batched:
        message = f"{what} has a batch, but {fed.text} has none"
        site.fault("rank-mismatch", message, fed.source.span, note=str(given), labels=label)
        return False
    return True


def _report_missing(site: Site, block: Block, wants: Input, fed: Fed) -> None:
    """Report a source that may be missing for an input that is not optional."""
    help = f"fill it first: {{layer: Fill, from: {fed.text}, value: zeros}}"
    message = f"{fed.text} may be missing, but {wants.name} of {block.family} is not optional"
    label = (Label(wants.span, "the input"),)
    site.fault("optional-source", message, fed.source.span, labels=label, help=help)
