"""Prepare a spec for use inside another: as a block, with its own params, checked without types."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from mimgraph.diagnostics import Report
from mimgraph.infer.declared import check_blocks, check_nodes_text, params
from mimgraph.infer.evaluation import (
    Evaluation,
    check_names,
    in_block,
    in_formula,
    in_value,
    is_number,
)
from mimgraph.infer.presence import check_inputs
from mimgraph.infer.state import State
from mimgraph.infer.structure import (
    calls,
    check_scope,
    inner_blocks,
    needed_for,
    ordered,
    outer_shares,
    scopes,
)
from mimgraph.infer.unknown_names import OtherScopes, SpecNames
from mimgraph.ir import declared_graph as ir
from mimgraph.ir.declared_graph import Block, BlockInput, Call, Graph, Input, operations
from mimgraph.ir.declared_values import (
    FAULTY,
    OTHERS,
    Chosen,
    LinearSize,
    Option,
    Template,
    Written,
)
from mimgraph.ir.expression import Arithmetic, Expression, Negative, Number, Variable
from mimgraph.ir.grammar import NODE_WORDS
from mimgraph.ir.names import name_fault
from mimgraph.ir.rewrite import Rewriter
from mimgraph.source import Span


def as_block(graph: Graph, family: str, span: Span, params: Mapping[str, Option]) -> Block:
    """Return the graph as a block with these params, without its own blocks.

    Outputs for training only are left out, with the nodes that only they need; in a model the batch
    stays first.
    """
    outputs = tuple(
        o._replace(doc="", batch_dim=None) for o in graph.outputs if not o.only_training
    )
    read = [output.source.name for output in outputs]
    shared = outer_shares(graph.blocks, [node.name for node in graph.nodes])
    needed = needed_for(graph.nodes, read, shared)
    return Block(
        family,
        span,
        params,
        tuple(BlockInput(i.name, i.span, i.shape, i, i.optional) for i in block_inputs(graph)),
        tuple(node for node in graph.nodes if node.name in needed),
        outputs,
        doc=graph.doc,
    )


def block_inputs(graph: Graph) -> list[Input]:
    """Return the inputs in order, the optional ones last, as a block runs when its first is given."""
    return sorted(graph.inputs, key=lambda declared: declared.optional is not False)


# Replace the params of a spec by values or other names, in blocks that are used outside of the
# spec.


Values = Mapping[str, Any]


class Renamed(NamedTuple):
    """Stands for a value where a param has another name, `name`."""

    name: str


def with_values(block: ir.Block, values: Values) -> ir.Block:
    """Return the block with values in place of names, except for its own params."""
    if not values:
        return block
    params: dict[str, Option] = {}
    for name, default in block.params.items():  # a default may use the params above it
        params[name] = _filled(default, _without(values, params))
    outer = _without(values, params)
    inputs = tuple(_input(i, outer) for i in block.inputs)
    free = _without(outer, block.sizes)
    nodes = Rewriter(option=lambda option: _filled(option, free)).nodes(block.nodes)
    return replace(block, params=params, inputs=inputs, nodes=nodes)


def graph_with_values(graph: ir.Graph, values: Values, sizes: Iterable[str]) -> ir.Graph:
    """Return the graph without params: values in their place, except where a named size hides one."""
    if not values:
        return graph
    inputs = tuple(_graph_input(i, values) for i in graph.inputs)
    free = _without(values, sizes)
    nodes = Rewriter(option=lambda option: _filled(option, free)).nodes(graph.nodes)
    return replace(graph, params={}, inputs=inputs, nodes=nodes)


def _without(values: Values, names: Iterable[str]) -> Values:
    hidden = set(names)
    return {name: value for name, value in values.items() if name not in hidden}


def _input(given: ir.BlockInput, values: Values) -> ir.BlockInput:
    declared = None if given.declared is None else _graph_input(given.declared, values)
    pattern, optional = _pattern(given.pattern, values), _value(given.optional, values)
    return replace(given, pattern=pattern, declared=declared, optional=optional)


def _graph_input(given: ir.Input, values: Values) -> ir.Input:
    vocab = given.vocab if given.vocab is None else _filled(given.vocab, values)
    optional = _value(given.optional, values)
    return replace(given, shape=_pattern(given.shape, values), vocab=vocab, optional=optional)


def _pattern(pattern: ir.InputShape | None, values: Values) -> ir.InputShape | None:
    if pattern is None:
        return None
    return pattern._replace(dims=tuple(_size(dim, values) for dim in pattern.dims))


def _size(dim: Any, values: Values) -> Any:
    """Return a size of a pattern with values in place of params; the names of sizes stay."""
    if not isinstance(dim, LinearSize):
        return _value(dim, values)
    factor, offset = (_value(number, values) for number in dim[::2])
    return dim._replace(factor=factor, offset=offset)


def _filled(given: Option, values: Values) -> Option:
    value = _value(given.value, values)
    return given if value == given.value else given._replace(value=value, part=None)


def _value(given: Any, values: Values) -> Any:
    """Return an option's value with values in place of names."""
    match given:
        case Written(Variable(name)) if name in values and type(values[name]) is not Renamed:
            return values[name]
        case Written(expression):
            return given._replace(expression=_expression(expression, values))
        case Template():
            given = _with_names(given, values)
            filled = given.filled({n: in_formula(v) for n, v in values.items() if is_number(v)})
            return given._replace(text=filled) if "$" in filled else filled
        case list():
            return [_value(item, values) for item in given]
        case dict():
            return {key: _value(item, values) for key, item in given.items()}
    return given


