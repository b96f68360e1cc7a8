"""Fit the sources of one use of a block to its inputs: groups, declared types, named dimensions."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from itertools import groupby
from math import gcd
from typing import Any, NamedTuple

from mimgraph.diagnostics import Label
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.text import code, words
from mimgraph.infer.evaluation import Evaluation, compute, decide, linear_size
from mimgraph.infer.presence import fill_help, missing_inputs
from mimgraph.infer.sources import Arguments, match
from mimgraph.infer.state import Fed, Site
from mimgraph.ir.axes_help import projected
from mimgraph.ir.declared_graph import Block, BlockInput, Input, Source
from mimgraph.ir.declared_values import FAULTY, LinearSize, Written
from mimgraph.ir.dim import Dim, DimOverflow, Size, at_least, symbol, symbols
from mimgraph.ir.expression import plain, to_text
from mimgraph.ir.names import free_name
from mimgraph.ir.sizes import Line, line_of
from mimgraph.ir.types import TensorType
from mimgraph.ops.rule_helpers import same_size
from mimgraph.source import PythonFile, Span

DECLARE_OPTIONAL = (
    f"; an input that the block runs without is declared with {code('optional: true')}"
)
DEFAULT_NONE = "; an input that the block runs without has the default None, {}=None"


def optional_input(names: str) -> str:
    """Return the declaration of an optional input of a block, in a help."""
    return words(f"{names}: {{shape: [...], optional: true}}", f"{names}=None")


def match_block(site: Site, block: Block, names: tuple[str, ...]) -> dict[str, Fed] | None:
    """Return the sources of a block by the `names` of its inputs, and members of a group by `fields.city`;
    None where they do not fit, which is reported."""
    wanted = Arguments(block.family, names)
    if len(names) > 1:  # the first is needed
        wanted = Arguments(block.family, names, may_leave_out(site, block, names), _hint(block))
    if site.fed is None or not [one for one in site.fed if one.group is not None]:
        return match(site, wanted)
    groups, fed = _bundled(site.fed, block, names)
    found = match(site._replace(fed=fed), wanted)
    if found is None or not groups:
        return found
    members: dict[str, Fed] = {}
    for name, one in found.items():
        group = groups.get(one.group) if one.group is not None else None
        members |= {name: one} if group is None else {_member(name, each): each for each in group}
    return members


def _hint(block: Block) -> str:
    """Return how a block declares an input that it runs without; "" for a graph, which has its own."""
    if any(one.declared for one in block.inputs):
        return ""
    return DEFAULT_NONE if isinstance(block.span.file, PythonFile) else DECLARE_OPTIONAL


def may_leave_out(site: Site, block: Block, names: Sequence[str]) -> frozenset[str]:
    """Return the inputs that a use may leave out; never the first of `names`, on which the block runs."""
    optional = [one.name for one in block.inputs if one.optional is not False]
    return frozenset([*optional, *site.left_out]).difference(names[:1])


def fed_to(name: str, fed: Mapping[str, Fed]) -> list[Fed]:
    """Return what feeds an input of a block: one source, or all of a group."""
    if name in fed:
        return [fed[name]]
    return [one for key, one in fed.items() if key.startswith(f"{name}.")]


def left_out_inputs(
    block: Block, names: Iterable[str], fed: Mapping[str, Fed]
) -> dict[str, BlockInput]:
    """Return the inputs of a block, of those with these `names`, that nothing feeds."""
    absent = [name for name in names if name not in fed and not fed_to(name, fed)]
    return {one.name: one for one in block.inputs if one.name in absent} if absent else {}


def _bundled(
    fed: tuple[Fed, ...], block: Block, names: tuple[str, ...]
) -> tuple[dict[Source, list[Fed]], tuple[Fed, ...]]:
    """Return the sources of each group that feeds one input, and all sources with the first of each
    group in its place."""
    read = _read_by_port(block)
    of_part = [
        one.name for one in block.inputs if one.declared is not None
    ]  # of a graph: one tensor
    groups: dict[Source, list[Fed]] = {}
    whole: list[Fed] = []
    for group, run in groupby(fed, key=lambda one: one.group):
        members = list(run)
        argument, position = members[0].source.argument, len(whole)
        name = argument or (names[position] if position < len(names) else "")
        is_one = name in read or (argument not in (None, *of_part) and len(members) > 1)
        if group is not None and is_one:
            groups[group] = members
        whole += members[:1] if group in groups else members
    return groups, tuple(whole)


def _read_by_port(block: Block) -> set[str]:
    """Return the names that the nodes of a block read by a port: `fields.*`, `fields.city`."""
    read = [source for node in block.nodes for source in node.sources or ()]
    read += [output.source for output in block.outputs]
    return {source.name for source in read if source.port is not None}


def _member(name: str, one: Fed) -> str:
    """Return the name of a member of a group: its port, of a weight or item its last part."""
    return f"{name}.{(one.source.port or one.source.name).rpartition('.')[2]}"


# Check the sources of a graph that is used as a block: their dtype, vocabulary, batch and
# presence.


def fits_inputs(
    site: Site,
    block: Block,
    fed: Mapping[str, Fed],
    absent: Container[str],
    at: Evaluation,
) -> bool:
    """Return whether each source fits its input, and those that are `absent` may be; report the first
    that does not, at the source."""
    missing = missing_inputs(fed) if any(one.declared for one in block.inputs) else frozenset()
    for one in block.inputs:
        if one.name in absent and not _may_leave_out(site, block, one, at):
            return False
        given = None if one.declared is None else fed.get(one.name)  # else it may be a group
        if one.declared is None or given is None or given.type is None:
            continue
        if one.name in missing and not decide("optional", one.optional, at):
            _report_missing(site, block, one.declared, given)
            return False
        if not _fits(site, block, one.declared, given, given.type, at):
            return False
    return True


def _may_leave_out(site: Site, block: Block, one: BlockInput, at: Evaluation) -> bool:
    """Return whether a use may leave out an input; report it if not."""
    source = site.left_out.get(one.name)
    if decide("optional", one.optional, at) or (source is not None and one.declared is None):
        return True
    if source is not None and one.declared is not None:
        _report_missing(site, block, one.declared, source)
        return False
    message, help = f"{block.family} needs a source {one.name!r}", f"feed {one.name}"
    labels = (Label(one.span, "the input"),)
    site.fault("wrong-arity", message, site.node.span, labels=labels, help=help)
    return False


def _fits(
    site: Site, block: Block, wants: Input, fed: Fed, given: TensorType, at: Evaluation
) -> bool:
    """Return whether a type fits; report it if not."""
    what = f"{wants.name} of {block.family}"
    label = (Label(wants.span, "the input"),)
    if given.dtype != wants.dtype:
        message = f"{what} is {wants.dtype}, not {given.dtype}"
        site.fault("dtype-mismatch", message, fed.source.span, labels=label)
        return False
    if wants.vocab is not None:
        vocab = plain(compute(wants.vocab.value, at))
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
    message = f"{fed.text} may be missing, but {wants.name} of {block.family} is not optional"
    label = (Label(wants.span, "the input"),)
    site.fault("optional-source", message, fed.source.span, labels=label, help=fill_help(fed))


# Find the types of the inputs of a block that a use leaves out.
#
# A `Fill` of what they feed has the shape that it would have if they were given.


Types = dict[str, TensorType | None]


def left_out_types(
    site: Site,
    absent: Collection[BlockInput],
    fed: Mapping[str, Fed],
    at: Evaluation,
    dims: Mapping[str, Size],
) -> tuple[Types, Mapping[str, Size]]:
    """Return the types of the `absent` inputs, which a use leaves out, None where they are unknown, and the sizes
    of all named dimensions; a name that is bound by no source stays a name."""
    types = [one.type for one in fed.values() if one.type is not None]
    taken = {name for type_ in types for dim in type_.dims for name in symbols(dim)}
    names = [name for one in absent if one.pattern for name in one.pattern.names]
    sizes = {name: symbol(free_name(name, taken)) for name in names} | {**dims}
    found: Types = {}
    for one in absent:
        source = site.left_out.get(one.name)
        known = None if source is None else source.type
        found[one.name] = known or _declared_type(one, at, sizes)
    return found, sizes


def _declared_type(one: BlockInput, at: Evaluation, sizes: Mapping[str, Size]) -> TensorType | None:
    """Return the type that an input declares; None if it declares no shape."""
    if one.pattern is None:
        return None
    try:
        dims = [_size(dim, span, at, sizes) for dim, span in zip(*one.pattern, strict=True)]
    except DimOverflow:
        return None
    vocab, declared = None, one.declared
    if declared is not None and declared.vocab is not None:
        vocab = plain(compute(declared.vocab.value, at))
    known = tuple([size for size in dims if size is not None])
    if vocab is FAULTY or len(known) < len(dims):
        return None
    return TensorType(known, "float32" if declared is None else declared.dtype, vocab)


def _size(dim: Any, span: Any, at: Evaluation, sizes: Mapping[str, Size]) -> Size | None:
    """Return a size of a pattern; None if it is faulty."""
    if isinstance(dim, str):
        return sizes[dim]
    if isinstance(dim, LinearSize):
        line = linear_size(dim, span, at)
        return None if line is None else line.at(sizes[dim.name])
    found = plain(compute(dim, at))
    return found if isinstance(found, int | Dim) else None


# Bind the dimensions that the inputs of a block name, `{x: [C, H, W]}`, to the sizes at one use.


def bind_pattern(
    site: Site, block: Block, fed: Mapping[str, Fed], at: Evaluation
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
                expected = _expected(axis, at, dims)
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


def _expected(axis: _Axis, at: Evaluation, dims: dict[str, Size]) -> Size | None:
    """Return the size that a pattern wants; bind a name that is new. None if it is faulty, which is
    reported."""
    if isinstance(axis.dim, str):
        return dims.setdefault(axis.dim, axis.size)
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
        axis.site.state.fault("too-large", message, axis.span, axis.block.family)
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
    is_not, no = ("may not be", "may not be a") if isinstance(size, Dim) else ("is not", "is not a")
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
    help = f"if {size} and {expected} are the same length, use one name for both"
    if not are_named and (type_ := axis.fed.type) is not None:
        wanted = [expected if one is size else one for one in type_.dims]
        help = projected(type_, wanted, axis.fed.text)
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
    return code(f"${to_text(dim.expression)}") if isinstance(dim, Written) else str(dim)
