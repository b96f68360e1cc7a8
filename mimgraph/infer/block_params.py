"""Check and compute the params that a use of a block gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mimgraph.infer.evaluation import (
    Evaluation,
    Origin,
    compute,
    has_faulty,
    in_value,
    layered,
    origin_of,
)
from mimgraph.infer.options import Keys, given_twice, missing_options, unknown_option
from mimgraph.infer.state import MAX_NODES, Context, Site, State
from mimgraph.infer.structure import is_lost
from mimgraph.ir.declared_graph import Block, Call
from mimgraph.ir.declared_values import FAULTY, OTHERS, Option
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import plain
from mimgraph.ir.names import BESIDE, TRAINING
from mimgraph.ops import registry
from mimgraph.source import Span

WORDS = ("from", *BESIDE, *TRAINING, "repeat", "carry")


def find_block(state: State, call: Call, span: Span, path: str) -> Block | None:
    """Return the block that a call names; None if it is unknown or the params do not fit it.

    Faults are reported once for each call; `span` is the node's name.
    """
    block = state.blocks.get(call.block)
    if call not in state.memory.calls:
        before = len(state.report.diagnostics)
        if block is None:
            _unknown_block(state, call, path)
        elif block.is_whole:
            _check_params(state, call, block, span, path)
        fine = block is not None and block.is_whole and len(state.report.diagnostics) == before
        state.memory.calls[call] = fine and _is_readable(call, block)
    return block if state.memory.calls[call] else None


def _is_readable(call: Call, block: Block | None) -> bool:
    """Return whether the names of the params that a call gives are known; they are not if a lone
    value may belong to a param that could not be read."""
    lost = lost_params(block) if block is not None else set()
    return OTHERS not in lost and not (lost and call.lone is not None)


def _unknown_block(state: State, call: Call, path: str) -> None:
    """Report that no block has this name, unless an unreadable block probably had it."""
    families = [known.family for known in state.blocks.values() if not known.is_private]
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
    """Report params that the block does not have, and missing params that have no default."""
    given = given_params(call, block)
    if call.lone is not None and not block.params and call.lone.value is not FAULTY:
        help = f"write {block.family} without a value"
        message = f"{block.family} has no params"
        state.fault("wrong-type", message, call.lone.span, path, help=help)
    each = varying(call, block)
    given_twice(given, each, state.report, path)
    lost = lost_params(block)
    unknown = [
        (name, option)
        for name, option in (*given.items(), *each.items())
        if name not in block.params and not _may_be_lost(state, name, block, lost)
    ]
    for name, option in unknown:
        inputs = [declared.name for declared in block.inputs]
        keys = Keys(tuple(block.params), WORDS, inputs, "node")
        unknown_option(block.family, name, option, keys, state.report, path)
    if not unknown and not lost and OTHERS not in {*given, *each}:
        needed = [name for name, default in block.params.items() if default.value is None]
        missing = {name: "" for name in needed if name not in given and name not in each}
        if missing:
            missing_options(block.family, missing, span, state.report, path)


def lost_params(block: Block) -> set[str]:
    """Return the names of a block's params that could not be read."""
    return {name for name, option in block.params.items() if option.value is FAULTY}


def _may_be_lost(state: State, name: str, block: Block, lost: set[str]) -> bool:
    """Return whether this option of a call, or the param that it gives, could not be read."""
    return name == OTHERS or is_lost(name, lost, block.params.keys() - lost, state.report)


def given_params(call: Call, block: Block) -> Mapping[str, Option]:
    """Return the params that a call gives, by name; a lone value gives the first."""
    first = next(iter(block.params), None)
    if call.lone is None or first is None:
        return call.params
    return {**call.params, first: call.lone}


def block_arguments(site: Site, call: Call, block: Block) -> dict[str, Any] | None:
    """Return the params that a call gives; None if one is faulty, or if the block contains itself."""
    at = site.evaluation
    given = {name: compute(option.value, at) for name, option in given_params(call, block).items()}
    is_faulty = has_faulty(given.values()) or call.block in site.state.recursive
    return None if is_faulty else given


