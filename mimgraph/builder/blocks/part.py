"""Parts: a whole graph as a layer of another, and the blocks of a spec, called in Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mimgraph.builder.automatic_names import snake_case
from mimgraph.builder.blocks.function import BlockCall, Declared, Family, new_key
from mimgraph.builder.change import with_options
from mimgraph.builder.content_key import content
from mimgraph.builder.declare_graph import with_keys
from mimgraph.builder.declare_layer import option
from mimgraph.builder.feed import Feed
from mimgraph.builder.tracing.watched import Watched, unwatched
from mimgraph.builder.user_line import fail, raise_faults
from mimgraph.diagnostics import Report
from mimgraph.infer.dag import ordered, reached
from mimgraph.infer.declared import calls, inner_blocks, input_types, params
from mimgraph.infer.named_ops import choose
from mimgraph.infer.options import with_numbers
from mimgraph.infer.scope import State
from mimgraph.infer.structure import needed_for
from mimgraph.ir import graph as ir
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import Arithmetic, Expression, Negative, Number, Variable, plain
from mimgraph.ir.names import NODE_WORDS
from mimgraph.ir.types import TensorType
from mimgraph.ops import registry
from mimgraph.ops.registry import REQUIRED, is_source
from mimgraph.source import Span

Values = Mapping[str, Any]

_PLAIN = (Watched, bool, int, float, str, Dim, list, tuple, Mapping, type(None))


class BlockPart(Family):
    """A block of a spec, called like one that is made in Python; what it says of the spec's params
    has the spec's values."""

    def __init__(self, declared: Declared) -> None:
        block = declared.blocks[declared.key]
        self.declared = declared
        self.name, self.span = block.family, block.span
        self.inputs = tuple(i.name for i in block.inputs)
        required = {name: REQUIRED for name, o in block.params.items() if o.value is None}
        self.defaults = {**block.params, **required}

    def declare(
        self, arguments: list[Mapping[str, Any]], types: dict[str, TensorType], feed: Feed
    ) -> Declared:
        return self.declared


def block_parts(graph: ir.Graph) -> dict[str, Family]:
    """Return the blocks of a graph by name, ready to be called; one that a Python function declared
    calls that function again."""
    values = params(State(graph.blocks, Report()), graph.params)
    spec = _Spec(choose(graph, values, Report()), values)
    return {
        name: block.function or BlockPart(spec.block(name)) for name, block in graph.blocks.items()
    }


class GraphPart(Family):
    """A graph, called like a block; its params are the block's. All calls on handles with the same
    params are of one module. Its outputs for training only are left out. As a block runs on its
    first input, those come first that may not be missing."""

    def __init__(self, graph: ir.Graph) -> None:
        self.graph = graph
        is_layer = registry.find("layer", graph.name) is not None
        self.name = f"{graph.name}_" if is_layer else graph.name
        self.span = graph.origin
        self.ordered = sorted(graph.inputs, key=lambda declared: declared.optional)
        self.inputs = tuple(i.name for i in self.ordered)
        self.defaults = graph.params
        self.made: dict[Any, tuple[Declared, Mapping[str, TensorType | None]]] = {}
        self.calls: dict[Any, BlockCall] = {}

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        for value in (*args, *keywords.values()):
            if not (is_source(value) or isinstance(value, _PLAIN)):
                message = "a graph is called on handles, and the module that it compiles to on"
                raise TypeError(f"{message} {type(value).__name__}s: graph.compile()(...)")
        return super().__call__(*args, **keywords)

    @property
    def stem(self) -> str:
        return snake_case(self.graph.name)

    def applied(self, params: dict[str, Any]) -> BlockCall:
        """The module for these params."""
        key = tuple(sorted((name, _identity(value)) for name, value in params.items()))
        return self.calls.setdefault(key, super().applied(params))

    def declare(
        self, arguments: list[Mapping[str, Any]], types: dict[str, TensorType], feed: Feed
    ) -> Declared:
        """The graph as a block, once its inputs fit."""
        given = {name: plain(value) for name, value in arguments[0].items()}
        if any(content(other) != content(arguments[0]) for other in arguments):
            raise fail("bad-option", "a graph has the same params each time", feed.span)
        key = content(given)
        if key not in self.made:
            self.made[key] = self._make(given, feed.span)
        declared, wanted = self.made[key]
        for name, type_ in wanted.items():
            if type_ is not None:
                self._check(name, type_, types[name], feed.span)
        return declared

    def _make(self, given: Values, span: Span) -> tuple[Declared, Mapping[str, TensorType | None]]:
        """The graph as a block with these params given, and the types of its inputs."""
        own = {name: option(value, span) for name, value in given.items()}
        state = State(self.graph.blocks, Report())
        state.params = params(state, {**self.graph.params, **own})
        types, sizes = input_types(state, self.graph.inputs)
        graph = choose(self.graph, state.params, state.report)
        raise_faults(state.report, span)
        spec = _Spec(graph, state.params)
        # a size of the same name hides a param; a block cannot have a param called so, or without a value
        hidden = {n: v for n, v in state.params.items() if n in (*sizes, *NODE_WORDS) or v is None}
        outputs = tuple(o._replace(doc="") for o in graph.outputs if not o.only_training)
        needed = needed_for(graph.nodes, [output.source.name for output in outputs])
        block = ir.Block(
            self.name,
            self.span,
            {name: o for name, o in self.graph.params.items() if name not in hidden},
            tuple(ir.BlockInput(i.name, i.span, i.shape) for i in self.ordered),
            tuple(node for node in graph.nodes if node.name in needed),
            outputs,
            doc=self.graph.doc,
        )
        return spec.declared(_with_values(block, hidden)), types

    def _check(self, name: str, wants: TensorType, given: TensorType, span: Span) -> None:
        """Refuse a source of another kind; what its shape must be the block says."""
        what = f"{name} of {self.graph.name}"
        if given.dtype != wants.dtype:
            raise fail("dtype-mismatch", f"{what} is {wants.dtype}, not {given.dtype}", span)
        if wants.vocab not in (None, given.vocab):
            message = f"{what} has a vocab of {wants.vocab}, not {given.vocab or 'none'}"
            raise fail("dtype-mismatch", message, span)
        if not given.batched:
            raise fail("rank-mismatch", f"{what} has a batch, but {given} has none", span)


