"""Replace the params of a spec by values or other names, in blocks that are used outside of the spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from mimgraph.infer.evaluation import in_formula
from mimgraph.ir.declared import graph as ir
from mimgraph.ir.declared.rewrite import Rewriter
from mimgraph.ir.declared.sizes import LinearSize
from mimgraph.ir.declared.values import Option, Template, Written
from mimgraph.ir.expression import Arithmetic, Expression, Negative, Number, Variable

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
            filled = given.filled({n: in_formula(v) for n, v in values.items() if _is_number(v)})
            return given._replace(text=filled) if "$" in filled else filled
        case list():
            return [_value(item, values) for item in given]
        case dict():
            return {key: _value(item, values) for key, item in given.items()}
    return given


def _expression(given: Expression, values: Values) -> Expression:
    match given:
        case Variable(name) if _is_number(values.get(name)):
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


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
