"""Check the keys of a repeat: how often, the step's number, and the results that are collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mimgraph.infer.evaluation import compute
from mimgraph.infer.nodes.apply import unreadable
from mimgraph.infer.nodes.blocks.block_use import checked_number, columns_of, lost_params
from mimgraph.infer.scope import Fed, Site
from mimgraph.infer.structure import is_lost
from mimgraph.ir.declared.graph import Block, Source
from mimgraph.ir.declared.operations import Repeat, Word
from mimgraph.ir.declared.values import Option
from mimgraph.ir.dims.bounds import at_least
from mimgraph.ir.dims.dim import Dim, Size
from mimgraph.ir.typed.operations import STEPS
from mimgraph.ir.types import TensorType


class Steps(NamedTuple):
    """The params `given` at each step, the `number` of steps, and the input that is its `counter`.

    Where the number is known only at run time, two steps stand for all. `collected` is a port.
    """

    given: list[dict[str, Any]]
    number: Size = 1
    counter: str = ""
    collected: str | None = None


def steps_of(
    site: Site, block: Block, repeat: Repeat, arguments: Mapping[str, Any]
) -> Steps | None:
    """Return the steps of a repeat, each with these arguments of the call and its own; None if a key
    of the repeat is faulty, which is reported."""
    number = _number(site, repeat) if repeat.times is not None else None
    is_right = repeat.times is None or number is not None
    index = _index(site, block, repeat, repeat.counter) if repeat.counter else ""
    collected = _collected(site, block, repeat.collect) if repeat.collect else None
    if not is_right or index is None or (repeat.collect and collected is None):
        return None
    fixed = number if isinstance(number, int) else None
    columns = columns_of(site.context, repeat.each, fixed, site.path, "repeat")
    if columns is None:
        return None
    if number is None:
        number = len(next(iter(columns.values())))
    if repeat.collect and at_least(number, 1) is False:
        message = f"collect needs at least one step, but times is {number}"
        site.fault("bad-option", message, repeat.collect.span, help="leave collect out")
        return None
    number_of_bodies = number if isinstance(number, int) else 2
    if repeat.counter and index not in block.input_names:
        columns[index] = list(range(number_of_bodies))
        index = ""
    given = [
        {**arguments, **{name: column[step] for name, column in columns.items()}}
        for step in range(number_of_bodies)
    ]
    return Steps(given, number, index, collected)


def index_type(number: Size) -> TensorType:
    """Return the type of the number of a step, of so many."""
    return TensorType((), "int64", batched=False, below=number)


# how often


def _number(site: Site, repeat: Repeat) -> Size | None:
    """Return the number of repeats; None if it is faulty, which is reported."""
    times = repeat.times
    assert times is not None
    number = compute(times.value, site.evaluation)
    if isinstance(number, Dim):
        return number if _can_count(site, repeat.shared, times, number) else None
    return checked_number(site, times, "repeat", 0, number)


def _can_count(site: Site, shared: bool, times: Option, number: Dim) -> bool:
    """Return whether a size known only at run time may be the number of repeats; report if not."""
    if not shared:
        message = f"repeat must be a number, but it is {number}"
        note = f"{number} is known only at run time"
        size = f"${number}" if str(number).isidentifier() else f"$({number})"
        shared_repeat = f"repeat: {{times: {size}, shared: true}}"
        help = f"weights of their own need a fixed number; for one module write {shared_repeat}"
        site.fault("symbolic-size", message, times.span, note=note, help=help)
        return False
    if at_least(number, 0) is False:
        message = f"repeat must be a whole number of times, at least 0, but it is {number}"
        site.fault("bad-option", message, times.span)
        return False
    types: Mapping[str, TensorType] = {
        str(position): fed.type
        for position, fed in enumerate(site.fed or ())
        if fed.type is not None
    }
    fault = unreadable(site, [("times", number)], types)
    if fault is not None:
        site.fault(fault.code, fault.message, times.span, help=fault.help)
    return fault is None


# the number of the step


def _index(site: Site, block: Block, repeat: Repeat, counter: Word) -> str | None:
    """Return the input or param of the block that is the number of the step; None if there is none of
    that name, which is reported."""
    name, span = counter
    others = [one for one in block.input_names if one != name]
    if name in block.params:
        if not repeat.shared and name not in repeat.each:
            return name
        if name in repeat.each:
            message, help = f"{name} is given by index and in with", "leave one of them out"
            site.fault("duplicate-key", message, span, help=help)
            return None
        message = f"a shared repeat is one module, in which the param {name} has one value"
        help = f"make {name} an input of {block.family}: an int64 tensor without axes"
        site.fault("bad-option", message, span, help=help)
    elif name not in block.input_names:
        _unknown_index(site, block, counter)
    elif not others:
        message = f"{block.family} has no input beside {name} that a step can hand to the next"
        site.fault("bad-option", message, span, help=f"write inputs: [x, {name}]")
    elif (given := _given(site.fed or (), name, len(others))) is not None:
        message = f"{name} is the number of the step, so it takes no source"
        help = f"leave it out of from; the sources: {', '.join(others)}"
        site.fault("wrong-arity", message, given.argument_span or given.span, help=help)
    else:
        return name
    return None


def _given(fed: Sequence[Fed], name: str, others: int) -> Source | None:
    """Return the source that is given by name for the number of the step, or as one too many."""
    named = next((one.source for one in fed if one.source.argument == name), None)
    if named is None and len(fed) == others + 1 and fed[-1].source.argument is None:
        return fed[-1].source
    return named


def _unknown_index(site: Site, block: Block, index: Word) -> None:
    """Report that the block has no input or param of this name, unless it could not be read."""
    known = [*block.input_names, *block.params]
    if is_lost(index.name, {*block.lost, *lost_params(block)}, known, site.state.report):
        return
    near = site.state.report.suggestion(index.name, known, "known here")
    inputs = ", ".join([*block.input_names, index.name])
    message = f"{block.family} has no input or param called {index.name!r}"
    help = near or f"make it an input of the block: inputs: [{inputs}]"
    site.fault("unknown-param", message, index.span, help=help)


# the results that are collected


def _collected(site: Site, block: Block, collect: Word) -> str | None:
    """Return the port whose results are collected; None if there is none, which is reported."""
    names = block.output_names
    if len(names) == 1:
        if collect.name in ("", *names):
            return ""
        help = "write collect: true"
    elif collect.name in names and STEPS not in names:
        return collect.name
    elif collect.name in names:
        message = (
            f"the collected results are the port {STEPS}, but so is an output of {block.family}"
        )
        site.fault("duplicate-name", message, collect.span, help="rename that output")
        return None
    elif not collect.name:
        message = f"{block.family} has several outputs: choose one to collect"
        help = f"write collect: {names[0]}; the outputs: {', '.join(names)}"
        site.fault("unknown-port", message, collect.span, help=help)
        return None
    else:
        near = site.state.report.suggestion(collect.name, names, "its outputs")
        help = near or f"its outputs: {', '.join(names)}"
    message = f"{block.family} has no output {collect.name!r}"
    site.fault("unknown-port", message, collect.span, help=help)
    return None