def _expression(given: Expression, values: Values) -> Expression:
    match given:
        case Variable(name) if is_number(values.get(name)):
            return Number(values[name])
        case Variable(name) if type(renamed := values.get(name)) is Renamed:
            return replace(given, name=renamed.name)
        case Negative(operand):
            return Negative(_expression(operand, values))
        case Arithmetic(operator, left, right):
            return Arithmetic(operator, _expression(left, values), _expression(right, values))
    return given


def _with_names(given: Template, values: Values) -> Template:
    """Return a text with the new name of each renamed param."""
    text, parts, end = given.text, list[str](), 0
    for match in given.names():
        if type(renamed := values.get(match[1])) is Renamed:
            parts += text[end : match.start(1)], renamed.name
            end = match.end(1)
    return given._replace(text="".join((*parts, text[end:]))) if parts else given


# Make the blocks of a spec independent of its params, so that they can stand in another spec.
#
# A block may read the params of its spec. Compilers call this step lambda lifting: such a block
# gets a param of its own for each of them, and each use gives it.


def lift_params(graph: Graph) -> Graph:
    """Return the graph with blocks that take, as params of their own, the params of the graph that
    they or blocks in them read."""
    needed = _needed(graph)
    names = _own_names(graph, needed)
    if not names:
        return graph
    renamed = {name: Renamed(own) for name, own in names.items() if own != name}
    taken = {key: {names[name]: names[name] for name in read} for key, read in needed.items()}
    blocks: dict[str, Block] = {}
    for key, block in graph.blocks.items():
        inside = with_values(block, renamed) if renamed else block
        own = {names[name]: graph.params[name]._replace(value=None) for name in needed[key]}
        nodes = Rewriter(call=partial(_with_params, graph.blocks, taken)).nodes(inside.nodes)
        # they come first, as the defaults of the others may read them
        blocks[key] = replace(inside, params={**own, **inside.params}, nodes=nodes)
    given = {key: {names[name]: name for name in read} for key, read in needed.items()}
    nodes = Rewriter(call=partial(_with_params, graph.blocks, given)).nodes(graph.nodes)
    return replace(graph, blocks=blocks, nodes=nodes)


def _needed(graph: Graph) -> dict[str, list[str]]:
    """Return, for each block, the params of the graph that it or a block in it reads, in order."""
    found: dict[str, list[str]] = {}
    edges = [(used, user) for user, used in inner_blocks(graph.blocks)]
    for key in ordered(graph.blocks, edges):
        block = graph.blocks[key]
        if block.is_private:  # a part gave it all that it reads
            found[key] = []
            continue
        names = _free(block).union(*(found[call.block] for call in calls(block.nodes)))
        found[key] = [name for name in graph.params if name in names]
    return found


