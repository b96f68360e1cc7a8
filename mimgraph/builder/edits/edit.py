"""One edit of a graph: the scopes inside its nodes, the paths to them, and the checked graph that it returns."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple, Self

from mimgraph.builder.block_call import new_key
from mimgraph.builder.names import Names, content_key
from mimgraph.builder.user_line import raise_at_call, spec_error, user_line
from mimgraph.cost.within_limits import infer_within_limits
from mimgraph.diagnostics import Diagnostic, Report, SpecError
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.nearest import no_such_name
from mimgraph.infer.declared import params
from mimgraph.infer.each import port_of
from mimgraph.infer.evaluation import Evaluation, compute, texts_in
from mimgraph.infer.structure import calls, reached
from mimgraph.infer.warnings import unread_params
from mimgraph.ir.declared_graph import (
    Apply,
    Block,
    BlockInput,
    Call,
    Chain,
    Graph,
    Input,
    Node,
    Output,
    Share,
    Source,
)
from mimgraph.ir.declared_graph import Each as DeclaredEach
from mimgraph.ir.declared_values import Chosen, Option
from mimgraph.ir.expression import plain
from mimgraph.ir.rewrite import Rewriter
from mimgraph.ir.typed_graph import TypedGraph, TypedNode
from mimgraph.ir.typed_operations import Each, TypedOperation, unwrap
from mimgraph.ir.types import TensorType
from mimgraph.ops import registry
from mimgraph.picture.faulty.sketch import sketch_of
from mimgraph.source import Span
from mimgraph.support.arguments import shown

NO_TYPES: Mapping[str, TensorType] = MappingProxyType({})
NO_NODES: Mapping[str, TypedNode] = MappingProxyType({})


class Scope(NamedTuple):
    """The nodes of a graph or block, or the items of a seq, while one of them is edited.

    `path` begins the paths of its nodes: `stage.`. `types` has the types of its inputs, and `typed`
    the nodes as inferred before the edit, in the first repeat of a block; both are empty for a block
    that is repeated zero times.
    """

    path: str
    nodes: tuple[Node, ...]
    outputs: tuple[Output, ...] = ()
    inputs: tuple[Input | BlockInput, ...] = ()
    is_seq: bool = False
    types: Mapping[str, TensorType] = NO_TYPES
    typed: Mapping[str, TypedNode] = NO_NODES

    @property
    def names(self) -> list[str]:
        """The names of its inputs and nodes."""
        return [one.name for one in (*self.inputs, *self.nodes)]

    def find(self, name: str) -> Node | None:
        """Return the node of this name, if there is one."""
        return next((node for node in self.nodes if node.name == name), None)

    def with_nodes(self, nodes: Iterable[Node]) -> Scope:
        """Return the scope with other nodes; the names of items are their positions."""
        found = tuple(nodes)
        if self.is_seq:
            found = tuple([_named(item, str(index)) for index, item in enumerate(found)])
        return self._replace(nodes=found)

    def with_node(self, name: str, *instead: Node) -> Scope:
        """Return the scope with these nodes in place of one."""
        found = (([node] if node.name != name else instead) for node in self.nodes)
        return self.with_nodes(node for nodes in found for node in nodes)

    def is_default(self, name: str, port: str | None) -> bool:
        """Return whether a port of an input or node is the one that a source without port reads."""
        typed = self.typed.get(name)
        return port is None or (typed is not None and port == typed.default)

    def reading(self, name: str, port: str | None) -> Callable[[Source], bool]:
        """Return what tells whether a source reads this result."""
        is_default = self.is_default(name, port)

        def reads(source: Source) -> bool:
            if source.name != name:
                return False
            return source.port == port or (is_default and self.is_default(name, source.port))

        return reads

    def sources(self) -> Iterable[Source]:
        """Yield what its nodes and outputs read."""
        for node in self.nodes:
            yield from node.sources or ()
        yield from (output.source for output in self.outputs)

    def rewired(self, reads: Callable[[Source], bool], to: Source) -> Scope:
        """Return the scope in which all that `reads` a result reads another one.

        An output keeps its public name, and a reader the names that it has from its sources.
        """
        return self._replace(
            nodes=tuple([_rewired(node, reads, to) for node in self.nodes]),
            outputs=tuple(
                [
                    output._replace(source=_read(output.source, to))
                    if reads(output.source)
                    else output
                    for output in self.outputs
                ]
            ),
        )


def _named(item: Node, name: str) -> Node:
    return item if item.name == name else replace(item, name=name)


def _read(source: Source, to: Source) -> Source:
    return source._replace(name=to.name, port=to.port)


def _rewired(node: Node, reads: Callable[[Source], bool], to: Source) -> Node:
    sources = node.sources or ()
    if not any(map(reads, sources)):
        return node
    if takes_names(node) and not any(source.port == "*" for source in sources):
        sources = tuple([source._replace(argument=_own_name(node, source)) for source in sources])
    return replace(node, sources=tuple([_read(one, to) if reads(one) else one for one in sources]))


def takes_names(node: Node) -> bool:
    """Return whether a node takes names from its sources: ports of an `each`, variables of a formula."""
    applied = node.applied
    if node.has_branches:
        return getattr(node.operation, "times", None) is None
    op = registry.find(applied.kind, applied.name) if isinstance(applied, Apply) else None
    return op is not None and op.inputs.kind == "named"


def _own_name(node: Node, source: Source) -> str:
    return port_of(source) if node.has_branches else source.argument or source.name


# Name the blocks that an edit makes: copies that only some of the uses of a block changed, and
# new ones.


class CopyKey(str):
    """The temporary key of a copy of a block, `of`, which the spec may have `written` as a param."""

    __slots__ = ("of", "written")
    of: str
    written: str

    def __new__(cls, key: str, of: str, written: str) -> Self:
        self = super().__new__(cls, key)
        self.of, self.written = of, written
        return self


Resolve = Callable[[str], str]  # a name that a param may give, as the value of the param


def used_blocks(
    graph: Graph, more: Mapping[str, Block], resolve: Resolve, also: Iterable[str] = ()
) -> set[str]:
    """Return the keys of all blocks of the graph, and of `more` blocks, that a node uses, or one of the
    blocks `also`."""
    blocks = {**graph.blocks, **more}
    edges = [
        (key, resolve(call.block)) for key, block in blocks.items() for call in calls(block.nodes)
    ]
    return reached([*(resolve(call.block) for call in calls(graph.nodes)), *also], edges)


def name_blocks(graph: Graph, before: Graph, made: Mapping[str, Block], resolve: Resolve) -> Graph:
    """Return the graph with names for the blocks `made`, which have temporary keys.

    A copy has the name of its block if nothing uses that block as it was `before`, else a free one,
    `residual_2`. Blocks with equal content become one.
    """
    if not made:
        return graph
    used = used_blocks(graph, made, resolve)
    unused = graph.blocks.keys() - used_blocks(before, {}, resolve)
    naming = _Naming(graph, used | used_blocks(graph, {}, resolve, unused))
    for key, block in made.items():
        if key in used:
            naming.add(key, block)
    return replace(graph, nodes=naming.renamed(graph.nodes), blocks=naming.blocks())


class _Naming:
    """Gives names to blocks, inner ones first; `left` are the blocks of the graph that keep theirs."""

    def __init__(self, graph: Graph, left: set[str]) -> None:
        self.blocks_before = graph.blocks
        self.left = left & graph.blocks.keys()
        self.names = Names({*self.left, *_choices(graph)}, first_number=2)
        self.keys: dict[str, str] = {}
        self.found: dict[str, Block] = {}
        self.known: dict[Hashable, str] = {}
        for name, block in graph.blocks.items():
            if name in self.left:
                self.known.setdefault(self._content(block), name)

    def add(self, key: str, block: Block) -> None:
        """Name a block, as one with equal content if there is one; its origin goes first."""
        named = replace(block, nodes=self.renamed(block.nodes))
        content = self._content(named)
        of = key.of if isinstance(key, CopyKey) else ""
        if of in self.left and content == self._content(self.blocks_before[of]):
            self.keys[key] = of
            return
        if content not in self.known:
            name = self._new_name(of, block.family)
            self.known[content] = name
            self.found[name] = replace(named, family=block.family if name == of else name)
        self.keys[key] = self.known[content]

    def renamed(self, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        """Return the nodes with the names of the blocks in place of their keys."""
        return Rewriter(name=self._name).nodes(nodes)

    def blocks(self) -> dict[str, Block]:
        """Return all blocks by name, a copy where its block was or after it."""
        found: dict[str, Block] = {}
        for name, block in self.blocks_before.items():
            if name in self.left:
                found[name] = block
            for other in [o for o in self.found if o == name or self.stem(o) == name]:
                found[other] = self.found.pop(other)
        return {**found, **self.found}

    def stem(self, name: str) -> str:
        """Return the name without the number of a copy: `residual` for `residual_2`."""
        stem = re.sub(r"_\d+$", "", name)
        return stem if stem in self.blocks_before else name

    def _name(self, kind: str, name: str, path: str) -> str:
        found = self.keys.get(name, name) if kind == "block" else name
        return name.written if isinstance(name, CopyKey) and name.of == found else found

    def _new_name(self, of: str, family: str) -> str:
        if of and of not in self.left and of not in self.found:
            self.names.taken.add(of)
            return of
        return self.names.unique(self.stem(of or family))

    def _content(self, block: Block) -> Hashable:
        return content_key(replace(block, family=self.stem(block.family)))


def _choices(graph: Graph) -> Iterator[str]:
    """Yield the texts among params, which may give the name of a block."""
    for option in graph.params.values():
        yield from texts_in(option.value)


# One edit of a graph: the scopes inside its nodes, and the checked graph that it returns.


def without_unused(graph: Graph, before: Graph, resolve: Resolve) -> Graph:
    """Return the graph without the blocks and params that only the graph `before` the edit used."""
    if before.blocks:
        used = used_blocks(before, {}, resolve)
        dropped = used - used_blocks(graph, {}, resolve, graph.blocks.keys() - used)
        blocks = {name: block for name, block in graph.blocks.items() if name not in dropped}
        graph = replace(graph, blocks=blocks) if len(blocks) < len(graph.blocks) else graph
    unread = {*unread_params(before)} if graph.params else set()
    while graph.params and (dropped := {*unread_params(graph)} - unread):
        kept = {name: option for name, option in graph.params.items() if name not in dropped}
        graph = replace(graph, params=kept)
    return graph


def with_known_sizes(graph: Graph, before: Graph) -> Graph:
    """Return the graph with limits that state no sizes which only inputs of the graph `before` the edit
    had."""
    if graph.limits is None or not graph.limits.sizes:
        return graph
    lost = {*_sizes(before)} - {*_sizes(graph)}
    sizes = {name: option for name, option in graph.limits.sizes.items() if name not in lost}
    return replace(graph, limits=replace(graph.limits, sizes=sizes))


def _sizes(graph: Graph) -> Iterator[str]:
    for one in graph.inputs:
        yield from one.shape.names if one.shape else ()


class EditedGraph(NamedTuple):
    """A graph as declared and as inferred."""

    declared: Graph
    typed: TypedGraph


@dataclass
class Edit:
    """An edit of a graph at the user's line `span`; `made` are the blocks that it adds, by temporary
    keys, inner ones first."""

    graph: Graph
    typed: TypedGraph
    span: Span = field(default_factory=user_line)
    made: dict[str, Block] = field(default_factory=dict)

    @cached_property
    def whole(self) -> Scope:
        """The scope of the graph itself."""
        body, graph = self.typed.body, self.graph
        inputs = graph.inputs
        return Scope("", graph.nodes, graph.outputs, inputs, False, body.inputs, body.by_name)

    # --- scopes inside nodes ----------------------------------------------------------------------

    def inside(self, scope: Scope, node: Node) -> Scope | None:
        """Return the scope inside a node: the items of its seq, or the nodes of its block."""
        operation, path = node.applied, f"{scope.path}{node.name}."
        typed = scope.typed.get(node.name)
        applied = None if typed is None else _applied(typed.operation)
        if isinstance(operation, Chain):
            return _items(path, operation.items, applied, _source_type(scope, typed))
        if not isinstance(operation, Call):
            return None
        block = self.block(operation)
        body = applied.bodies[0] if applied is not None and applied.bodies else None
        if block.is_chain:
            chain = block.nodes[0].operation
            assert isinstance(chain, Chain)
            if body is None:
                return _items(path, chain.items, None, None)
            source = next(iter(body.inputs.values()), None)
            return _items(path, chain.items, unwrap(body.nodes[0].operation), source)
        known = (NO_TYPES, NO_NODES) if body is None else (body.inputs, body.by_name)
        return Scope(path, block.nodes, block.outputs, block.inputs, False, *known)

    def with_inside(self, node: Node, inner: Scope) -> Node:
        """Return a node with a changed scope inside it; its block becomes a copy."""
        operation = node.applied
        if isinstance(operation, Chain):
            return node.with_applied(replace(operation, items=inner.nodes))
        assert isinstance(operation, Call)
        block = self.block(operation)
        nodes = inner.nodes
        if block.is_chain:
            (whole,) = block.nodes
            assert isinstance(whole.operation, Chain)
            nodes = (replace(whole, operation=replace(whole.operation, items=inner.nodes)),)
        changed = replace(block, nodes=nodes, outputs=inner.outputs or block.outputs, function=None)
        if not block.is_chain:
            inputs = tuple([one for one in inner.inputs if isinstance(one, BlockInput)])
            changed = replace(changed, inputs=inputs)
        key = CopyKey(new_key(block.family), self.resolved(operation.block), operation.block)
        self.made[key] = changed
        return node.with_applied(replace(operation, block=key))

    def block(self, call: Call) -> Block:
        """Return the block that a node uses."""
        return self.graph.blocks[self.resolved(call.block)]

    def resolved(self, name: str) -> str:
        """Return a name of a layer, merge or block with the value of a param in its place."""
        if not isinstance(name, Chosen):
            return name
        return str(self._computed(name.written))

    def value(self, given: Option) -> object:
        """Return the value of an option in which params may stand."""
        return self._computed(given.value)

    def _computed(self, value: object) -> object:
        return plain(compute(value, Evaluation(self._params, Report())))

    @cached_property
    def _params(self) -> Mapping[str, object]:
        return params(self.graph.params, Report())

    # --- the result -------------------------------------------------------------------------------

    def fault(
        self, code: DiagnosticCode, message: str, help: str = "", at: Span | None = None
    ) -> SpecError:
        """Return the error for an edit that cannot be made, with the place in the spec as a label."""
        if at is None:
            return spec_error(code, message, self.span, help)
        try:
            raise_at_call([Diagnostic(code, message, at, help=help)], self.span)
        except SpecError as error:
            return error

    def changed(self, around: Sequence[tuple[Scope, Node]], scope: Scope) -> EditedGraph:
        """Return the checked graph with a changed scope, inside the nodes of the scopes `around` it."""
        for outer, node in reversed(around):
            scope = outer.with_node(node.name, self.with_inside(node, scope))
        return self.checked(scope)

    def checked(self, whole: Scope) -> EditedGraph:
        """Return the checked graph with these nodes and outputs."""
        inputs = tuple([one for one in whole.inputs if isinstance(one, Input)])
        graph = replace(self.graph, inputs=inputs, nodes=whole.nodes, outputs=whole.outputs)
        graph = with_known_sizes(graph, self.graph)
        graph = name_blocks(graph, self.graph, self.made, self.resolved)
        graph = without_unused(graph, self.graph, self.resolved)
        report = Report()
        try:
            typed, faults = infer_within_limits(graph, report), report.diagnostics
        except SpecError as error:  # a limit
            typed, faults = None, error.diagnostics
        if faults:
            raise_at_call(faults, self.span, sketch_of(graph))
        assert typed is not None
        return EditedGraph(graph, typed)


def _applied(operation: TypedOperation) -> TypedOperation:
    """Return the operation itself, in an `each` that of its first module."""
    whole = unwrap(operation)
    return unwrap(whole.items[0].operation) if isinstance(whole, Each) else whole


def _items(
    path: str,
    items: tuple[Node, ...],
    typed: TypedOperation | None,
    source: TensorType | None,
) -> Scope:
    """Return the scope of the items of a seq; its source is the input `input`."""
    types = NO_TYPES if source is None else {"input": source}
    known = NO_NODES if typed is None else {item.name: item for item in typed.items}
    return Scope(path, items, is_seq=True, types=types, typed=known)


def _source_type(scope: Scope, typed: TypedNode | None) -> TensorType | None:
    """Return the type that the seq of a node reads."""
    if typed is None or not typed.arguments:
        return None
    value = next(iter(typed.arguments.values()))
    name, _, item = value.name.partition(".")
    found: TensorType | None
    if value.name in scope.types:
        found = scope.types[value.name]
    elif name in scope.typed and not item:
        found = scope.typed[name].results.get(value.port)
    else:
        found = None
    return found if typed.over is None or found is None else typed.over.fold(found)


# Find the node, input or port that a path names, such as `fc`, `features.3` or `stage.conv`.


class Place(NamedTuple):
    """A node, input or port in its scope; `around` are the scopes and nodes that lead there, the
    outermost first."""

    around: tuple[tuple[Scope, Node], ...]
    scope: Scope
    name: str
    port: str | None = None

    @property
    def path(self) -> str:
        return self.scope.path + self.name

    @property
    def node(self) -> Node:
        found = self.scope.find(self.name)
        assert found is not None
        return found


def find(edit: Edit, path: object, takes_results: bool = False) -> Place:
    """Return the node at a path; if it `takes_results`, also an input or a port."""
    if not isinstance(path, str):
        raise TypeError(f"an edit takes the name of a node, such as 'fc', not {shown(path)}")
    around: list[tuple[Scope, Node]] = []
    scope, parts = edit.whole, path.split(".")
    while True:
        name, *rest = parts
        node = scope.find(name)
        if node is None and not rest and takes_results and name in scope.names:
            return Place((*around,), scope, name)
        if node is None:
            raise unknown_name(edit, scope, name, takes_results)
        if not rest:
            return Place((*around,), scope, name)
        inner = edit.inside(scope, node)
        for_all = rest[1:] if rest[0] == "*" and _has_copies(node) else rest
        is_number = inner is not None and inner.is_seq and _is_numbered(node) and for_all is rest
        if inner is not None and for_all and for_all[0] in inner.names and not is_number:
            around.append((scope, node))
            scope, parts = inner, for_all
            continue
        port = ".".join(rest)
        if takes_results and not scope.is_seq and _has_port(scope, name, port):
            return Place((*around,), scope, name, port)
        raise _nothing_inside(edit, scope, node, inner, rest)


def _has_copies(node: Node) -> bool:
    """Return whether a node is declared once and has several modules: repeats, or an `each`."""
    return node.has_branches or _is_numbered(node)


def _is_numbered(node: Node) -> bool:
    """Return whether the keys of these modules are numbers, like the keys of the items of a seq."""
    operation, whole = node.applied, node.operation
    if isinstance(whole, DeclaredEach):
        return whole.times is not None
    return (
        isinstance(operation, Call) and operation.repeat is not None and not operation.repeat.shared
    )


def _has_port(scope: Scope, name: str, port: str) -> bool:
    """Return whether a node has this result."""
    typed = scope.typed.get(name)
    return typed is not None and port in typed.results


def check_one_result(edit: Edit, place: Place) -> None:
    """Raise an error if the place names no port of a node that has no default one."""
    typed = place.scope.typed.get(place.name)
    if place.port is None and typed is not None and typed.default is None:
        ports = ", ".join(repr(f"{place.path}.{port}") for port in typed.results)
        message = f"{place.path} has several results: choose a port"
        raise edit.fault("unknown-port", message, f"name one of them: {ports}")


def unknown_name(edit: Edit, scope: Scope, name: str, takes_results: bool) -> SpecError:
    """Return the error for a name that no node has."""
    where = f" in {scope.path[:-1]}" if scope.path else ""
    if name in scope.names and takes_results:
        message = f"{name} is an input{where}, and has no ports"
        return edit.fault("unknown-port", message, f"write {scope.path + name!r}")
    if name in scope.names:
        help = "an input has no layer: name a node that reads it"
        return edit.fault("unknown-source", f"{name} is an input{where}, and no node", help)
    choices = scope.names if takes_results else [node.name for node in scope.nodes]
    what = "input or node" if takes_results else "node"
    message, help = no_such_name(what, name, choices, scope.path[:-1])
    return edit.fault("unknown-source", message, help)


def _nothing_inside(
    edit: Edit, scope: Scope, node: Node, inner: Scope | None, rest: list[str]
) -> SpecError:
    """Return the error for a path that leads into a node where nothing has that name."""
    here, name, operation = scope.path + node.name, rest[0], node.applied
    if isinstance(operation, Share):
        message = f"{here} shares the module of {operation.text}, and has no nodes"
        help = f"change {operation.text}, which {here} follows"
        return edit.fault("unknown-source", message, help)
    typed = scope.typed.get(node.name)
    branches = unwrap(typed.operation).branches if typed is not None else ()
    is_repeat = isinstance(operation, Call) and operation.repeat and name.isdecimal()
    if is_repeat or any(branch.name == name for branch in branches):
        message = (
            f"{name} is one of the copies in {here}, which are declared once and cannot differ"
        )
        inside = ["*", *rest[1:]] if rest[1:] else []
        help = f"write {'.'.join([here, *inside])!r}, which changes all of them"
        return edit.fault("unknown-source", message, help)
    if inner is None:
        message = f"{here} is one layer, with no node {name!r} inside"
        return edit.fault("unknown-source", message, f"write {here!r}")
    names = [one.name for one in inner.nodes]
    message, help = no_such_name("node", name, names, here, "its nodes")
    if inner.is_seq:
        last = len(inner.nodes) - 1
        help = f"its items are 0 to {last}" if last > 0 else "its only item is 0"
    return edit.fault("unknown-source", message, help)