def _identity(value: Any) -> Any:
    """Return a key that distinguishes params; for a number of a block that is being declared, its
    expression."""
    if type(value) is Watched and value.expression is not None:
        return id(value.expression)
    return content(unwatched(value))


class _Spec:
    """The blocks of a spec as others use them: under keys of their own, and with values in place of
    the spec's params."""

    def __init__(self, graph: ir.Graph, values: Values) -> None:
        self.keys = {name: new_key(block.family) for name, block in graph.blocks.items()}
        self.blocks = {name: _with_values(block, values) for name, block in graph.blocks.items()}
        self.inner = inner_blocks(graph.blocks)
        self.order = ordered(graph.blocks, [(used, user) for user, used in self.inner])

    def block(self, name: str) -> Declared:
        """One of them."""
        return self.declared(self.blocks[name], self.keys[name])

    def declared(self, block: ir.Block, key: str = "") -> Declared:
        """A block that uses these, under its key, with those that it uses."""
        used = reached((call.block for call in calls(block.nodes)), self.inner)
        found = {self.keys[n]: self._keyed(self.blocks[n]) for n in self.order if n in used}
        key = key or new_key(block.family)
        return Declared(key, {**found, key: self._keyed(block)})

    def _keyed(self, block: ir.Block) -> ir.Block:
        return replace(block, nodes=with_keys(block.nodes, self.keys))


# --- values in place of params --------------------------------------------------------------------


def _with_values(block: ir.Block, values: Values) -> ir.Block:
    """The block with values in place of the names that are not its own."""
    params: dict[str, ir.Option] = {}
    for name, default in block.params.items():  # which sees the block's params above it
        params[name] = _filled(default, _without(values, params))
    outer = _without(values, params)
    inputs = tuple(replace(i, pattern=_pattern(i.pattern, outer)) for i in block.inputs)
    sizes = [dim for i in inputs if i.pattern for dim in i.pattern.dims if isinstance(dim, str)]
    free = _without(outer, sizes)
    nodes = tuple(with_options(node, lambda o: _filled(o, free)) for node in block.nodes)
    return replace(block, params=params, inputs=inputs, nodes=nodes)


def _without(values: Values, names: Iterable[str]) -> Values:
    hidden = set(names)
    return {name: value for name, value in values.items() if name not in hidden}


def _pattern(pattern: ir.InputShape | None, values: Values) -> ir.InputShape | None:
    if pattern is None:
        return None
    return pattern._replace(dims=tuple(_value(dim, values) for dim in pattern.dims))


def _filled(given: ir.Option, values: Values) -> ir.Option:
    value = _value(given.value, values)
    return given if value == given.value else given._replace(value=value, part=None)


def _value(given: Any, values: Values) -> Any:
    """A value as given, with what its names stand for."""
    match given:
        case ir.Written(Variable(name)) if name in values:
            return values[name]
        case ir.Written(expression):
            return given._replace(expression=_expression(expression, values))
        case ir.Template(text):
            numbers = {name: value for name, value in values.items() if _is_number(value)}
            filled = with_numbers(text, numbers)
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
        case Negative(operand):
            return Negative(_expression(operand, values))
        case Arithmetic(operator, left, right):
            return Arithmetic(operator, _expression(left, values), _expression(right, values))
    return given


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