def _free(block: Block) -> set[str]:
    """Return the names that a block reads and does not declare; a default may read the params above
    it."""
    found = {*in_block(block)} - block.own_names
    above = set[str]()
    for name, option in block.params.items():
        found.update({*in_value(option.value)} - above)
        above.add(name)
    return found


def _own_names(graph: Graph, needed: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the name that each needed param has in the blocks: its own, unless a block that needs
    it has a param or size of that name."""
    found: dict[str, str] = {}
    taken = {*graph.params}.union(*(block.own_names for block in graph.blocks.values()))
    for name in graph.params:
        users = [graph.blocks[key] for key, names in needed.items() if name in names]
        if users:
            is_free = all(name not in block.own_names for block in users)
            found[name] = name if is_free else unique_name(name, taken)
            taken.add(found[name])
    return found


def unique_name(stem: str, taken: Container[str]) -> str:
    """Return the name, or if it is taken or not allowed the first of `stem_1`, `stem_2`, ... that is
    free."""
    number, name = 0, stem
    base = stem if name_fault(f"{stem}_1") is None else "block"
    while name in taken or name_fault(name) is not None:
        number += 1
        name = f"{base}_{number}"
    return name


def _with_params(
    blocks: Mapping[str, Block], given: Mapping[str, Mapping[str, str]], call: Call
) -> Call:
    """Return the use of a block with the params that the block now takes; `given` has, by block, the name
    that each has at the use. A lone value gets the name of the param that was the first."""
    if not given[call.block]:
        return call
    own = {name: _read(there, call.span) for name, there in given[call.block].items()}
    params = {**call.params, **own}
    if call.lone is not None:
        params = {next(iter(blocks[call.block].params)): call.lone, **params}
    return replace(call, params=params, lone=None)


def _read(name: str, span: Span) -> Option:
    """Return an option whose value is that of a param."""
    return Option(Written(Variable(name), span, lambda start, end: span), span, span)


# Check a spec without types: a part, whose params and inputs differ from use to use.


def check_untyped(graph: Graph, report: Report) -> None:
    """Report the faults of a graph that need no types to be found."""
    state = State(graph.blocks, report, graph.params)
    above = dict[str, Any]()
    for name, option in graph.params.items():
        check_names(option.value, Evaluation(above, report))
        above[name] = option
    names = SpecNames(graph)
    # the private ones were checked with their part
    own = {key: block for key, block in graph.blocks.items() if not block.is_private}
    check_blocks(state, names, [node.name for node in graph.nodes], own)
    known: dict[str, Any] = {**graph.params, **dict.fromkeys(graph.sizes)}
    if any(one.shape is None for one in graph.inputs) or not (graph.inputs and graph.nodes):
        known[OTHERS] = FAULTY
    if graph.inputs and graph.nodes:
        check_scope(graph, report, state.outer, OtherScopes(names))
    optional = [one.name for one in graph.inputs if one.optional is True]
    check_inputs(state, graph.inputs, optional)
    check_nodes_text(state, graph.nodes, known, "")
    report.drop_mentioned()


def fixed_params(graph: Graph, report: Report) -> Mapping[str, Any]:
    """Return the values of the params that no use of the graph as a block can give.

    They name an op, or are called as a key of a node or as a size of an input is.
    """
    nodes = [node for scope in scopes(graph) for node in scope.nodes]
    chosen = {
        word
        for operation in operations(nodes)
        for name in operation.names()
        if isinstance(name, Chosen)
        for word in in_value(name.written)
    }
    chosen.update(graph.sizes, NODE_WORDS)
    fixed = {name for name in graph.params if name in chosen}
    read = {*fixed}
    for name in reversed([*graph.params]):  # a value may read those above it
        if name in read:
            read.update(in_value(graph.params[name].value))
    needed = {name: option for name, option in graph.params.items() if name in read}
    values = params(needed, report)
    return {name: values[name] for name in graph.params if name in fixed}
