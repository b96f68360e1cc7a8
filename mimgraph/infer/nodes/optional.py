"""Optional inputs: when each node is there, and whether every op that may miss a source says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from mimgraph.diagnostics import Label
from mimgraph.infer.scope import Fed, Site, State
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.graph import Apply, Input, Node
from mimgraph.ir.presence import ALWAYS, Presence, both, either, given, implies, inputs_of, renamed
from mimgraph.ir.typed import Body, Leaf, Repeated, TypedNode, Use, unwrap
from mimgraph.ir.types import can_be_read
from mimgraph.ops import registry
from mimgraph.ops.custom.module_signature import Registered
from mimgraph.ops.op import Op
from mimgraph.source import Span

MAX_OPTIONAL = 128


def check_inputs(state: State, inputs: Iterable[Input]) -> bool:
    """Whether one input at least is always given: it tells the batch."""
    declared = tuple(inputs)
    fine = not declared or not all(one.optional for one in declared)
    if not fine:
        message = "at least one input must not be optional"
        help = "the size of the batch is read from it"
        state.fault("bad-option", message, declared[0].span, help=help)
    optional = [one for one in declared if one.optional]
    if len(optional) > MAX_OPTIONAL:
        message = f"more than {MAX_OPTIONAL} optional inputs"
        state.fault("too-large", message, optional[MAX_OPTIONAL].span)
        state.report.raise_if_any()  # to tell when what is there would take too long
    return fine


def unconditional(fed: Iterable[Fed]) -> bool:
    """Whether all of these are always there, and none is a tensor of the model itself."""
    return not any(one.is_own or one.presence != ALWAYS for one in fed)


def left_out(fed: Mapping[str, Fed]) -> frozenset[str]:
    """The inputs of a block that may be missing when its first is there."""
    first = next(iter(fed.values()), None)
    whole = ALWAYS if first is None else first.presence
    return frozenset([key for key, one in fed.items() if not implies(whole, one.presence)])


def missing_from(op: Op, fed: Mapping[str, Fed], skips: bool) -> frozenset[str]:
    """The inputs of a merge that is a block that may be missing when the merge runs."""
    sources = [one.presence for key, one in fed.items() if not may_be_left_out(op, key)]
    whole = either(sources) if skips else sources[0]
    return frozenset(
        key
        for key, one in fed.items()
        if (skips or may_be_left_out(op, key)) and not implies(whole, one.presence)
    )


def any_of(inputs: Iterable[str]) -> Presence:
    """There if any of these inputs is."""
    return either(map(given, inputs))


def handed_on(body: Body, whole: Presence, outer: Mapping[str, Presence]) -> Mapping[str, Presence]:
    """When each output of a block is there, that runs where `whole` is, on inputs that are there so."""
    return {
        name: both(whole, renamed(body.presence_of(value), outer))
        for name, value in body.outputs.items()
    }


def settled(state: State, site: Site, typed: TypedNode) -> TypedNode | None:
    """The node with its presence; None where a missing source is not provided for, which is told."""
    by_value = {one.value: one for one in site.fed or ()}
    fed = {key: by_value[value] for key, value in typed.arguments.items()}
    if all(one.is_own for one in fed.values()):
        return replace(typed, is_own=True)
    if all(one.presence == ALWAYS for one in fed.values()):
        return typed
    op = _op(typed)
    whole: Presence | None = ALWAYS
    if op is not None and op.name == "Fill":
        _check_fill(state, site, typed)
    elif op is not None and op.kind in ("merge", "part"):
        whole = _of_equals(state, site, typed, op, fed)
    else:
        whole = _of_first(state, site, typed, op, fed)
    if whole is None:
        return None
    if not state.alone and implies(any_of(site.context.inputs), whole):
        whole = ALWAYS  # in a block that skips what is missing, which runs on one at least
    return replace(typed, presence=whole, presences=_of_results(typed, whole, fed))


def _check_fill(state: State, site: Site, typed: TypedNode) -> None:
    """The sizes of what fills a missing tensor are read from inputs that are given."""
    (type_,) = typed.results.values()
    for size in type_.dims:
        if not _is_known(state, site, size):
            message = f"{size} is unknown when the source is missing"
            help = "give the source a fixed size first, or another input this size"
            span = (site.fed or ())[0].source.span
            state.fault("symbolic-size", message, span, site.path, note=str(type_), help=help)


def _is_known(state: State, site: Site, size: Size) -> bool:
    """Whether a size is a number, or is read from an input that is always given."""
    context = site.context
    at_hand = [t for n, t in context.inputs.items() if t is not None and n not in context.optional]
    return state.alone or not isinstance(size, Dim) or can_be_read(size, at_hand)


def check_item(state: State, item: Node, path: str, typed: TypedNode) -> bool:
    """A chain runs where its source is there, so that no item of it has anything to fill."""
    fills = isinstance(typed.operation, Leaf) and typed.operation.lowering.fallback is not None
    if fills:
        message = "Fill has nothing to do in a seq, which runs only when its source is given"
        help = "make it a node of its own, before or after the seq"
        state.fault("optional-source", message, item.span, path, help=help)
    return not fills


def _op(typed: TypedNode) -> Op | None:
    """The op of the catalogue that a node applies."""
    declared = typed.declared.operation
    operation = unwrap(typed.operation)
    if isinstance(declared, Apply):
        return registry.find(declared.kind, declared.name)
    if isinstance(operation, Use) and operation.merge:
        return registry.find("merge", operation.merge)
    name = getattr(operation, "name", "")
    return registry.find(getattr(operation, "kind", "layer"), name) if name else None


def conditional(typed: TypedNode, fed: Mapping[str, Fed]) -> list[str]:
    """The arguments of a layer or merge that are not given at times when it runs."""
    op = _op(typed)
    return [
        key
        for key, one in fed.items()
        if not implies(typed.presence, one.presence) and may_be_left_out(op, key)
    ]


def may_be_left_out(op: Op | None, key: str) -> bool:
    """Whether an argument that is missing is simply not given: masks, lengths, states, and any
    that a module of the user's does without."""
    if op is None or key not in op.inputs.optional:
        return False
    if isinstance(op, Registered):  # what its forward has a default for
        return True
    return key.endswith("mask") or key in ("lengths", "state", "hidden", "cell", "present")


