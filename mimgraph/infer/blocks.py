"""Find the block that a use names, bind its params and columns, and type its body once for each distinct use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mimgraph.diagnostics import Label
from mimgraph.diagnostics.text import code, put, words, write
from mimgraph.infer.block_inputs import bind_pattern, fits_inputs, left_out_types, optional_input
from mimgraph.infer.evaluation import (
    Evaluation,
    Origin,
    as_option,
    compute,
    has_faulty,
    in_value,
    layered,
    origin_of,
)
from mimgraph.infer.left_out import nodes_that_run
from mimgraph.infer.options import Keys, given_twice, missing_options, unknown_option
from mimgraph.infer.presence import MAX_OPTIONAL
from mimgraph.infer.sources import known_types
from mimgraph.infer.state import MAX_NODES, Context, Fed, Site, State
from mimgraph.infer.structure import is_lost
from mimgraph.ir.declared_graph import Block, BlockInput, Call
from mimgraph.ir.declared_values import FAULTY, OTHERS, Option
from mimgraph.ir.dim import Dim, Size, symbol
from mimgraph.ir.expression import identity, plain
from mimgraph.ir.grammar import BESIDE, TRAINING
from mimgraph.ir.typed_graph import NEVER, Body, results_of
from mimgraph.ir.types import TensorType
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
    if is_lost(call.block, state.lost_blocks, families, state.report):
        return
    help = state.report.suggestion(call.block, families, "known here")
    if registry.find("layer", call.block):
        help = f"{call.block} is a layer: write {put(f'{{layer: {call.block}, ...}}')}"
    message = f"no block is called {call.block!r}"
    state.fault("unknown-block", message, call.span, path, help=help)


def _check_params(state: State, call: Call, block: Block, span: Span, path: str) -> None:
    """Report params that the block does not have, and missing params that have no default."""
    given = given_params(call, block)
    if call.lone is not None and not block.params and call.lone.value is not FAULTY:
        help = f"write {put(block.family)} without a value"
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


def whole_number(site: Site, times: Option, key: str, number: Any) -> int | None:
    """Return the number of repeats or copies that `key` wants; None if it is none, which is reported."""
    unit, least = ("times", 0) if key == "repeat" else ("copies", 1)
    if number is FAULTY:
        return None
    if isinstance(number, Dim):
        message = f"{key} must be a number, but it is {number}"
        note = f"{number} is known only at run time"
        help = f"separate weights need a fixed number; for one module {_shared_repeat(number)}"
        help = help if key == "repeat" else ""
        site.fault("symbolic-size", message, times.span, note=note, help=help)
    elif not isinstance(number, int) or isinstance(number, bool) or number < least:
        named = words("each", "times") if key == "each" else key
        message = f"{named} must be a whole number of {unit}, at least {least}"
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
        return write(f"${name}")
    if key != "repeat":
        return ""
    if name in site.context.env:
        return _shared_repeat(symbol(name))
    return f"a size known only at run time is written {code('$T')}, and in Python x.dims[0]"


def _shared_repeat(times: Dim) -> str:
    """Return the help that repeats one module as often as a size known only at run time says."""
    return write(f"repeat: {{times: {as_option(times)}, shared: true}}")


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


# Type the body of one use of a block.


def body_of(
    context: Context,
    outputs: Mapping[str, Fed],
    family: str,
    params: Mapping[str, Any],
    defaults: Mapping[str, Any],
    dims: Mapping[str, Any],
    doc: str,
    *,
    is_chain: bool = False,
    training: frozenset[str] = frozenset(),
    batch_dims: Mapping[str, int] | None = None,
) -> Body | None:
    """Return the body of a context whose nodes are typed; None if the type of an output is unknown."""
    typed = [(name, node) for name, node in context.typed.items() if node is not None]
    runs = dict(typed)
    if context.left_out or NEVER in [node.presence for _, node in typed]:
        kept = nodes_that_run(context, family, outputs)
        if kept is None:
            return None
        runs = {name: kept[name] for name in runs if name in kept}
    order = nodes = tuple(runs.values())
    if list(context.typed) != list(context.scope.nodes):  # the text has another order
        nodes = tuple([runs[name] for name in context.scope.nodes if name in runs])
    types = known_types(outputs)
    if types is None:
        return None
    inputs = {name: type_ for name, type_ in context.inputs.items() if type_ is not None}
    values = {name: fed.value for name, fed in outputs.items()}
    return Body(
        *(family, params, defaults, dims, inputs, nodes, order, values, results_of(types)),
        is_chain=is_chain,
        doc=doc,
        optional=context.optional,
        training=training,
        batch_dims=batch_dims or {},
    )


# one use of a block


class BlockUse(NamedTuple):
    """A call of a block at a site; nothing feeds the inputs that are `absent`."""

    site: Site
    call: Call
    block: Block
    absent: Mapping[str, BlockInput]


class OpenedBody(NamedTuple):
    """The body of a block for one use, still to be typed: all `params` of the block, the `types` that
    its inputs are fed, the `dims` that the inputs name, and the `sizes` of all names."""

    use: BlockUse
    params: Mapping[str, Any]
    types: Mapping[str, TensorType]
    dims: Mapping[str, Size]
    sizes: Mapping[str, Size]
    optional: frozenset[str]
    left_out: Mapping[str, TensorType | None]

    @property
    def key(self) -> tuple[Any, ...]:
        """Return a key that is equal for equal bodies."""
        (site, call, _, _), types = self.use, self.types
        state = site.state
        pasts = tuple([type_.past for type_ in types.values()])  # equality of types ignores it
        lenders = [site.context.scope_of(name) for name in state.outer.get(call.block, ())]
        values, without = map(identity, self.params.values()), tuple(self.left_out.items())
        fed = (tuple(types.items()), pasts, self.optional, tuple(lenders), without)
        return (call.block, *values, *fed, state.is_unrun)

    def context(self, time: int) -> Context:
        """Return the context in which the nodes are typed; `time` is the number of the repeat."""
        site, call, block, _ = self.use
        state, name = site.state, site.node.name
        label = Label(call.span, f"used here as {name}" if name else "used here")
        # the one node of a chain block has no name, so that the paths of its items start with the block's
        path = block.family if block.is_chain else f"{block.family}."
        env, scope = layered(self.sizes, self.params, state.params), state.memory.scopes[call.block]
        return Context(
            *(state, env, self.types, scope, path),
            uses=(label,),
            optional=self.optional,
            origins=origins_of(site.context, call, block, time),
            around=site.context,
            left_out=self.left_out,
        )


def open_body(
    use: BlockUse,
    arguments: Mapping[str, Any],
    fed: Mapping[str, Fed],
    optional: frozenset[str],
) -> OpenedBody | None:
    """Return the body of a block for these params and sources; None if a source does not fit, which is
    reported, or has an unknown type."""
    (site, _, block, absent), types = use, known_types(fed)
    if types is None:
        return None
    state = site.state
    state.budget.write(4 * len(block.params), site.node.span)
    given = block_params(state, block, {n: plain(value) for n, value in arguments.items()})
    at = Evaluation(layered(given, state.params), state.report, site.path)
    fits = fits_inputs(site, block, fed, absent, at)
    dims = bind_pattern(site, block, fed, at) if fits else None
    if dims is None:
        return None
    left_out: dict[str, TensorType | None] = {}
    sizes: Mapping[str, Size] = dims
    if absent:
        left_out, sizes = left_out_types(site, absent.values(), fed, at, dims)
    return OpenedBody(use, given, types, dims, sizes, optional | site.joint.optional, left_out)


def with_kept(site: Site, block: Block, fed: Mapping[str, Fed]) -> dict[str, Fed]:
    """Return the sources of a block with those that are never given but are inputs of its module.

    Other nodes that share the module give them. Of several outputs one may be missing without an input,
    while the block must have the others.
    """
    kept = {name: one for name, one in site.joint.kept.items() if name not in fed}
    if len(block.outputs) > 1:
        left_out = {n: one for n, one in site.left_out.items() if one.type is not None}
        kept = {**left_out, **kept}
    if not kept:
        return {**fed}
    if len(kept) > MAX_OPTIONAL:
        message = f"more than {MAX_OPTIONAL} inputs that some calls omit"
        site.fault("too-large", message, site.node.span)
        site.state.report.raise_if_any()  # computing their presences would take too long
    return in_order(block, {**fed, **kept})


def in_order(block: Block, fed: Mapping[str, Fed]) -> dict[str, Fed]:
    """Return the sources in the order of the inputs that they fill."""
    place = {name: position for position, name in enumerate(block.input_names)}
    return {name: fed[name] for name in sorted(fed, key=lambda n: place[n.partition(".")[0]])}


def report_unknown(use: BlockUse, left_out: Iterable[str]) -> None:
    """Report a block that cannot be typed without the inputs that a use leaves out."""
    family, names = use.block.family, " and ".join(left_out)
    message = f"{family} has a node that needs {names}, which is left out here"
    help = f"connect {names}, or declare it with its shape: {optional_input(names)}"
    labels = (Label(use.block.span, "the block"),)
    use.site.fault("optional-source", message, use.call.span, labels=labels, help=help)
