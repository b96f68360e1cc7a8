"""Blocks as they are used: params given, patterns bound to sizes, how often a repeat repeats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mimgraph.diagnostics import Label
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.infer.options import (
    Origin,
    compute,
    given_twice,
    layered,
    missing_options,
    origin_of,
    unknown_option,
)
from mimgraph.infer.scope import MAX_NODES, Context, Fed, State
from mimgraph.infer.structure import is_lost
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.expression import PLAIN, plain, to_text
from mimgraph.ir.graph import FAULTY, OTHERS, Block, BlockInput, Call, Option, Repeat, Written
from mimgraph.ir.types import TensorType
from mimgraph.ops import registry
from mimgraph.ops.rule_helpers import same_size
from mimgraph.source import Span

WORDS = ("from", "take", "freeze", "repeat")


def find_block(state: State, call: Call, span: Span, path: str) -> Block | None:
    """The block of a call whose params fit; None where a fault of either is told. `span` is the
    node's name."""
    block = state.blocks.get(call.block)
    if call not in state.calls:
        before = len(state.report.diagnostics)
        if block is None:
            _unknown_block(state, call, path)
        elif block.is_whole:
            _check_params(state, call, block, span, path)
        fine = block is not None and block.is_whole and len(state.report.diagnostics) == before
        state.calls[call] = fine and _is_readable(call, block)
    return block if state.calls[call] else None


def _is_readable(call: Call, block: Block | None) -> bool:
    """Return whether the params that the call gives are known: an unreadable one may be any, also
    the first."""
    lost = lost_params(block) if block is not None else set()
    return OTHERS not in lost and not (lost and call.lone is not None)


def _unknown_block(state: State, call: Call, path: str) -> None:
    """Report that no block has this name, unless an unreadable block probably had it."""
    families = [known.family for known in state.blocks.values()]
    if is_lost(call.block, lost_blocks(state), families, state.report):
        return
    help = state.report.suggestion(call.block, families, "known here")
    if registry.find("layer", call.block):
        help = f"{call.block} is a layer: write {{layer: {call.block}, ...}}"
    message = f"no block is called {call.block!r}"
    state.fault("unknown-block", message, call.span, path, help=help)


def lost_blocks(state: State) -> set[str]:
    """Return the names of the blocks that could not be read."""
    return {name for name, block in state.blocks.items() if not block.is_whole}


def _check_params(state: State, call: Call, block: Block, span: Span, path: str) -> None:
    """A call gives params that the block has, and those without a default."""
    given = given_params(call, block)
    if call.lone is not None and not block.params and call.lone.value is not FAULTY:
        help = f"write {block.family} without a value"
        message = f"{block.family} has no params"
        state.fault("wrong-type", message, call.lone.span, path, help=help)
    each = call.repeat.each if call.repeat else {}
    given_twice(given, each, state.report, path)
    lost = lost_params(block)
    unknown = [
        (name, option)
        for name, option in (*given.items(), *each.items())
        if name not in block.params and not _may_be_lost(state, name, block, lost)
    ]
    for name, option in unknown:
        params = tuple(block.params)
        inputs = [declared.name for declared in block.inputs]
        unknown_option(block.family, name, option, params, WORDS, state.report, path, inputs)
    if not unknown and not lost and OTHERS not in {*given, *each}:
        needed = [name for name, default in block.params.items() if default.value is None]
        missing = {name: "" for name in needed if name not in given and name not in each}
        missing_options(block.family, missing, span, state.report, path)


def lost_params(block: Block) -> set[str]:
    """Return the names of the block's params that could not be read."""
    return {name for name, option in block.params.items() if option.value is FAULTY}


def _may_be_lost(state: State, name: str, block: Block, lost: set[str]) -> bool:
    """Return whether this option of a call, or the param that it gives, could not be read."""
    return name == OTHERS or is_lost(name, lost, block.params.keys() - lost, state.report)


def given_params(call: Call, block: Block) -> Mapping[str, Option]:
    """The params of a call by name; a lone value is the first."""
    first = next(iter(block.params), None)
    if call.lone is None or first is None:
        return call.params
    return {**call.params, first: call.lone}


def origins_of(context: Context, call: Call, block: Block, time: int) -> dict[str, Origin]:
    """Return where the values of the block's params are written at this time of a repeat: at the
    use, or at that of a block around it which hands them on."""
    found: dict[str, Origin] = {}
    for name, option in given_params(call, block).items():
        outer = None if option.in_with else origin_of(option.value, context.origins)
        found[name] = outer or Origin(option.span, option.in_with)
    for name, option in (call.repeat.each if call.repeat else {}).items():
        outer = origin_of(option.value, context.origins)
        found[name] = outer if outer and outer.in_with else Origin(option.item(time), True)
    return found


def block_params(state: State, block: Block, given: Mapping[str, Any]) -> dict[str, Any]:
    """All params of a block: those given, and the defaults, which see the spec's params."""
    found: dict[str, Any] = {}
    for name, option in block.params.items():
        if name in given:
            found[name] = given[name]
        elif type(option.value) in PLAIN:
            found[name] = option.value
        else:
            env = layered(found, state.params)
            found[name] = plain(compute(option.value, env, state.report, block.family))
    return found


def default_params(state: State, key: str, block: Block) -> Mapping[str, Any]:
    """The defaults, which remember how they are written."""
    if key not in state.defaults:
        env = layered(block_params(state, block, {}), state.params)
        state.defaults[key] = {
            name: compute(option.value, env, state.report, block.family)
            for name, option in block.params.items()
        }
    return state.defaults[key]


