"""Find when nodes run if inputs are optional, and refuse ops that need a source that may be missing."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations

from mimgraph.diagnostics import Label
from mimgraph.diagnostics.text import SEQ, code, insert, put
from mimgraph.infer.evaluation import Evaluation, decide
from mimgraph.infer.state import Fed, Site, State
from mimgraph.ir.declared_graph import Input, Repeat
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.typed_graph import (
    ALWAYS,
    NEVER,
    Body,
    Presence,
    TypedNode,
    both,
    either,
    given,
    implies,
    inputs_of,
    renamed,
)
from mimgraph.ir.typed_operations import Leaf, Repeated, Scan, Use, unwrap
from mimgraph.ir.types import can_be_read
from mimgraph.ops import registry
from mimgraph.ops.custom.registration import Registered
from mimgraph.ops.op import Op

MAX_OPTIONAL = 128
FILL = code("{layer: Fill, from: ..., value: zeros}")
FILL_INSIDE = f"fill it inside the block: {FILL}"


def optional_inputs(state: State, inputs: Iterable[Input]) -> frozenset[str]:
    """Return the names of the inputs that may be left out."""
    at = Evaluation(state.params, state.report)
    return frozenset([one.name for one in inputs if decide("optional", one.optional, at)])


def check_inputs(state: State, inputs: Iterable[Input], names: Container[str]) -> bool:
    """Return whether some input is not among the optional `names`, so that the batch size can be
    read; report if none is."""
    declared = tuple(inputs)
    is_right = not declared or not all(one.name in names for one in declared)
    if not is_right:
        message = "at least one input must not be optional"
        help = "the size of the batch is read from it"
        state.fault("bad-option", message, declared[0].span, help=help)
    optional = [one for one in declared if one.name in names]
    if len(optional) > MAX_OPTIONAL:
        message = f"more than {MAX_OPTIONAL} optional inputs"
        state.fault("too-large", message, optional[MAX_OPTIONAL].span)
        state.report.raise_if_any()  # computing their presences would take too long
    return is_right


def always_present(fed: Iterable[Fed]) -> bool:
    """Return whether all sources are always present, and each depends on an input."""
    return not [one for one in fed if one.is_own or one.presence != ALWAYS]


def is_left_out(fed: Iterable[Fed] | None) -> bool:
    """Return whether one of the sources is never given."""
    return NEVER in [one.presence for one in fed or ()]


def missing_inputs(fed: Mapping[str, Fed], needed: Collection[str] = ()) -> frozenset[str]:
    """Return the inputs of a block that may be missing when the first that it needs is present; the
    first of all if `needed` names none."""
    whole = next((one.presence for key, one in fed.items() if not needed or key in needed), ALWAYS)
    others = ((key, one) for key, one in fed.items() if key not in needed)
    return frozenset([key for key, one in others if not implies(whole, one.presence)])


def missing_merge_inputs(op: Op, fed: Mapping[str, Fed], skips: bool) -> frozenset[str]:
    """Return the inputs that may be missing in the block of a merge that is made of other ops."""
    needed = [key for key in fed if not runs_without(op, key)]
    if not skips:
        return missing_inputs(fed, needed)
    whole = either([fed[key].presence for key in needed])
    return frozenset([key for key, one in fed.items() if not implies(whole, one.presence)])


def output_presences(
    body: Body, whole: Presence, outer: Mapping[str, Presence]
) -> Mapping[str, Presence]:
    """Return the presences of a body's outputs, where the body runs when `whole` and its inputs have
    the presences `outer`."""
    if not body.optional:
        return dict.fromkeys(body.outputs, whole)
    return {
        name: both(whole, renamed(body.presence_of(value), outer))
        for name, value in body.outputs.items()
    }


def fed_by_argument(site: Site, typed: TypedNode) -> dict[str, Fed]:
    """Return the sources of a typed node by the arguments that they fill."""
    by_value = {one.value: one for one in site.fed or ()}
    return {key: by_value[value] for key, value in typed.arguments.items()}


def with_presence(site: Site, typed: TypedNode) -> TypedNode | None:
    """Return the node with its presence; None if it cannot run without a source that may be
    missing, which is reported."""
    fed = fed_by_argument(site, typed)
    if all(one.is_own for one in fed.values()):
        return replace(typed, is_own=True)
    if all(one.presence == ALWAYS for one in fed.values()) and not lacks_input(typed):
        return typed
    op = registry.applied(typed.operation)
    operation = unwrap(typed.operation)
    whole: Presence | None = ALWAYS
    if op is not None and op.name == "Fill":
        _check_fill(site, typed)
    elif op is not None and op.kind in ("merge", "part"):
        whole = _merge_presence(site, typed, op, fed)
    elif isinstance(operation, Scan):
        whole = _scan_presence(site, typed, operation, fed)
    elif op is not None:
        whole = _first_presence(site, op.name, needed(op, fed))
    else:  # a chain has one source, and a block may run without the others
        whole = next(iter(fed.values())).presence
    if whole is None:
        return None
    if not site.state.alone and implies(either(map(given, site.context.inputs)), whole):
        whole = ALWAYS  # a block that skips what is missing runs on one input at least
    return replace(typed, presence=whole, presences=_result_presences(typed, whole, fed))


def lacks_input(typed: TypedNode) -> bool:
    """Return whether a block is never given one of its inputs."""
    optional = [body.optional for body in typed.operation.bodies if body.optional]
    return bool(optional) and any(names - typed.arguments.keys() for names in optional)


def _check_fill(site: Site, typed: TypedNode) -> None:
    """Report the sizes of a `Fill` that cannot be read from the inputs that are always given."""
    (type_,) = typed.results.values()
    for size in type_.dims:
        if _is_known(site, size):
            continue
        message = f"{size} is unknown when the source is missing"
        help = "give the source a fixed size first, or another input this size"
        span = (site.fed or ())[0].source.span
        labels = site.context.uses
        site.fault("symbolic-size", message, span, note=str(type_), labels=labels, help=help)


def _is_known(site: Site, size: Size) -> bool:
    """Return whether a size is a number, or can be read from an input that is always given."""
    context = site.context
    types = [t for n, t in context.inputs.items() if t is not None and n not in context.optional]
    return context.state.alone or not isinstance(size, Dim) or can_be_read(size, types)


def check_item(site: Site, typed: TypedNode) -> bool:
    """Return whether an item of a chain may stand there; report a `Fill`, which has nothing to fill."""
    fills = isinstance(typed.operation, Leaf) and typed.operation.lowering.fallback is not None
    if fills:
        message = f"Fill has nothing to do in a {SEQ}, which runs only when its source is given"
        help = f"make it a separate node, before or after the {SEQ}"
        site.fault("optional-source", message, site.node.span, help=help)
    return not fills


def missing_together(typed: TypedNode, fed: Mapping[str, Fed]) -> Iterator[frozenset[str]]:
    """Yield every set of arguments of a layer or merge that may be missing at once when it runs."""
    op, at_times = registry.applied(typed.operation), dict[Presence, set[str]]()
    for key, one in fed.items():
        if not implies(typed.presence, one.presence) and runs_without(op, key):
            at_times.setdefault(one.presence, set()).add(key)
    for size in range(1, len(at_times) + 1):
        for groups in combinations(at_times.values(), size):
            yield frozenset().union(*groups)


def runs_without(op: Op | None, key: str) -> bool:
    """Return whether an op runs without this argument: a mask, a bias, lengths, a state, or an
    argument with a default in the forward of a user's module."""
    if op is None or key not in op.inputs.optional:
        return False
    if isinstance(op, Registered):
        return True
    return key.endswith("mask") or key in ("lengths", "state", "hidden", "cell", "present", "bias")