def _of_equals(
    state: State, site: Site, typed: TypedNode, op: Op, fed: Mapping[str, Fed]
) -> Presence | None:
    """A merge is there with its sources, or with any of them if it skips those that are missing."""
    sources = {
        key: one for key, one in fed.items() if not one.is_own and not may_be_left_out(op, key)
    }
    presences = {one.presence for one in sources.values()}
    if skips(
        typed
    ):  # a tensor of the model is always there; a part's are the weights of the others
        own = any(one.is_own for one in fed.values()) and op.kind == "merge"
        return ALWAYS if own else either(presences)
    if len(presences) > 1:
        odd = next(one for one in sources.values() if one.presence != ALWAYS)
        _refuse(state, site, typed, op.name, odd)
        return None
    return next(iter(presences), ALWAYS)


def skips(typed: TypedNode) -> bool:
    """Whether a merge goes without what is missing."""
    operation = unwrap(typed.operation)
    options = getattr(operation, "options", None) or getattr(operation, "arguments", {})
    return options.get("missing") == "skip"


def _of_first(
    state: State, site: Site, typed: TypedNode, op: Op | None, fed: Mapping[str, Fed]
) -> Presence | None:
    """A layer, chain or block is there if its first source is; a layer needs the others then."""
    first, *others = fed.items()
    whole = ALWAYS if first[1].is_own else first[1].presence
    is_block = isinstance(unwrap(typed.operation), Use | Repeated)
    for key, one in others:
        if not (is_block or implies(whole, one.presence) or may_be_left_out(op, key)):
            name = op.name if op else typed.name
            _refuse(state, site, typed, name, one)
            return None
    return whole


def _of_results(
    typed: TypedNode, whole: Presence, fed: Mapping[str, Fed]
) -> Mapping[str, Presence]:
    """Where the results of a block depend on inputs of it that may be missing."""
    operation = unwrap(typed.operation)
    outer = {key: one.presence for key, one in fed.items()}
    found: Mapping[str, Presence] = {}
    if isinstance(operation, Use):
        found = handed_on(operation.body, whole, outer)
    elif isinstance(operation, Repeated):
        found = {name: both(whole, outer[name]) for name in operation.carried}
        for body in operation.bodies:
            found = handed_on(body, whole, outer)
            alone = next(iter(found.values()))  # a single output goes to the one input
            outer |= {name: found.get(name, alone) for name in operation.carried}
    single = "" in typed.results
    return {"" if single else name: p for name, p in found.items() if p != whole}


def check_handed_on(
    state: State, site: Site, span: Span, one: Fed, presence: Presence, is_shared: bool
) -> bool:
    """Whether what a repeat hands on is there where the next needs it: a block runs on its first
    input, and one that is shared is the same each time."""
    fine = presence == one.presence if is_shared else implies(one.presence, presence)
    if not fine:
        inputs = " and ".join(inputs_of(presence))
        message = f"the next repeat needs an output that is missing without {inputs}"
        help = "fill it inside the block: {layer: Fill, from: ..., value: zeros}"
        state.fault("optional-source", message, span, site.path, help=help)
    return fine


def _refuse(state: State, site: Site, typed: TypedNode, name: str, one: Fed) -> None:
    """Report a source that may be missing."""
    inputs = inputs_of(one.presence)
    labels = tuple(
        Label(declared.span, "optional")
        for i in inputs
        if (declared := site.context.scope.inputs.get(i)) is not None
    )
    help = f"fill it first: {{layer: Fill, from: {one.text}, value: zeros}}"
    if one.type is not None and not all(_is_known(state, site, size) for size in one.type.dims):
        help = "give it a fixed size first, as adaptive pooling does, and Fill that"
    op = registry.find("merge", name)
    if op is not None and "missing" in op.options:
        help += ", or write missing: skip"
    message = f"{_missing(one, inputs)}: {name} must say what to do without it"
    state.fault(
        "optional-source",
        message,
        one.source.span,
        site.path,
        labels=(*labels, *site.context.uses),
        help=help,
    )


def _missing(one: Fed, inputs: list[str]) -> str:
    if inputs == [one.text]:
        return f"{one.text} is optional"
    return f"{one.text} is missing without {' and '.join(inputs)}"


def check_output(state: State, fed: Fed, labels: tuple[Label, ...] = ()) -> None:
    """An output is always there."""
    if fed.presence == ALWAYS:
        return
    inputs = inputs_of(fed.presence)
    message = f"{_missing(fed, inputs)}, but an output must always be there"
    help = f"fill it first: {{layer: Fill, from: {fed.text}, value: zeros}}"
    state.fault("optional-source", message, fed.source.span, labels=labels, help=help)
