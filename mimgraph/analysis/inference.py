"""The shape pass: walks a graph in running order and types every node, blocks once a distinct use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import networkx as nx

from mimgraph import catalogue
from mimgraph.analysis.options import (
    Bound,
    Environment,
    bind,
    check_names,
    compute,
    missing_option,
    unknown_option,
    values,
)
from mimgraph.analysis.structure import Scope, check_scope, cycles
from mimgraph.catalogue import OpFault, same_dims, same_size
from mimgraph.diagnostics import Diagnostic, Label, Report
from mimgraph.diagnostics.nearest import nearest
from mimgraph.ir.code import Code
from mimgraph.ir.dim import Dim, Size, at_least, symbol
from mimgraph.ir.graph import (
    FAULTY,
    Apply,
    Block,
    BlockInput,
    Call,
    Chain,
    Graph,
    Input,
    InputShape,
    Node,
    Option,
    Repeat,
    Share,
    Source,
    Take,
    Written,
)
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.typed import (
    Body,
    Leaf,
    Repeated,
    Sequence,
    Shared,
    TypedGraph,
    TypedNode,
    TypedOperation,
    Use,
    Value,
    unwrap,
)
from mimgraph.ir.types import Constraint, TensorType, at_least_one
from mimgraph.source import Span

MAX_NODES = 50_000
MAX_WEIGHTS = 2**40
WORDS = ("from", "activation", "take", "name")


@dataclass(frozen=True, slots=True)
class Fed:
    """A source resolved: the value, its type (None: unknown), and where it is written and made."""

    value: Value
    type: TensorType | None
    source: Source
    producer: Span


@dataclass(slots=True)
class Context:
    """What is at hand while one body is inferred. `path` starts the node names of diagnostics."""

    env: Environment
    inputs: Mapping[str, TensorType | None]
    scope: Scope
    path: str
    uses: tuple[Label, ...] = ()
    typed: dict[str, TypedNode | None] = field(default_factory=dict)


def infer(graph: Graph, report: Report) -> TypedGraph | None:
    """Check the whole graph and type it; None, with every fault in the report, if it is wrong."""
    return _Inference(graph, report).run()


class Given(NamedTuple):
    """An input of a node that is checked alone."""

    declared: Input | BlockInput
    type: TensorType


Made = Given | TypedNode


def infer_input(declared: Input, report: Report) -> TensorType | None:
    """The type of one input."""
    types, _ = _Inference(Graph("", declared.span), report).input_types([declared])
    return types[declared.name]


def infer_node(
    node: Node,
    made: Mapping[str, Made],
    report: Report,
    blocks: Mapping[str, Block] | None = None,
    path: str = "",
) -> TypedNode | None:
    """Type one node alone; `made` is what it reads, and the node it shares, by name."""
    inference = _Inference(Graph("", node.span, blocks=blocks or {}), report)
    if blocks:
        inference.check_blocks()
    context = _alone(made, path, node)
    found = context.typed[node.name] = inference.node(context, node)
    if isinstance(node.operation, Share):
        inference.check_shared(context)
        found = context.typed[node.name]
    return found


def infer_port(source: Source, made: Made, report: Report) -> TensorType | None:
    """The type of a port of something already typed."""
    inference = _Inference(Graph("", source.span), report)
    fed = inference.resolve(_alone({source.name: made}, ""), source, source.name)
    return fed.type if fed else None


def _alone(made: Mapping[str, Made], path: str, *nodes: Node) -> Context:
    """A context that holds only what one node reads."""
    given = {name: one for name, one in made.items() if isinstance(one, Given)}
    typed = {name: one for name, one in made.items() if isinstance(one, TypedNode)}
    declared = {name: one.declared for name, one in typed.items()}
    declared |= {node.name: node for node in nodes}
    scope = Scope({name: one.declared for name, one in given.items()}, declared, nodes, ())
    types = {name: one.type for name, one in given.items()}
    return Context({}, types, scope, path, typed=dict(typed))


class _Inference:
    def __init__(self, graph: Graph, report: Report) -> None:
        self.graph = graph
        self.report = report
        self.params: dict[str, Any] = {}
        self.scopes: dict[str, Scope] = {}
        self.recursive: set[str] = set()
        self.bound: dict[int, Bound | None] = {}
        self.bodies: dict[Any, Body | None] = {}
        self.constraints: dict[Constraint, None] = {}
        self.sizes: dict[int, int] = {}  # nodes of a body, by its id
        self.calls: dict[int, bool] = {}  # whether a call's params are fine, by its id
        self.expanded = 0

    def run(self) -> TypedGraph | None:
        graph = self.graph
        before = len(self.report.diagnostics)
        self.params = self.compute_params(graph.params, {}, "")
        self.check_blocks()
        scope = check_scope(graph.inputs, graph.nodes, graph.outputs, self.report)
        types, env = self.input_types(graph.inputs)
        context = Context(self.params | env, types, scope, "")
        outputs = self.body_nodes(context, graph.outputs)
        if len(self.report.diagnostics) > before or outputs is None:
            return None
        body = self.finish(context, "", {}, {}, {}, outputs, graph.doc)
        docs = {i.name: i.doc for i in graph.inputs if i.doc}
        return TypedGraph(graph.name, body, docs, tuple(self.constraints))

    # params, inputs, blocks as declared

    def compute_params(
        self, params: Mapping[str, Option], env: Environment, path: str
    ) -> dict[str, Any]:
        """The values of params, each seeing those above it."""
        found: dict[str, Any] = {}
        for name, option in params.items():
            found[name] = compute(option.value, {**env, **found}, self.report, path)
        return {name: _plain(value) for name, value in found.items()}

    def input_types(
        self, inputs: Iterable[Input]
    ) -> tuple[dict[str, TensorType | None], dict[str, Dim]]:
        """The type of each input, and the named sizes by name."""
        types: dict[str, TensorType | None] = {}
        env: dict[str, Dim] = {}
        for declared in inputs:
            vocab = None
            if declared.vocab is not None:
                vocab = self.vocab(declared.vocab)
            dims = self.dims(declared.shape, self.params) if declared.shape else None
            if dims is None or vocab is FAULTY:
                types[declared.name] = None
            else:
                types[declared.name] = TensorType(dims, declared.dtype, vocab)
            for dim in declared.shape.dims if declared.shape else ():
                if isinstance(dim, str):
                    env[dim] = symbol(dim)
        return types, env

    def vocab(self, option: Option) -> Any:
        """The number of categories, a positive int."""
        value = compute(option.value, self.params, self.report, "")
        if value is FAULTY:
            return FAULTY
        if type(_plain(value)) is int and value >= 1:
            return int(value)
        self.fault("bad-option", "vocab is a number of categories, at least 1", option.span)
        return FAULTY

    def dims(self, shape: InputShape, env: Environment) -> tuple[Size, ...] | None:
        """The sizes of a declared shape; None if one is faulty."""
        found: list[Size] = []
        for dim, span in zip(shape.dims, shape.spans, strict=True):
            if isinstance(dim, str):
                found.append(symbol(dim))
                continue
            value = _plain(compute(dim, env, self.report, ""))
            if value is FAULTY:
                return None
            if isinstance(value, Dim) or (type(value) is int and value >= 1):
                found.append(value)
                continue
            self.fault("bad-option", "a size is a name or an integer of at least 1", span)
            return None
        return tuple(found)

    def check_blocks(self) -> None:
        """Check each block once as text; one that contains itself is never used."""
        for key, block in self.graph.blocks.items():
            path = f"{block.family}."
            if block.is_chain:
                named = {node.name: node for node in block.nodes}
                inputs = {i.name: i for i in block.inputs}
                self.scopes[key] = Scope(inputs, named, block.nodes, block.outputs)
            else:
                self.scopes[key] = check_scope(
                    block.inputs, block.nodes, block.outputs, self.report, path
                )
            if catalogue.find("layer", block.family) or catalogue.find("merge", block.family):
                self.fault("duplicate-name", f"{block.family} is the name of a layer", block.span)
            self.check_own_names(block)
        self.find_recursion()
        for key, block in self.graph.blocks.items():
            self.check_block_text(block)

    def check_own_names(self, block: Block) -> None:
        """A dimension of a pattern may not be called as one of the block's own params."""
        for declared in block.inputs:
            pattern = declared.pattern
            for dim, span in zip(*pattern, strict=True) if pattern else ():
                if isinstance(dim, str) and dim in block.params:
                    first = Label(block.params[dim].key, "the param")
                    self.report.add(
                        Diagnostic(
                            "duplicate-name",
                            f"{dim} is a param of the block and a dimension",
                            span,
                            labels=(first,),
                            help=f"write ${dim} for the param's value",
                        )
                    )

    def find_recursion(self) -> None:
        """Report each block that contains itself, at the first of the ring."""
        blocks = self.graph.blocks
        inner: nx.DiGraph[str] = nx.DiGraph()
        inner.add_nodes_from(blocks)
        for key, block in blocks.items():
            inner.add_edges_from((key, c.block) for c in _calls(block.nodes) if c.block in blocks)
        for ring in cycles(inner, {key: index for index, key in enumerate(blocks)}):
            self.recursive.update(ring)
            words = " -> ".join(blocks[key].family for key in ring)
            self.report.add(
                Diagnostic("cycle", f"blocks contain each other: {words}", blocks[ring[0]].span),
                *ring,
            )
        # what reaches a cycle cannot be used either
        for key in list(self.recursive):
            self.recursive.update(nx.ancestors(inner, key))

    def check_block_text(self, block: Block) -> None:
        """The faults of a body that need no use: unknown layers and blocks, options, params."""
        names = {**self.params, **block.params}
        for declared in block.inputs:
            if declared.pattern:
                names |= {d: 0 for d in declared.pattern.dims if isinstance(d, str)}
        for option in block.params.values():
            check_names(option.value, {**self.params, **block.params}, self.report, block.family)
        self.check_nodes_text(block.nodes, names, f"{block.family}.")

    def check_nodes_text(
        self, nodes: Iterable[Node], names: Mapping[str, Any], path: str
    ) -> None:
        for node in nodes:
            here = (path + node.name).rstrip(".")
            operation = node.operation
            if isinstance(operation, Apply):
                self.bind_op(operation, node.span, here)
                for option in (*operation.options.values(), operation.lone):
                    if option is not None:
                        check_names(option.value, names, self.report, here)
            elif isinstance(operation, Chain):
                self.check_nodes_text(operation.items, names, here + ".")
            elif isinstance(operation, Call):
                self.find_block(operation, node.span, here)
                for option in (*operation.params.values(), operation.lone):
                    if option is not None:
                        check_names(option.value, names, self.report, here)

    # bodies

    def body_nodes(self, context: Context, outputs: Iterable[Any]) -> dict[str, Value] | None:
        """Type every node of a body in running order; the values of its outputs."""
        for node in context.scope.order:
            context.typed[node.name] = self.node(context, node)
            self.count(1, node.span)
        # nodes on a cycle, and what they feed, have no types: tell what their text alone says
        beyond = [n for name, n in context.scope.nodes.items() if name not in context.typed]
        self.check_nodes_text(beyond, context.env, context.path)
        self.check_shared(context)
        found: dict[str, Value] = {}
        known = True
        for output in outputs:
            fed = self.resolve(context, output.source, "")
            known = known and fed is not None and fed.type is not None
            if fed is not None:
                found[output.name] = fed.value
        return found if known else None

    def finish(
        self,
        context: Context,
        family: str,
        params: Mapping[str, Any],
        defaults: Mapping[str, Any],
        dims: Mapping[str, Any],
        outputs: Mapping[str, Value],
        doc: str,
        is_chain: bool = False,
    ) -> Body:
        """A body from what was typed, in both orders."""
        typed = context.typed
        nodes = tuple(n for name in context.scope.nodes if (n := typed.get(name)) is not None)
        order = tuple(n for node in context.scope.order if (n := typed[node.name]) is not None)
        inputs = {name: t for name, t in context.inputs.items() if t is not None}
        return Body(family, params, defaults, dims, inputs, nodes, order, outputs, is_chain, doc)

    def count(self, nodes: int, span: Span) -> None:
        """Bound what a spec expands to."""
        self.expanded += nodes
        if self.expanded > MAX_NODES:
            self.fault("too-large", f"more than {MAX_NODES:,} nodes after expansion", span)
            self.report.raise_if_any()

    # sources

    def resolve(self, context: Context, source: Source, path: str) -> Fed | None:
        """What a source means; None where it is unknown, which is told."""
        if source.name in context.inputs:
            declared = context.scope.inputs[source.name]
            if source.port is not None:
                self.unknown_port(source.name, source.port, source.port_span, (), path)
                return None
            return Fed(
                Value(source.name, ""), context.inputs[source.name], source, declared.span
            )
        node = context.scope.nodes.get(source.name)
        if node is None:
            return None  # told by the structure pass
        typed = context.typed.get(source.name)
        if typed is None:
            return Fed(Value(source.name, ""), None, source, node.span)
        port = typed.default if source.port is None else source.port
        ports = tuple(p for p in typed.results if p)
        if port is None:
            self.fault(
                "unknown-port",
                f"{source.name} has several results, name one",
                source.span,
                path,
                help=f"its ports: {', '.join(ports)}",
            )
            return None
        if port not in typed.results or (source.port == ""):
            self.unknown_port(source.name, port, source.port_span, ports, path)
            return None
        return Fed(Value(source.name, port), typed.results[port], source, node.span)

    def unknown_port(
        self, name: str, port: str, span: Span, ports: tuple[str, ...], path: str
    ) -> None:
        near = nearest(port, ports)
        help = f"did you mean {near}?" if near else f"its ports: {', '.join(ports)}"
        self.fault(
            "unknown-port",
            f"{name} has no port {port!r}",
            span,
            path,
            help=help if ports else f"{name} has one result: write {name}",
        )

    def feed(self, context: Context, node: Node, path: str) -> list[Fed] | None:
        """All sources of a node, `.*` spread out; None if one is unknown."""
        found: list[Fed] = []
        complete = True
        for source in node.sources or ():
            for one in self.spread(context, source):
                fed = self.resolve(context, one, path)
                complete = complete and fed is not None and fed.type is not None
                if fed is not None:
                    found.append(fed)
        return found if complete and node.sources is not None else None

    def missing_from(self, node: Node, operation: Apply | Chain | Call, path: str) -> None:
        """Report that `from` is missing, unless an unknown option may be it."""
        bound = self.bound.get(id(operation))
        if isinstance(operation, Apply) and (bound is None or bound.faulty):
            return
        if isinstance(operation, Call) and not self.calls.get(id(operation), False):
            return
        help = "from names the sources; it is never implied"
        self.fault("missing-key", f"{node.name} needs from", node.span, path, help=help)

    def spread(self, context: Context, source: Source) -> list[Source]:
        """`node.*` as one source a port."""
        typed = context.typed.get(source.name)
        if source.port != "*" or typed is None or len(typed.results) == 1:
            return [source]
        return [source._replace(port=port) for port in typed.results]

    def match(
        self, op: str, keys: tuple[str, ...], optional: frozenset[str], fed: list[Fed], node: Node, path: str
    ) -> dict[str, Fed] | None:
        """Sources by the argument they fill: a list in order, a mapping by name."""
        if len(fed) > len(keys):
            self.fault(
                "wrong-arity",
                f"{op} takes {_count(len(keys), len(optional))}, not {len(fed)}",
                fed[len(keys)].source.span,
                path,
            )
            return None
        found: dict[str, Fed] = {}
        for position, one in enumerate(fed):
            argument = one.source.argument
            if argument is not None and argument not in keys:
                near = nearest(argument, keys)
                help = f"did you mean {near}?" if near else f"its arguments: {', '.join(keys)}"
                span = one.source.argument_span or one.source.span
                self.fault("unknown-key", f"{op} takes no source {argument!r}", span, path, help=help)
                return None
            found[keys[position] if argument is None else argument] = one
        missing = [key for key in keys if key not in found and key not in optional]
        if missing:
            self.fault("wrong-arity", f"{op} needs a source {missing[0]!r}", node.span, path)
            return None
        return {key: found[key] for key in keys if key in found}

    # nodes

    def node(self, context: Context, node: Node) -> TypedNode | None:
        """One node typed; None where something is faulty or unknown."""
        path = context.path + node.name
        operation, take = self.shared_operation(context, node)
        if operation is None:
            return None
        fed = self.feed(context, node, path)
        typed = self.operation(context, node, operation, take, fed, path)
        if node.sources is None:
            self.missing_from(node, operation, path)
            return None
        if typed is None or not isinstance(node.operation, Share):
            return typed
        target = self.root(context, node.operation.target)
        return TypedNode(
            typed.name,
            Shared(target, typed.operation),
            typed.arguments,
            typed.results,
            typed.default,
            node,
        )

    def root(self, context: Context, target: str) -> str:
        """The node that owns the module which `target` names."""
        node = context.scope.nodes[target]
        while isinstance(node.operation, Share):
            node = context.scope.nodes[node.operation.target]
        return node.name

    def shared_operation(
        self, context: Context, node: Node
    ) -> tuple[Apply | Chain | Call | None, Take | None]:
        """What a node does, seen through `share`, and the `take` that goes with it."""
        seen = {node.name}
        while isinstance(node.operation, Share):
            target = context.scope.nodes.get(node.operation.target)
            if target is None or target.name in seen:
                return None, None
            seen.add(target.name)
            node = target
        return node.operation, node.take

    def operation(
        self,
        context: Context,
        node: Node,
        operation: Apply | Chain | Call,
        take: Take | None,
        fed: list[Fed] | None,
        path: str,
    ) -> TypedNode | None:
        if isinstance(operation, Apply):
            return self.apply(context, node, operation, take, fed, path)
        if isinstance(operation, Chain):
            return self.chain(context, node, operation, fed, path)
        return self.call(context, node, operation, take, fed, path)

    def bind_op(
        self, apply: Apply, span: Span, path: str
    ) -> tuple[catalogue.Op, Bound] | None:
        """The op of the catalogue and its options as given; checked once a node."""
        op = catalogue.find(apply.kind, apply.name)
        key = id(apply)
        if key in self.bound:
            bound = self.bound[key]
            return (op, bound) if op and bound else None
        if op is None:
            self.bound[key] = None
            self.unknown_op(apply, path)
            return None
        bound = bind(op, apply.options, apply.lone, span, self.report, path, WORDS)
        if apply.activation is not None and "activation" not in op.options:
            bound = bound._replace(
                faulty=bound.faulty or not self.check_activation(apply, path)
            )
        self.bound[key] = bound
        return op, bound

    def unknown_op(self, apply: Apply, path: str) -> None:
        other = "merge" if apply.kind == "layer" else "layer"
        choices = (*catalogue.ops(apply.kind), *(b.family for b in self.graph.blocks.values()))
        near = nearest(apply.name, choices)
        help = f"did you mean {near}?" if near else ""
        if catalogue.find(other, apply.name):
            help = f"{apply.name} is a {other}: write {{{other}: {apply.name}, ...}}"
        elif apply.name in self.graph.blocks:
            help = f"{apply.name} is a block: write {{block: {apply.name}, ...}}"
        self.fault(
            f"unknown-{apply.kind}", f"no {apply.kind} is called {apply.name!r}", apply.span, path, help=help
        )

    def check_activation(self, apply: Apply, path: str) -> bool:
        """Whether `activation:` names an element-wise layer without weights, with options it has."""
        activation = apply.activation
        assert activation is not None
        op = catalogue.find("layer", activation.name)
        if op is None:
            near = nearest(activation.name, catalogue.ops("layer"))
            help = f"did you mean {near}?" if near else ""
            self.fault(
                "unknown-layer", f"no layer is called {activation.name!r}", activation.span, path, help=help
            )
            return False
        if op.family != "activation":
            self.fault("bad-option", f"{op.name} is no activation", activation.span, path)
            return False
        bound = bind(op, activation.options, activation.lone, activation.span, self.report, path)
        self.bound[id(activation)] = bound
        return not bound.faulty

    def apply(
        self,
        context: Context,
        node: Node,
        apply: Apply,
        take: Take | None,
        fed: list[Fed] | None,
        path: str,
    ) -> TypedNode | None:
        """A layer or merge: options, sources, then its rule."""
        found = self.bind_op(apply, node.span, path)
        if found is None:
            return None
        op, bound = found
        options = values(op, bound, context.env, self.report, path)
        if fed is None:
            return None
        spec = op.inputs
        by_key = self.sources_of(op, spec, fed, node, path)
        if by_key is None or options is None:
            return None
        types = {key: one.type for key, one in by_key.items() if one.type is not None}
        try:
            lowering = op.infer(types, options)
            self.check_inferred(op, bound, options, lowering)
            self.check_results(op.name, lowering)
        except OpFault as fault:
            self.op_fault(op, bound, fault, by_key, node, path, context)
            return None
        return self.leaf(context, node, apply, op, options, lowering, take, by_key, path)

    def sources_of(
        self,
        op: catalogue.Op,
        spec: catalogue.InputSpec,
        fed: list[Fed],
        node: Node,
        path: str,
    ) -> dict[str, Fed] | None:
        """The sources by operand key."""
        if spec.kind in ("one", "tuple"):
            return self.match(op.name, spec.names, spec.optional, fed, node, path)
        if spec.kind == "many":
            for one in fed:
                if one.source.argument is not None:
                    span = one.source.argument_span or one.source.span
                    self.fault(
                        "unknown-key", f"{op.name} takes a list of sources", span, path
                    )
                    return None
            return {str(index): one for index, one in enumerate(fed)}
        unnamed = next((one for one in fed if one.source.argument is None), None)
        if unnamed is not None and len({one.source.name for one in fed}) != len(fed):
            self.fault(
                "wrong-arity", f"{op.name} needs a name for each source", unnamed.source.span, path
            )
            return None
        return {one.source.argument or one.source.name: one for one in fed}

    def check_inferred(
        self, op: catalogue.Op, bound: Bound, options: Mapping[str, Any], lowering: Lowering
    ) -> None:
        """An option that the input decides, given all the same, must agree."""
        for name in op.inferred:
            if name in bound.given and lowering.module is not None:
                inferred = lowering.module.arguments.get(name)
                if inferred != options[name]:
                    raise OpFault(
                        "inferred-conflict",
                        f"{name} is {options[name]}, but the input gives {inferred}",
                        option=name,
                        help=f"leave {name} out",
                    )

    def check_results(self, name: str, lowering: Lowering) -> None:
        """No result is empty; what cannot be decided becomes a constraint of the graph."""
        for constraint in lowering.requires:
            self.constraints[constraint] = None
        for type_ in lowering.results.values():
            for size in type_.dims:
                if type(size) is int and size > 0:
                    continue
                answer = at_least(size, 1)
                if answer is False:
                    raise OpFault("empty-output", f"{name} gives {type_}, which is empty")
                if answer is None:
                    assert isinstance(size, Dim)
                    self.constraints[at_least_one(size)] = None
        if lowering.module is not None:
            for weight, shape in lowering.module.weights.items():
                total = 1
                for extent in shape:
                    total *= extent
                if total > MAX_WEIGHTS:
                    raise OpFault("too-large", f"{weight} of {name} has {total:,} elements")

    def op_fault(
        self,
        op: catalogue.Op,
        bound: Bound,
        fault: OpFault,
        by_key: Mapping[str, Fed],
        node: Node,
        path: str,
        context: Context,
    ) -> None:
        """Locate what a rule refuses: at the option, at the source, or at the node's name."""
        names = {key: _text(one.source) for key, one in by_key.items()}
        source = fault.source
        if source is None and fault.option is None and len(by_key) == 1 and fault.code != "wrong-arity":
            source = next(iter(by_key))
        span = node.span
        if fault.option is not None and fault.option in bound.given:
            span = bound.given[fault.option].span
        elif source is not None and source in by_key:
            span = by_key[source].source.span
        labels = []
        for key in dict.fromkeys((*((source,) if source else ()), *fault.speaks_of)):
            if key in by_key and by_key[key].type is not None:
                labels.append(Label(by_key[key].producer, str(by_key[key].type)))
        self.report.add(
            Diagnostic(
                fault.code,
                _fill(fault.message, names),
                span,
                _fill(fault.note, names),
                tuple(dict.fromkeys((*labels, *context.uses))),
                _fill(fault.help, names),
                path,
            )
        )

    def leaf(
        self,
        context: Context,
        node: Node,
        apply: Apply,
        op: catalogue.Op,
        options: Mapping[str, Any],
        lowering: Lowering,
        take: Take | None,
        by_key: Mapping[str, Fed],
        path: str,
    ) -> TypedNode | None:
        """The typed node of a lowering, its `take` and activation applied."""
        results, default = dict(lowering.results), lowering.default
        if take is not None:
            ports = tuple(p for p in results if p)
            if take.port not in ports:
                self.unknown_port(node.name, take.port, take.span, ports, path)
                return None
            default = take.port
        activation: Code | None = None
        if apply.activation is not None and "activation" not in op.options:
            if default is None:
                self.fault("unknown-port", f"{op.name} has several results: say which with take", apply.activation.span, path)
                return None
            applied = self.activate(context, apply, results[default], path)
            if applied is None:
                return None
            activation, results[default] = applied
        return TypedNode(
            node.name,
            Leaf(
                apply.kind,
                op.name,
                options,
                lowering,
                activation,
                apply.activation.name if activation is not None and apply.activation else "",
            ),
            {key: one.value for key, one in by_key.items()},
            results,
            default,
            node,
        )

    def activate(
        self, context: Context, apply: Apply, type_: TensorType, path: str
    ) -> tuple[Code, TensorType] | None:
        """The activation as a function of INPUT, and the type of its result."""
        activation = apply.activation
        assert activation is not None
        op = catalogue.find("layer", activation.name)
        bound = self.bound.get(id(activation))
        if op is None or bound is None:
            return None
        options = values(op, bound, context.env, self.report, path)
        if options is None:
            return None
        try:
            lowering = op.infer({op.inputs.names[0]: type_}, options)
        except OpFault as fault:
            span = activation.span
            if fault.option in bound.given:
                span = bound.given[str(fault.option)].span
            self.fault(fault.code, fault.message, span, path, help=fault.help, note=fault.note)
            return None
        if lowering.function is None or lowering.type is None:
            self.fault(
                "bad-option",
                f"{op.name} has state of its own",
                activation.span,
                path,
                help=f"make it a layer: {{layer: {op.name}, from: ...}}",
            )
            return None
        return lowering.function, lowering.type

    # chains

    def chain(
        self, context: Context, node: Node, chain: Chain, fed: list[Fed] | None, path: str
    ) -> TypedNode | None:
        """Items in a row; an unknown type silences those after it, but their options are checked."""
        current: Fed | None = None
        if fed is not None:
            matched = self.match("seq", ("input",), frozenset(), fed, node, path)
            current = matched["input"] if matched else None
        items, alive = self.items(context, chain.items, current, path)
        if current is None or not alive:
            return None
        last = items[-1].type if items else current.type
        if last is None:
            self.fault(
                "unknown-port",
                "the last item has several results: say which with take",
                chain.items[-1].span,
                f"{path}.{len(items) - 1}",
            )
            return None
        return TypedNode(
            node.name, Sequence(tuple(items)), {"input": current.value}, {"": last}, "", node
        )

    def items(
        self, context: Context, nodes: tuple[Node, ...], current: Fed | None, path: str
    ) -> tuple[list[TypedNode], bool]:
        """The items of a chain typed, and whether all could be."""
        items: list[TypedNode] = []
        start = current
        for item in nodes:
            here = f"{path}.{item.name}" if path else item.name
            fed: list[Fed] | None = None
            if current is not None and current.type is not None:
                told = current.source._replace(
                    name=_text(current.source), port=None, span=item.span, argument=None
                )
                fed = [Fed(current.value, current.type, told, current.producer)]
            operation = item.operation
            typed = None
            if isinstance(operation, Apply | Chain | Call):
                typed = self.operation(context, item, operation, item.take, fed, here)
            if typed is None:
                current = None
                continue
            items.append(typed)
            value = Value(item.name, typed.default or "")
            source = Source(item.name, None, item.span)
            current = Fed(value, typed.type, source, item.span)
            if typed.type is None and item is not nodes[-1]:
                self.fault(
                    "unknown-port",
                    "several results: say which with take",
                    item.span,
                    here,
                    help=f"its ports: {', '.join(typed.results)}",
                )
                current = None
        return items, start is not None and len(items) == len(nodes)

    # blocks

    def find_block(self, call: Call, span: Span, path: str) -> Block | None:
        """The block of a call, unless it is unknown or contains itself."""
        block = self.graph.blocks.get(call.block)
        if block is None:
            near = nearest(call.block, self.graph.blocks)
            self.fault(
                "unknown-block",
                f"no block is called {call.block!r}",
                call.span,
                path,
                help=f"did you mean {near}?" if near else "",
            )
            return None
        self.check_params(call, block, span, path)
        return block

    def check_params(self, call: Call, block: Block, span: Span, path: str) -> bool:
        """Whether a call gives the params that the block has, each once."""
        if id(call) in self.calls:
            return self.calls[id(call)]
        before = len(self.report.diagnostics)
        given = dict(call.params)
        each = call.repeat.each if call.repeat else {}
        if call.lone is not None:
            first = next(iter(block.params), None)
            if first is None:
                self.fault("wrong-type", f"{block.family} has no params", call.lone.span, path)
            else:
                given[first] = call.lone
        unknown = [(n, o) for n, o in (*given.items(), *each.items()) if n not in block.params]
        for name, option in unknown:
            words = ("from", "take", "repeat")
            params = tuple(block.params)
            unknown_option(block.family, name, option.key, params, words, self.report, path)
        if not unknown:
            for name, default in block.params.items():
                if default.value is None and name not in given and name not in each:
                    missing_option(block.family, name, span, self.report, path)
        fine = len(self.report.diagnostics) == before
        self.calls[id(call)] = fine
        return fine

    def call(
        self,
        context: Context,
        node: Node,
        call: Call,
        take: Take | None,
        fed: list[Fed] | None,
        path: str,
    ) -> TypedNode | None:
        """A use of a block, once or repeated."""
        block = self.find_block(call, node.span, path)
        if block is None or not self.check_params(call, block, node.span, path):
            return None
        given = {name: o for name, o in call.params.items()}
        if call.lone is not None:
            given[next(iter(block.params))] = call.lone
        arguments = {
            name: compute(option.value, context.env, self.report, path)
            for name, option in given.items()
        }
        each = self.repeats(context, call, path)
        if fed is None or each is None or FAULTY in arguments.values() or call.block in self.recursive:
            return None
        keys = tuple(i.name for i in block.inputs)
        matched = self.match(block.family, keys, frozenset(), fed, node, path)
        if matched is None:
            return None
        if call.repeat is None:
            body = self.use(context, call, block, arguments, matched, node, path)
            if body is None:
                return None
            operation: TypedOperation = Use(body, arguments)
            results = _results(body)
        else:
            repeated = self.repeat(context, call, call.repeat, block, arguments, each, matched, node, path)
            if repeated is None:
                return None
            operation, results = repeated
        default = "" if len(results) == 1 and "" in results else None
        if take is not None:
            if take.port not in results or not take.port:
                self.unknown_port(node.name, take.port, take.span, tuple(p for p in results if p), path)
                return None
            default = take.port
        values_ = {key: one.value for key, one in matched.items()}
        return TypedNode(node.name, operation, values_, results, default, node)

    def repeats(
        self, context: Context, call: Call, path: str
    ) -> list[dict[str, Any]] | None:
        """The arguments of each time, [{}] without `repeat`; None if something is faulty."""
        repeat = call.repeat
        if repeat is None:
            return [{}]
        times: Any = None
        if repeat.times is not None:
            times = _plain(compute(repeat.times.value, context.env, self.report, path))
            if times is FAULTY:
                return None
            if type(times) is not int or times < 0:
                self.fault("bad-option", "repeat is a number of times", repeat.times.span, path)
                return None
        columns: dict[str, list[Any]] = {}
        for name, option in repeat.each.items():
            column = compute(option.value, context.env, self.report, path)
            if column is FAULTY:
                return None
            count = times if times is not None else len(next(iter(columns.values()), column or []))
            if not isinstance(column, list) or len(column) != count:
                wants = "a list" if times is None and not columns else f"a list of {count}"
                self.fault("bad-option", f"with gives {name} {wants}, one value each time", option.span, path)
                return None
            columns[name] = column
        if times is None:
            times = len(next(iter(columns.values())))
        if times > MAX_NODES:
            span = repeat.times.span if repeat.times else repeat.span
            self.fault("too-large", f"more than {MAX_NODES:,} repeats", span, path)
            return None
        return [{name: column[i] for name, column in columns.items()} for i in range(times)]

    def repeat(
        self,
        context: Context,
        call: Call,
        repeat: Repeat,
        block: Block,
        arguments: Mapping[str, Any],
        each: list[dict[str, Any]],
        matched: dict[str, Fed],
        node: Node,
        path: str,
    ) -> tuple[Repeated, dict[str, TensorType]] | None:
        """Times in a row: outputs thread into the inputs of their names, a single one into the first."""
        inputs = [i.name for i in block.inputs]
        names = [o.name for o in block.outputs]
        carried = tuple(inputs[:1] if len(names) == 1 else (n for n in names if n in inputs))
        single = len(names) == 1
        current = dict(matched)
        found: list[Body] = []
        results = {"" if single else name: matched[name].type for name in carried}
        for time in each:
            body = self.use(context, call, block, {**arguments, **time}, current, node, path)
            if body is None:
                return None
            found.append(body)
            results = dict(_results(body))
            for name in carried:
                type_ = results["" if single else name]
                if repeat.shared and type_ is not None and type_ != _no_vocab(current[name].type):
                    self.fault(
                        "shape-mismatch",
                        f"a shared repeat needs equal shapes in and out: {current[name].type} gives {type_}",
                        repeat.span,
                        path,
                    )
                    return None
                told = current[name].source
                current[name] = Fed(current[name].value, type_, told, current[name].producer)
        known = {port: t for port, t in results.items() if t is not None}
        all_arguments = tuple({**arguments, **time} for time in each)
        return Repeated(tuple(found), all_arguments, repeat.shared, carried), known

    def use(
        self,
        context: Context,
        call: Call,
        block: Block,
        arguments: Mapping[str, Any],
        matched: Mapping[str, Fed],
        node: Node,
        path: str,
    ) -> Body | None:
        """The body of a block for these params and input types; each distinct one is typed once."""
        types = {key: one.type for key, one in matched.items() if one.type is not None}
        plain = {name: _plain(value) for name, value in arguments.items()}
        key = (call.block, _frozen(plain), tuple(types.values()))
        if key in self.bodies:
            body = self.bodies[key]
            self.count(self.sizes.get(id(body), 0), node.span)
            return body
        self.bodies[key] = None
        dims = self.bind_pattern(context, block, matched, plain, path)
        if dims is None:
            return None
        before = self.expanded
        body = self.bodies[key] = self.body(call, block, plain, types, dims, context, node)
        self.sizes[id(body)] = self.expanded - before
        return body

    def bind_pattern(
        self,
        context: Context,
        block: Block,
        matched: Mapping[str, Fed],
        params: Mapping[str, Any],
        path: str,
    ) -> dict[str, Size] | None:
        """The sizes that the patterns of the inputs name; a use that does not fit is told at its source."""
        dims: dict[str, Size] = {}
        env = {**self.params, **self.block_params(block, params)}
        for declared in block.inputs:
            fed = matched[declared.name]
            if declared.pattern is None or fed.type is None:
                continue
            wants = f"{declared.name}: [{', '.join(map(_dim_text, declared.pattern.dims))}]"
            if len(declared.pattern.dims) != len(fed.type.dims):
                self.use_fault("rank-mismatch", f"{block.family} takes {wants}", fed, declared, path)
                return None
            for dim, size in zip(declared.pattern.dims, fed.type.dims, strict=True):
                expected = size
                if isinstance(dim, str):
                    expected = dims.setdefault(dim, size)
                else:
                    expected = compute(dim, env, self.report, path)
                    if expected is FAULTY:
                        return None
                if not same_size(expected, size):
                    message = f"{block.family} takes {wants}, where {_dim_text(dim)} is {expected}"
                    self.use_fault("shape-mismatch", message, fed, declared, path)
                    return None
        return dims

    def use_fault(
        self, code: str, message: str, fed: Fed, declared: BlockInput, path: str
    ) -> None:
        labels = (Label(declared.span, "the pattern"), Label(fed.producer, str(fed.type)))
        self.report.add(
            Diagnostic(code, message, fed.source.span, str(fed.type), labels, node=path)
        )

    def block_params(self, block: Block, given: Mapping[str, Any]) -> dict[str, Any]:
        """All params of a block: those given, and the defaults, which see the spec's params."""
        found: dict[str, Any] = {}
        for name, option in block.params.items():
            if name in given:
                found[name] = given[name]
            else:
                env = {**self.params, **found}
                found[name] = _plain(compute(option.value, env, self.report, block.family))
        return found

    def body(
        self,
        call: Call,
        block: Block,
        given: Mapping[str, Any],
        types: Mapping[str, TensorType],
        dims: Mapping[str, Size],
        context: Context,
        node: Node,
    ) -> Body | None:
        """Type the inside of a block for one distinct use."""
        params = self.block_params(block, given)
        env = {**self.params, **params, **dims}
        label = Label(call.span, f"used here as {node.name}" if node.name else "used here")
        path = f"{block.family}."
        inner = Context(env, types, self.scopes[call.block], path, (label,))
        if block.is_chain:
            inner.path = block.family
            inner.scope = Scope(inner.scope.inputs, inner.scope.nodes, block.nodes, block.outputs)
        outputs = self.body_nodes(inner, block.outputs)
        if outputs is None:
            return None
        defaults = self.block_params(block, {})
        return self.finish(
            inner, block.family, params, defaults, dims, outputs, block.doc, block.is_chain
        )

    # shares

    def check_shared(self, context: Context) -> None:
        """A module used again meets inputs of the same sizes."""
        for name, typed in context.typed.items():
            if typed is None or not isinstance(typed.operation, Shared):
                continue
            target = context.typed.get(typed.operation.target)
            if target is None or _weights(target.operation) == _weights(typed.operation):
                continue
            node = context.scope.nodes[name]
            assert isinstance(node.operation, Share)
            span = node.sources[0].span if node.sources else node.span
            mine, theirs = (
                ", ".join(str(context_type) for context_type in self.argument_types(context, t))
                for t in (typed, target)
            )
            self.fault(
                "shape-mismatch",
                f"{typed.operation.target} is shared, so its input must be {theirs}",
                span,
                context.path + name,
                note=mine,
                labels=(Label(context.scope.nodes[target.name].span, theirs),),
            )
            context.typed[name] = None

    def argument_types(self, context: Context, typed: TypedNode) -> list[TensorType]:
        found = []
        for value in typed.arguments.values():
            made = context.inputs.get(value.name)
            source = context.typed.get(value.name)
            if source is not None:
                made = source.results[value.port]
            if made is not None:
                found.append(made)
        return found

    def fault(
        self,
        code: str,
        message: str,
        span: Span,
        node: str = "",
        *,
        help: str = "",
        note: str = "",
        labels: tuple[Label, ...] = (),
    ) -> None:
        self.report.add(Diagnostic(code, message, span, note, labels, help, node))


