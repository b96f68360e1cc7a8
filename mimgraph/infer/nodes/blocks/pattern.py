"""Bind the dimensions that the inputs of a block name, `{x: [C, H, W]}`, to the sizes at one use."""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd
from typing import Any, NamedTuple

from mimgraph.diagnostics import Label
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.infer.evaluation import Evaluation, compute, layered
from mimgraph.infer.linear_sizes import linear_size
from mimgraph.infer.nodes.blocks.groups import fed_to
from mimgraph.infer.scope import Fed, Site
from mimgraph.ir.declared.graph import Block, BlockInput
from mimgraph.ir.declared.sizes import LinearSize
from mimgraph.ir.declared.values import FAULTY, Written
from mimgraph.ir.dims.bounds import at_least
from mimgraph.ir.dims.dim import Dim, DimOverflow, Size
from mimgraph.ir.dims.linear import Line, line_of
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
                axis = _Axis(site, block, declared, one, dim, span, size)
                expected = _expected(axis, params, dims)
                if expected is None:
                    return None
                if not same_size(expected, size):
                    _report_size(axis, fed, expected)
                    return None
    return dims


class _Axis(NamedTuple):
    """An axis of a source at one use of a block, with the dimension of the pattern that it must fit."""

    site: Site
    block: Block
    declared: BlockInput
    fed: Fed
    dim: Any
    span: Span
    size: Size


def _expected(axis: _Axis, params: Mapping[str, Any], dims: dict[str, Size]) -> Size | None:
    """Return the size that a pattern wants; bind a name that is new. None if it is faulty, which is
    reported."""
    if isinstance(axis.dim, str):
        return dims.setdefault(axis.dim, axis.size)
    state = axis.site.state
    at = Evaluation(layered(params, state.params), state.report, axis.site.path)
    if not isinstance(axis.dim, LinearSize):
        return _computed(axis, at)
    line, name = linear_size(axis.dim, axis.span, at), axis.dim.name
    if line is None:
        return None
    try:
        if name not in dims and not _solve(line, name, axis.size, dims):
            _report_unsolved(axis, axis.dim._replace(factor=line.factor, offset=line.offset))
            return None
        return line.at(dims[name])
    except DimOverflow:
        message = f"where {name} is {dims.get(name, axis.size)}, {axis.dim} does not fit in 64 bits"
        state.fault("too-large", message, axis.span, axis.block.family)
        return None


def _solve(line: Line, name: str, size: Size, dims: dict[str, Size]) -> bool:
    """Bind the name in `8*H` to an eighth of the size; return whether the size is always a multiple."""
    found = line.solve(size)
    # without an offset an axis that has elements has a positive multiple
    if not same_size(line.at(found), size) or (line.offset and at_least(found, 1) is not True):
        return False
    dims[name] = found
    return True


def _computed(axis: _Axis, at: Evaluation) -> Size | None:
    """Return the size that a pattern gives as a number or expression; None if that is faulty."""
    found = compute(axis.dim, at)
    if found is FAULTY or isinstance(plain(found), int | Dim):
        return None if found is FAULTY else found
    message = f"{_dim_text(axis.dim)} must be a size, but it is {found!r}"
    axis.site.state.fault("bad-option", message, axis.span, axis.block.family)
    return None


def _report_unsolved(axis: _Axis, wants: LinearSize) -> None:
    """Report a size that is not `8*H` for any H, or is known only at run time and may not be."""
    size, help = axis.size, ""
    is_not, no = ("may not be", "may be no") if isinstance(size, Dim) else ("is not", "is no")
    where = f"{no} multiple of {wants.factor}"
    if wants.offset:
        where = f"{is_not} {wants} for any {wants.name}"
    linear = line_of(size)
    if linear is not None and (linear.line == (1, 0) or linear.line.offset == wants.offset == 0):
        times = wants.factor // gcd(wants.factor, linear.line.factor)
        declared = LinearSize(times, linear.name, wants.offset)
        help = (
            f"if it always is one, write {declared} for {linear.name} in the shapes of the inputs"
        )
    _misfit(*axis[:4], "shape-mismatch", f", and {size} {where}", help)


def _report_size(axis: _Axis, fed: Mapping[str, Fed], expected: Size) -> None:
    """Report a size that is not the one that the pattern wants, with the source that bound the name."""
    dim, size, written = axis.dim, axis.size, _dim_text(axis.dim)
    where = f", where {written} is {expected}" if written != str(expected) else ""
    are_named = str(expected).isidentifier() and str(size).isidentifier()
    help = (
        f"if {size} and {expected} are the same length, use one name for both" if are_named else ""
    )
    name = dim.name if isinstance(dim, LinearSize) else dim
    naming = (each for each in axis.block.inputs if each.pattern and name in each.pattern.names)
    found = (one for each in naming for one in fed_to(each.name, fed))
    bound = next(found, None) if isinstance(name, str) else None
    _misfit(*axis[:4], "shape-mismatch", where, help, bound)


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