def needed(op: Op, fed: Mapping[str, Fed]) -> list[Fed]:
    """Return the sources without which an op does not run: of a layer the first at least, of a merge
    none that is a tensor of the model itself."""
    sources = [(key, one) for key, one in fed.items() if not runs_without(op, key)]
    if op.kind in ("merge", "part"):
        return [one for _, one in sources if not one.is_own]
    first = next(iter(fed))
    return [fed[first], *(one for key, one in sources if key != first)]


def _merge_presence(
    site: Site, typed: TypedNode, op: Op, fed: Mapping[str, Fed]
) -> Presence | None:
    """Return the presence of a merge: with all sources, or with any of them if it has `missing:
    skip`. Return None after reporting a source that may be missing without the others."""
    sources = needed(op, fed)
    presences = {one.presence for one in sources}
    if _skips(typed):
        # a source without an input (a parameter) is always there, so the result is; inside the block
        # of a merge such sources are the merge's own weights and do not count
        has_own = any(one.is_own for one in fed.values()) and op.kind == "merge"
        return ALWAYS if has_own else either(presences)
    if len(presences) > 1:
        odd = next(one for one in sources if one.presence != ALWAYS)
        report_missing(site, op.name, odd)
        return None
    return next(iter(presences), ALWAYS)


def _skips(typed: TypedNode) -> bool:
    """Return whether a merge has `missing: skip`."""
    operation = unwrap(typed.operation)
    if isinstance(operation, Leaf):
        return operation.options.get("missing") == "skip"
    return isinstance(operation, Use) and operation.arguments.get("missing") == "skip"