def _plain(value: Any) -> Any:
    """A value without its origin."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _frozen(value: Any) -> Any:
    """A hashable stand-in; 1, 1.0 and True stay apart."""
    if isinstance(value, dict):
        return tuple((key, _frozen(item)) for key, item in sorted(value.items()))
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    return (type(value).__name__, value)


def _no_vocab(type_: TensorType | None) -> TensorType | None:
    return None if type_ is None else TensorType(type_.dims, type_.dtype, None, type_.batched)


def _results(body: Body) -> dict[str, TensorType]:
    """The results of a block by port; a single one is the port ""."""
    if len(body.outputs) == 1:
        (value,) = body.outputs.values()
        return {"": body.type_of(value)}
    return {name: body.type_of(value) for name, value in body.outputs.items()}


def _weights(operation: TypedOperation) -> Any:
    """What two operations must have in common to be one module."""
    inner = unwrap(operation)
    if isinstance(inner, Leaf):
        module = inner.lowering.module
        return module and (module.name, dict(module.arguments))
    if isinstance(inner, Sequence):
        return [_weights(item.operation) for item in inner.items]
    if isinstance(inner, Use):
        return [_weights(node.operation) for node in inner.body.nodes]
    return [[_weights(node.operation) for node in body.nodes] for body in inner.bodies]


def _calls(nodes: Iterable[Node]) -> Iterable[Call]:
    """Every block call in a body, those in chains too."""
    for node in nodes:
        if isinstance(node.operation, Call):
            yield node.operation
        elif isinstance(node.operation, Chain):
            yield from _calls(node.operation.items)


def _count(most: int, optional: int) -> str:
    least = most - optional
    plural = "source" if most == 1 else "sources"
    return f"{most} {plural}" if least == most else f"{least} to {most} sources"


def _text(source: Source) -> str:
    return source.name if source.port is None else f"{source.name}.{source.port}"


def _dim_text(dim: Any) -> str:
    if isinstance(dim, Written):
        from mimgraph.ir.expression import to_text

        return f"${to_text(dim.expression)}"
    return str(dim)


_KEY = re.compile(r"\{(\w+)\}")


def _fill(text: str, names: Mapping[str, str]) -> str:
    """`{key}` replaced by the name of the source that fills the operand."""
    if "{" not in text:
        return text
    return _KEY.sub(lambda m: names.get(m[1], m[0]), text)
