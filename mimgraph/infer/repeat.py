"""Type a repeated block: the outputs of each step feed the inputs of the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mimgraph.diagnostics.text import choices_of, code, drop, put, remove, write
from mimgraph.infer.apply import unreadable
from mimgraph.infer.block_inputs import fed_to
from mimgraph.infer.blocks import BlockUse, columns_of, in_order, lost_params, whole_number
from mimgraph.infer.evaluation import compute
from mimgraph.infer.presence import FILL_INSIDE, check_repeat_presence, output_presences
from mimgraph.infer.sources import known_types
from mimgraph.infer.state import Fed, Site
from mimgraph.infer.structure import is_lost
from mimgraph.ir.declared_graph import Block, Repeat, Source, Word, carried
from mimgraph.ir.declared_values import Option
from mimgraph.ir.dim import Dim, Size, at_least
from mimgraph.ir.typed_graph import Body, Presence, Value
from mimgraph.ir.typed_operations import STEPS, Repeated
from mimgraph.ir.types import DTYPES, Constraint, TensorType, at_least_one


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
        site.fault("bad-option", message, repeat.collect.span, help=remove("collect"))
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
    if repeat.shared and isinstance(number, Dim):
        return number if _can_count(site, times, number) else None
    return whole_number(site, times, "repeat", number)


def _can_count(site: Site, times: Option, number: Dim) -> bool:
    """Return whether a size known only at run time may be the number of repeats; report if not."""
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
            message, help = (
                f"{name} is given by index and in with",
                f"remove one of {drop('them')}",
            )
            site.fault("duplicate-key", message, span, help=help)
            return None
        message = f"a shared repeat is one module, in which the param {name} has one value"
        help = f"make {name} an input of {block.family}: an int64 tensor without axes"
        site.fault("bad-option", message, span, help=help)
    elif name not in block.input_names:
        _unknown_index(site, block, counter)
    elif not others:
        message = f"{block.family} has no input besides {name} that a step can pass to the next"
        site.fault("bad-option", message, span, help=f"write {code(f'inputs: [x, {name}]')}")
    elif (given := _given(site.fed or (), name, len(others))) is not None:
        message = f"{name} is the number of the step, so it takes no source"
        help = f"remove {drop('it')}; the sources: {', '.join(others)}"
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
    help = near or f"make it an input of the block: {code(f'inputs: [{inputs}]')}"
    site.fault("unknown-param", message, index.span, help=help)


# the results that are collected


def _collected(site: Site, block: Block, collect: Word) -> str | None:
    """Return the port whose results are collected; None if there is none, which is reported."""
    names = block.output_names
    if len(names) == 1:
        if collect.name in ("", *names):
            return ""
        help = write("collect: true")
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
        help = f"write {put(f'collect: {names[0]}')}; the outputs: {', '.join(choices_of(names))}"
        site.fault("unknown-port", message, collect.span, help=help)
        return None
    else:
        near = site.state.report.suggestion(collect.name, names, "its outputs")
        help = near or f"its outputs: {', '.join(choices_of(names))}"
    message = f"{block.family} has no output {collect.name!r}"
    site.fault("unknown-port", message, collect.span, help=help)
    return None


# the steps


class Repetition(NamedTuple):
    """A block that runs several times on these sources; `names` are the inputs that sources fill."""

    use: BlockUse
    repeat: Repeat
    steps: Steps
    names: tuple[str, ...]
    fed: Mapping[str, Fed]

    @property
    def _carried(self) -> Mapping[str, str]:
        """The inputs that each step hands to the next, each with the port that feeds it."""
        return carried(self.names, self.use.block.output_names)

    @property
    def _whole(self) -> Presence:
        """When the repeat runs, which its first input decides."""
        return self.fed[self.names[0]].presence

    def fits_sources(self) -> bool:
        """Return whether the first input, which decides when the repeat runs, and each carried input are
        fed one tensor; report the first that is not."""
        site, family = self.use.site, self.use.block.family
        for name in (self.names[0], *self._carried):
            if name in self.fed:
                continue
            span, group = site.node.span, fed_to(name, self.fed)
            message = f"each step of {family} hands {name} on, so the first needs it"
            help = f"connect {name}, or give the output {name} of {family} another name"
            if group:
                span = group[0].source.span
                message = f"{family} is repeated, so {name} must be one tensor, not a group"
                help = f"merge the group first, or give {family} another first input"
            site.fault("wrong-arity", message, span, help=help)
            return False
        return True

    def first_sources(self) -> dict[str, Fed]:
        """Return the sources of the first step, with the number of the step among them."""
        counter = self.repeat.counter
        if not self.steps.counter or counter is None:
            return dict(self.fed)
        name, span = counter
        source = Source(name, None, span)
        type_ = index_type(self.steps.number)
        index = Fed(Value(name, ""), type_, source, span, self._whole)
        return in_order(self.use.block, {**self.fed, name: index})

    def handed_on(
        self, body: Body, current: Mapping[str, Fed], before: list[Body]
    ) -> dict[str, Fed] | None:
        """Return the sources that change from a step to the next; None if a result does not fit the next
        step, or cannot be collected, which is reported. `before` are the bodies of the steps before."""
        outer = {key: one.presence for key, one in current.items()}
        found = output_presences(body, self._whole, outer).values()
        presences = dict(zip(body.results, found, strict=True))
        if self.steps.collected is not None and not self._collects(body, before, presences):
            return None
        site, repeat = self.use.site, self.repeat
        handed = dict[str, Fed]()
        for name, port in self._carried.items():
            given, type_ = current[name], body.results[port]
            if repeat.shared and not type_.is_alike(given.type):
                message = (
                    f"a shared repeat needs equal shapes in and out: {given.type} gives {type_}"
                )
                help = f"remove {drop('shared: true')}, and each repeat has its own weights"
                if isinstance(self.steps.number, Dim):
                    help = "let the block return the shape that it takes"
                site.fault("shape-mismatch", message, repeat.span, help=help)
                return None
            presence = presences[port]
            is_needed = repeat.shared or name == self.names[0]
            if is_needed and not check_repeat_presence(site, repeat, given, presence):
                return None
            if type_ is not given.type or presence != given.presence:
                handed[name] = given._replace(type=type_, presence=presence)
        return handed

    def _collects(self, body: Body, before: list[Body], presences: Mapping[str, Presence]) -> bool:
        """Return whether the collected result of a step can be stacked; report it if not."""
        port, word = self.steps.collected, self.repeat.collect
        assert port is not None and word is not None
        site, type_ = self.use.site, body.results[port]
        first = before[0].results[port] if before else type_
        if not first.is_alike(type_):
            message = f"collect needs equal shapes at each step: {first}, then {type_}"
            site.fault("shape-mismatch", message, word.span)
        elif type_.dtype not in DTYPES:
            message = (
                f"{word.name or 'the result'} is a recurrent state, and only a tensor is collected"
            )
            site.fault("dtype-mismatch", message, word.span)
        elif presences[port] != self._whole:
            message = f"{word.name or 'the result'} may be missing, so it cannot be collected"
            site.fault("optional-source", message, word.span, help=FILL_INSIDE)
        else:
            return True
        return False

    def typed(self, bodies: list[Body]) -> tuple[Repeated, Mapping[str, TensorType]]:
        """Return the repeated block, of the bodies of all steps, and the types of its results."""
        steps = self.steps
        if isinstance(steps.number, Dim):
            del bodies[1:], steps.given[1:]
        operation = Repeated(
            *(tuple(bodies), tuple(steps.given), self.repeat.shared, self._carried),
            *(steps.number, self.use.block.family, steps.counter, steps.collected),
        )
        return operation, self._results(operation)

    def _results(self, operation: Repeated) -> Mapping[str, TensorType]:
        """Return the types of the results: of the last step, and of all steps if they are collected."""
        if not operation.bodies:  # repeated zero times: the inputs that its outputs would feed
            types = known_types(self.fed)
            assert types is not None
            return {port: types[name] for name, port in operation.carried.items()}
        times, found = operation.times, dict(operation.bodies[-1].results)
        if isinstance(times, Dim):
            is_handed = found.keys() <= {*operation.carried.values()}
            # without a step the inputs are handed on, so what a step says of the numbers does not hold
            found = {port: type_.cast(type_.dtype) for port, type_ in found.items()}
            least = 0 if is_handed and operation.collected is None else 1
            if not at_least(times, least):
                needed = at_least_one(times) if least else Constraint(times, 0)
                self.use.site.state.require([needed])
        if operation.collected is not None:
            one = found[operation.collected]
            found[STEPS] = one.like(times, *one.dims)
        return found