def varying(call: Call, block: Block) -> Mapping[str, Option]:
    """Return the params whose value a repeat gives at each step: those in `with`, and the `index`."""
    if call.repeat is None:
        return {}
    index, each = call.repeat.counter, call.repeat.each
    if index is None or index.name not in block.params or index.name in each:
        return each
    return {**each, index.name: Option(None, index.span, index.span)}


def origins_of(context: Context, call: Call, block: Block, time: int) -> dict[str, Origin]:
    """Return where the values of a block's params are written: in the call, or in the call of an
    outer block that passes them on. `time` counts the repeats from 0."""
    found: dict[str, Origin] = {}
    for name, option in given_params(call, block).items():
        outer = None if option.in_with else origin_of(option.value, context.origins)
        found[name] = outer or Origin(option.span, option.in_with)
    for name, option in varying(call, block).items():
        outer = origin_of(option.value, context.origins)
        found[name] = outer if outer and outer.in_with else Origin(option.item(time), True)
    return found


def block_params(state: State, block: Block, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all params of a block: the given ones, and the defaults, which may use the spec's
    params."""
    found: dict[str, Any] = {}
    for name, option in block.params.items():
        if name in given:
            found[name] = given[name]
        else:
            env = layered(found, state.params)
            at = Evaluation(env, state.report, block.family)
            found[name] = plain(compute(option.value, at))
    return found


def default_params(state: State, key: str, block: Block) -> Mapping[str, Any]:
    """Return the defaults of a block's params, with the expressions that they were computed from;
    None for a param that has none, or whose default reads such a param."""
    if key not in state.memory.defaults:
        found: dict[str, Any] = {}
        before: dict[str, Any] = {}  # a default reads the params before its own
        for name, option in _with_default(block).items():
            env = layered(before, state.params)
            found[name] = compute(option.value, Evaluation(env, state.report, block.family))
            before[name] = plain(found[name])
        state.memory.defaults[key] = {name: found.get(name) for name in block.params}
    return state.memory.defaults[key]


def _with_default(block: Block) -> dict[str, Option]:
    """Return the params whose defaults can be computed when no use gives any."""
    found: dict[str, Option] = {}
    without = set[str]()
    for name, option in block.params.items():
        if option.value is None or not without.isdisjoint(in_value(option.value)):
            without.add(name)
        else:
            found[name] = option
    return found


def whole_number(site: Site, times: Option, key: str, least: int) -> int | None:
    """Return how many repeats or copies the value of `key` wants; None if it is faulty, which is
    reported."""
    number = compute(times.value, site.evaluation)
    if isinstance(number, Dim):
        message = f"{key} must be a number, but it is {number}"
        note = f"{number} is known only at run time"
        site.fault("symbolic-size", message, times.span, note=note)
        return None
    return checked_number(site, times, key, least, number)


def checked_number(site: Site, times: Option, key: str, least: int, number: Any) -> int | None:
    """Return the number that `key` wants, if it is one of at least `least`; None after a report."""
    unit = "times" if key == "repeat" else "copies"
    if number is FAULTY:
        return None
    if not isinstance(number, int) or isinstance(number, bool) or number < least:
        message = f"{key} must be a whole number of {unit}, at least {least}"
        site.fault("bad-option", message, times.span, help=_dollar(site, key, number))
    elif number > MAX_NODES:
        site.fault("too-large", f"more than {MAX_NODES:,} {unit}", times.span)
    else:
        return number
    return None


def _dollar(site: Site, key: str, name: Any) -> str:
    """Return the help for a param or size that is named without its `$`, or for another text where a
    size may stand; "" for a value that is no text."""
    if not isinstance(name, str):
        return ""
    if name in site.context.env and not isinstance(site.context.env[name], Dim):
        return f"write ${name}"
    if key != "repeat":
        return ""
    if name in site.context.env:
        return f"write repeat: {{times: ${name}, shared: true}}"
    return "a size known only at run time is written $T, and in Python x.dims[0]"


def columns_of(
    context: Context,
    options: Mapping[str, Option],
    times: int | None,
    path: str,
    each: str,
) -> dict[str, list[Any]] | None:
    """Return the lists that `with` gives, one value for `each` "repeat" or "source"; None if faulty."""
    state = context.state
    at = Evaluation(context.env, state.report, path)
    columns: dict[str, list[Any]] = {}
    for name, option in options.items():
        column = compute(option.value, at)
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