def bind_pattern(
    state: State, block: Block, fed: Mapping[str, Fed], params: Mapping[str, Any], path: str
) -> dict[str, Size] | None:
    """The sizes that the inputs' patterns name; a use that does not fit is told at its source."""
    dims: dict[str, Size] = {}
    for declared in block.inputs:
        one, pattern = fed[declared.name], declared.pattern
        if pattern is None or one.type is None:
            continue
        env = layered(params, state.params)
        wants = f"{declared.name}: [{', '.join(map(_dim_text, pattern.dims))}]"
        if len(pattern.dims) != len(one.type.dims):
            message = f"{block.family} takes {wants}"
            _misfit(
                state, "rank-mismatch", message, one, declared, path, _first_axis(wants, one.type)
            )
            return None
        for dim, span, size in zip(*pattern, one.type.dims, strict=True):
            if isinstance(dim, str):
                expected: Any = dims.setdefault(dim, size)
            else:
                expected = compute(dim, env, state.report, path)
            if expected is FAULTY:
                return None
            if not isinstance(plain(expected), int | Dim):
                message = f"{_dim_text(dim)} must be a size, but it is {expected!r}"
                state.fault("bad-option", message, span, block.family)
                return None
            if not same_size(expected, size):
                message = f"{block.family} takes {wants}{_meant(dim, expected)}"
                are_named = str(expected).isidentifier() and str(size).isidentifier()
                help = f"if {size} and {expected} are one length, give both one name"
                help, bound = help if are_named else "", _bound_by(block, fed, dim)
                _misfit(state, "shape-mismatch", message, one, declared, path, help, bound)
                return None
    return dims


def _bound_by(block: Block, fed: Mapping[str, Fed], dim: Any) -> Fed | None:
    """Return what is fed to the first input whose pattern names this dimension."""
    naming = (one for one in block.inputs if one.pattern and dim in one.pattern.dims)
    return next((fed[one.name] for one in naming if isinstance(dim, str)), None)


def _meant(dim: Any, size: Any) -> str:
    """Return ", where C is 16", or "" if the dimension of the pattern is written as that size."""
    written = _dim_text(dim)
    return f", where {written} is {size}" if written != str(size) else ""


def _misfit(
    state: State,
    code: DiagnosticCode,
    message: str,
    fed: Fed,
    declared: BlockInput,
    path: str,
    help: str = "",
    bound: Fed | None = None,
) -> None:
    """Report a source that does not fit the pattern; `bound` is the source that fixed the size."""
    labels = [Label(declared.span, "the pattern")]
    if fed.producer != fed.source.span:
        labels.append(Label(fed.producer, str(fed.type)))
    if bound is not None and bound.producer not in (fed.source.span, fed.producer):
        labels.append(Label(bound.producer, str(bound.type)))
    span, note = fed.source.span, str(fed.type)
    state.fault(code, message, span, path, note=note, labels=tuple(labels), help=help)


def _first_axis(wants: str, given: TensorType) -> str:
    """Return the help for a tensor of the model that stands for every sample by its first axis."""
    if given.batched or given.dims[:1] != (1,):
        return ""
    name, sizes = wants.split("[", 1)
    rest = f", {sizes}" if sizes != "]" else sizes
    return f"the tensor has no batch, so the pattern must have its first axis, of size 1: {name}[1{rest}"


def _dim_text(dim: Any) -> str:
    return f"${to_text(dim.expression)}" if isinstance(dim, Written) else str(dim)


class Times(NamedTuple):
    """What each time of a repeat is given, one mapping a time; how often, as it was written."""

    given: list[dict[str, Any]]
    number: int


def repeats(state: State, context: Context, repeat: Repeat, path: str) -> Times | None:
    """The times of a repeat; None if something is faulty."""
    times = None
    if repeat.times is not None:
        times = compute(repeat.times.value, context.env, state.report, path)
        if times is FAULTY:
            return None
        if isinstance(times, Dim):
            message = f"repeat must be a number, but it is {times}"
            note = f"{times} is known only at run time"
            state.fault("symbolic-size", message, repeat.times.span, path, note=note)
            return None
        if not isinstance(times, int) or isinstance(times, bool) or times < 0:
            state.fault(
                "bad-option",
                "repeat must be a whole number of times, at least 0",
                repeat.times.span,
                path,
            )
            return None
        if times > MAX_NODES:
            message = f"more than {MAX_NODES:,} repeats"
            state.fault("too-large", message, repeat.times.span, path)
            return None
    columns = columns_of(state, context, repeat.each, times, path)
    if columns is None:
        return None
    if times is None:
        times = len(next(iter(columns.values())))
    given = [{name: column[i] for name, column in columns.items()} for i in range(times)]
    return Times(given, times)


def columns_of(
    state: State,
    context: Context,
    options: Mapping[str, Option],
    times: int | None,
    path: str,
    each: str = "repeat",
) -> dict[str, list[Any]] | None:
    """The lists of `with`, one value for `each` time or source."""
    columns: dict[str, list[Any]] = {}
    for name, option in options.items():
        column = compute(option.value, context.env, state.report, path)
        if column is FAULTY:
            return None
        if not isinstance(column, list) or times not in (None, len(column)):
            wants = "a list" if times is None else f"a list of {times}"
            message = f"{name} must be {wants}, one value for each {each}"
            state.fault("bad-option", message, option.span, path)
            return None
        times = len(column)
        columns[name] = column
    return columns
