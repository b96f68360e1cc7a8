"""Bind the dimensions that the inputs of a block name, `{x: [C, H, W]}`, to the sizes at one use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mimgraph.diagnostics import Label
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.infer.evaluation import Evaluation, compute, layered
from mimgraph.infer.nodes.blocks.groups import fed_to
from mimgraph.infer.scope import Fed, Site
from mimgraph.ir.declared.graph import Block, BlockInput
from mimgraph.ir.declared.values import FAULTY, Written
from mimgraph.ir.dims.dim import Dim, Size
from mimgraph.ir.expression import plain, to_text
from mimgraph.ir.types import TensorType
from mimgraph.ops.rule_helpers import same_size
from mimgraph.source import Span


def bind_pattern(
    site: Site, block: Block, fed: Mapping[str, Fed], params: Mapping[str, Any]
) -> dict[str, Size] | None:
    """Return the sizes of the named dimensions; None if a source does not fit its pattern, which is
    reported at the source."""
    dims: dict[str, Size] = {}
    for declared in block.inputs:
        pattern = declared.pattern
        if pattern is None:
            continue
        for one in fed_to(declared.name, fed):
            if one.type is None:
                continue
            if len(pattern.dims) != len(one.type.dims):
                help = _with_first_axis(_text(declared), one.type)
                _misfit(site, block, declared, one, "rank-mismatch", help=help)
                return None
            for dim, span, size in zip(*pattern, one.type.dims, strict=True):
                if isinstance(dim, str):
                    expected: Size | None = dims.setdefault(dim, size)
                else:
                    expected = _computed(site, block, dim, span, params)
                if expected is None:
                    return None
                if not same_size(expected, size):
                    _report_size(site, block, fed, declared, one, dim, expected, size)
                    return None
    return dims


def _computed(
    site: Site, block: Block, dim: Any, span: Span, params: Mapping[str, Any]
) -> Size | None:
    """Return the size that a pattern gives as a number or expression; None if that is faulty."""
    state = site.state
    env = layered(params, state.params)
    found = compute(dim, Evaluation(env, state.report, site.path))
    if found is FAULTY or isinstance(plain(found), int | Dim):
        return None if found is FAULTY else found
    message = f"{_dim_text(dim)} must be a size, but it is {found!r}"
    state.fault("bad-option", message, span, block.family)
    return None


def _report_size(
    site: Site,
    block: Block,
    fed: Mapping[str, Fed],
    declared: BlockInput,
    one: Fed,
    dim: Any,
    expected: Size,
    size: Size,
) -> None:
    """Report a size that is not the one that the pattern wants, with the source that bound the name."""
    written = _dim_text(dim)
    where = f", where {written} is {expected}" if written != str(expected) else ""
    are_named = str(expected).isidentifier() and str(size).isidentifier()
    help = (
        f"if {size} and {expected} are the same length, use one name for both" if are_named else ""
    )
    naming = (each for each in block.inputs if each.pattern and dim in each.pattern.dims)
    bound = next((fed_to(each.name, fed)[0] for each in naming if isinstance(dim, str)), None)
    _misfit(site, block, declared, one, "shape-mismatch", where, help, bound)


def _misfit(
    site: Site,
    block: Block,
    declared: BlockInput,
    fed: Fed,
    code: DiagnosticCode,
    where: str = "",
    help: str = "",
    bound: Fed | None = None,
) -> None:
    """Report a source that does not fit the pattern; `bound` is the source that bound the name."""
    labels = [Label(declared.span, "the pattern")]
    if fed.producer != fed.source.span:
        labels.append(Label(fed.producer, str(fed.type)))
    if bound is not None and bound.producer not in (fed.source.span, fed.producer):
        labels.append(Label(bound.producer, str(bound.type)))
    message = f"{block.family} takes {_text(declared)}{where}"
    span, note = fed.source.span, str(fed.type)
    site.fault(code, message, span, note=note, labels=tuple(labels), help=help)


def _with_first_axis(wants: str, given: TensorType) -> str:
    """Return the pattern with a first axis of size 1, for a parameter or buffer that has one."""
    if given.batched or given.dims[:1] != (1,):
        return ""
    name, sizes = wants.split("[", 1)
    rest = f", {sizes}" if sizes != "]" else sizes
    return f"the tensor has no batch, so the pattern must have its first axis, of size 1: {name}[1{rest}"


def _text(declared: BlockInput) -> str:
    """Return an input with its pattern as it is written: `x: [C, H, W]`."""
    dims = declared.pattern.dims if declared.pattern is not None else ()
    return f"{declared.name}: [{', '.join(map(_dim_text, dims))}]"


def _dim_text(dim: Any) -> str:
    """Return a dimension of a pattern as it is written: `C`, `3` or `$width`."""
    return f"${to_text(dim.expression)}" if isinstance(dim, Written) else str(dim)