def _first_presence(site: Site, name: str, sources: Iterable[Fed]) -> Presence | None:
    """Return the presence of the first source; None after reporting another that may be missing then."""
    first, *others = sources
    for one in others:
        if not implies(first.presence, one.presence):
            report_missing(site, name, one)
            return None
    return first.presence


def _scan_presence(
    site: Site, typed: TypedNode, scan: Scan, fed: Mapping[str, Fed]
) -> Presence | None:
    """Return the presence of a scan: that of its first scanned source. Return None after reporting a
    scanned or carried source, or a result of a step, that may be missing then."""
    stepwise = [fed[name] for name in (*scan.axes, *scan.carried)]
    whole = _first_presence(site, typed.name, stepwise)
    if whole is None:
        return None
    outer = {key: one.presence for key, one in fed.items()}
    for name, presence in output_presences(scan.body, whole, outer).items():
        if presence != whole:
            message = f"{name} of a step is missing without {' and '.join(inputs_of(presence))}"
            site.fault("optional-source", message, site.node.span, help=FILL_INSIDE)
            return None
    return whole


def _result_presences(
    typed: TypedNode, whole: Presence, fed: Mapping[str, Fed]
) -> Mapping[str, Presence]:
    """Return the presences of a block's results that differ from that of the block."""
    operation = unwrap(typed.operation)
    outer = {key: one.presence for key, one in fed.items()}
    found: Mapping[str, Presence] = {}
    if isinstance(operation, Use):
        found = output_presences(operation.body, whole, outer)
    elif isinstance(operation, Repeated):
        found = {name: both(whole, outer[name]) for name in operation.carried}
        for body in operation.bodies:
            found = output_presences(body, whole, outer)
            single = next(iter(found.values()))
            outer |= {name: found.get(port, single) for name, port in operation.carried.items()}
    is_single = "" in typed.results
    return {"" if is_single else name: p for name, p in found.items() if p != whole}


def check_repeat_presence(site: Site, repeat: Repeat, before: Fed, presence: Presence) -> bool:
    """Return whether an output of a repeat is present when the next repeat needs it; report it if
    not.

    The next repeat needs its first input; a shared body needs the same presence at each repeat.
    """
    implied = implies(before.presence, presence)
    is_right = presence == before.presence if repeat.shared else implied
    if not is_right:
        inputs = " and ".join(inputs_of(presence))
        message = f"the next repeat needs an output that is missing without {inputs}"
        site.fault("optional-source", message, repeat.span, help=FILL_INSIDE)
    return is_right


def report_missing(site: Site, name: str, one: Fed) -> None:
    """Report a source that may be missing where the op `name` needs it."""
    inputs, scope = inputs_of(one.presence), site.context.scope
    declared = [scope.inputs[name] for name in inputs if name in scope.inputs]
    labels = (*(Label(input_.span, "optional") for input_ in declared), *site.context.uses)
    help = fill_help(one)
    if one.type is not None and not all(_is_known(site, size) for size in one.type.dims):
        help = "give it a fixed size first, as adaptive pooling does, and Fill that"
    op = registry.find("merge", name)
    if op is not None and "missing" in op.options:
        help += f", or write {put('missing: skip')}"
    message = f"{_when_missing(one, inputs)}: {name} must say what to do without it"
    site.fault("optional-source", message, one.source.span, labels=labels, help=help)


def _when_missing(one: Fed, inputs: list[str]) -> str:
    """Return a clause for messages that says when a source is missing."""
    if one.presence == NEVER:
        return f"{one.text} is left out"
    if inputs == [one.text]:
        return f"{one.text} is optional"
    return f"{one.text} is missing without {' and '.join(inputs)}"


def fill_help(one: Fed) -> str:
    """Return the help that fills a source which may be missing."""
    return f"fill it first: {insert(f'{{layer: Fill, from: {one.text}, value: zeros}}')}"


def check_output(state: State, fed: Fed) -> None:
    """Report an output that may be missing."""
    if fed.presence != ALWAYS:
        missing = _when_missing(fed, inputs_of(fed.presence))
        message = f"{missing}, but an output must always be there"
        state.fault("optional-source", message, fed.source.span, help=fill_help(fed))
