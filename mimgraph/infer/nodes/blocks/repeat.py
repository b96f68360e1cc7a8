"""Type a repeated block: the outputs of each step feed the inputs of the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from mimgraph.infer.nodes.blocks.block_body import Using, type_use
from mimgraph.infer.nodes.blocks.groups import check_repeated_group, fed_to
from mimgraph.infer.nodes.blocks.repeat_words import Steps, index_type
from mimgraph.infer.nodes.optional import check_repeat_presence, missing_inputs, output_presences
from mimgraph.infer.nodes.sources import known_types
from mimgraph.infer.scope import Fed
from mimgraph.ir.declared.graph import Block, Source
from mimgraph.ir.declared.operations import Repeat, carried
from mimgraph.ir.dims.bounds import at_least
from mimgraph.ir.dims.dim import Dim
from mimgraph.ir.presence import Presence
from mimgraph.ir.typed.graph import Body, Value
from mimgraph.ir.typed.operations import STEPS, Repeated
from mimgraph.ir.types import DTYPES, Constraint, TensorType, at_least_one

Presences: TypeAlias = Mapping[str, Presence]


class TypedRepeat(NamedTuple):
    """A repeated block, and the types of its results by port."""

    operation: Repeated
    results: Mapping[str, TensorType]


def type_repeat(
    using: Using, repeat: Repeat, steps: Steps, names: tuple[str, ...], fed: Mapping[str, Fed]
) -> TypedRepeat | None:
    """Return the repeated block; None if a step does not fit the one before, which is reported.

    `names` are the inputs that sources fill.
    """
    block = using.block
    handed_on = carried(names, block.output_names)
    if not _check_given(using, handed_on, fed):
        return None
    if not check_repeated_group(using.site, block, (names[0], *handed_on), fed):
        return None
    first = fed[names[0]]
    current = dict(fed)
    if steps.counter:
        current = _with_index(block, steps.counter, _index_fed(repeat, steps, first), fed)
    fits = _Fits(using, repeat, steps, names[0], first.presence, handed_on)
    bodies: list[Body] = []
    for time, arguments in enumerate(steps.given):
        types = known_types(current)
        assert types is not None  # those of the sources, then of outputs that were typed
        body = type_use(using, arguments, current, types, missing_inputs(current), time)
        if body is None:
            return None
        presences = fits.presences(body, current)
        if steps.collected is not None and not fits.collected(body, bodies, presences):
            return None
        handed = fits.handed_on(body, current, presences)
        if handed is None:
            return None
        bodies.append(body)
        current |= handed
    if isinstance(steps.number, Dim):
        del bodies[1:], steps.given[1:]
    operation = Repeated(
        *(tuple(bodies), tuple(steps.given), repeat.shared, handed_on),
        *(steps.number, block.family, steps.counter, steps.collected),
    )
    return TypedRepeat(operation, _results(using, operation, fed))


def _check_given(using: Using, handed_on: Iterable[str], fed: Mapping[str, Fed]) -> bool:
    """Return whether the inputs that each step hands on are given; report the first that is left out."""
    name = next((name for name in handed_on if not fed_to(name, fed)), None)
    if name is None:
        return True
    block = using.block
    message = f"each step of {block.family} hands {name} on, so the first needs it"
    help = f"feed {name}, or give the output {name} of {block.family} another name"
    using.site.fault("wrong-arity", message, using.site.node.span, help=help)
    return False


def _index_fed(repeat: Repeat, steps: Steps, first: Fed) -> Fed:
    """Return the number of the step as a source, which is there when the block runs."""
    assert repeat.counter is not None
    name, span = repeat.counter
    source = Source(name, None, span)
    return Fed(Value(name, ""), index_type(steps.number), source, span, first.presence)


def _with_index(block: Block, counter: str, index: Fed, fed: Mapping[str, Fed]) -> dict[str, Fed]:
    """Return the sources with the number of the step among them, in the order of the inputs."""
    place = {name: position for position, name in enumerate(block.input_names)}
    found = {**fed, counter: index}
    return {name: found[name] for name in sorted(found, key=lambda n: place[n.partition(".")[0]])}


class _Fits(NamedTuple):
    """Checks that the results of a step fit the next; `whole` says when the repeat runs, which the
    `first` input decides.

    `carried` are the inputs that each step hands to the next, each with the port that feeds it.
    """

    using: Using
    repeat: Repeat
    steps: Steps
    first: str
    whole: Presence
    carried: Mapping[str, str]

    def presences(self, body: Body, current: Mapping[str, Fed]) -> Presences:
        """Return when each result of a step exists, by port."""
        outer = {key: one.presence for key, one in current.items()}
        found = output_presences(body, self.whole, outer)
        return dict(zip(body.results, found.values(), strict=True))

    def handed_on(
        self, body: Body, current: Mapping[str, Fed], presences: Presences
    ) -> dict[str, Fed] | None:
        """Return the sources that change from one step to the next; None if an output does not fit
        the input that it feeds, which is reported."""
        site, repeat = self.using.site, self.repeat
        handed = dict[str, Fed]()
        for name, port in self.carried.items():
            before, type_ = current[name], body.results[port]
            if repeat.shared and not type_.is_alike(before.type):
                message = (
                    f"a shared repeat needs equal shapes in and out: {before.type} gives {type_}"
                )
                help = "leave shared: true out, and each repeat has weights of its own"
                if isinstance(self.steps.number, Dim):
                    help = "let the block return the shape that it takes"
                site.fault("shape-mismatch", message, repeat.span, help=help)
                return None
            presence = presences[port]
            is_needed = repeat.shared or name == self.first
            if is_needed and not check_repeat_presence(site, repeat, before, presence):
                return None
            if type_ is not before.type or presence != before.presence:
                handed[name] = before._replace(type=type_, presence=presence)
        return handed

    def collected(self, body: Body, before: list[Body], presences: Presences) -> bool:
        """Return whether the collected result of a step can be stacked; report it if not."""
        port, word = self.steps.collected, self.repeat.collect
        assert port is not None and word is not None
        site, type_ = self.using.site, body.results[port]
        first = before[0].results[port] if before else type_
        if not first.is_alike(type_):
            message = f"collect needs equal shapes at each step: {first}, then {type_}"
            site.fault("shape-mismatch", message, word.span)
        elif type_.dtype not in DTYPES:
            message = (
                f"{word.name or 'the result'} is a recurrent state, and only a tensor is collected"
            )
            site.fault("dtype-mismatch", message, word.span)
        elif presences[port] != self.whole:
            message = f"{word.name or 'the result'} may be missing, so it cannot be collected"
            help = "fill it inside the block: {layer: Fill, from: ..., value: zeros}"
            site.fault("optional-source", message, word.span, help=help)
        else:
            return True
        return False


def _results(using: Using, operation: Repeated, fed: Mapping[str, Fed]) -> Mapping[str, TensorType]:
    """Return the types of the results: of the last step, and of all steps if they are collected."""
    if not operation.bodies:  # repeated zero times: the inputs that its outputs would feed
        types = known_types(fed)
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
            using.site.state.require([needed])
    if operation.collected is not None:
        one = found[operation.collected]
        found[STEPS] = one.like(times, *one.dims)
    return found
