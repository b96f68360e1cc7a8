"""Split a graph into stages: graphs that run one after another, each in a process of its own."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from mimgraph.diagnostics.nearest import no_such_name
from mimgraph.diagnostics.text import unmarked
from mimgraph.ir.code import Code, Operand, RuntimeSize, walk
from mimgraph.ir.dim import Dim, symbols
from mimgraph.ir.names import input_fault
from mimgraph.ir.typed_graph import (
    ALWAYS,
    Body,
    TypedGraph,
    TypedNode,
    Value,
    results_of,
    single_nodes,
)
from mimgraph.ir.typed_operations import Leaf, Repeated, Shared, unwrap
from mimgraph.ir.typed_walks import used_bodies
from mimgraph.ir.types import DTYPES, axis_that_tells, can_be_read
from mimgraph.pipeline.repeat_pieces import divisible, in_pieces, why_whole


def split(graph: TypedGraph, starts: Sequence[str]) -> tuple[TypedGraph, ...]:
    """Return the graphs of the stages, in running order; each node in `starts` begins a new one.

    `encoded.3` begins one at the fourth repeat of a block. The inputs of a stage are the outputs of
    the one before: all values that its nodes, or nodes of later stages, read. Only optional inputs go to the
    stages that read them. Names stay as they are. A `ValueError` says which value cannot be sent.
    """
    pieces = in_pieces(graph.body, starts)
    for name in starts:
        _check_name(graph.body, name, pieces.begins)
    body, first = pieces.body, {pieces.begins[name]: name for name in starts}
    runs: list[list[TypedNode]] = [[]]
    for unit in units(body):
        named = [node for node in unit if node.name in first]
        if named and not runs[-1]:
            why = f"no node runs before {first[named[0].name]}, so it begins the first stage anyway"
            raise ValueError(f"{_place(named[0])}: {why}")
        if named:
            runs.append([])
        runs[-1] += unit
    return _Cut(replace(graph, body=body), runs).stages()


def _check_name(body: Body, name: str, known: Container[str]) -> None:
    """Raise a `ValueError` if no stage can begin at a name."""
    if name in known:
        return
    if name in body.inputs:
        raise ValueError(f"{name} is an input; a stage begins at a node")
    head, dot, _ = name.partition(".")
    node = body.by_name.get(head) if dot else None
    if node is None:
        found = no_such_name("node", name, body.by_name, listed_as="the nodes")
        raise ValueError("; ".join(map(unmarked, filter(None, found))))
    times = dict(divisible(body)).get(node)
    if times is None:
        raise ValueError(f"{_place(node)}: {head} cannot be split, as {why_whole(body, node)}")
    why = f"there is no {name}; {head} has {times} repeats, numbered from 0"
    raise ValueError(f"{_place(node)}: {why}")


def _place(node: TypedNode) -> str:
    span = node.declared.span
    return f"{span.file.name}:{span.line}:{span.column}"


def units(body: Body) -> list[list[TypedNode]]:
    """Return the nodes in running order; nodes that depend on no input join the first node that reads
    them."""
    own: set[str] = set()
    for node in body.order:
        if own.issuperset(_sources(node)):
            own.add(node.name)
    position: dict[str, int] = {}
    read: dict[str, int] = {}
    for index, node in reversed([*enumerate(body.order)]):
        at = read.get(node.name, len(body.order)) if node.name in own else index
        position[node.name] = at
        for name in (*_sources(node), *_owners(node)):
            read[name] = min(read.get(name, at), at)
    late = sorted(body.order, key=lambda node: (position[node.name], node.name not in own))
    return [[*unit] for _, unit in groupby(late, key=lambda node: position[node.name])]


class Bond(NamedTuple):
    """The reason why a node must be in the stage of another, which it `reads`; no node for an output."""

    reads: str
    node: TypedNode | None
    reason: str

    @property
    def reader(self) -> str:
        return "the output" if self.node is None else self.node.name

    def text(self, body: Body) -> str:
        """Return `spec.yaml:6:11: logits reads words.weight, a weight of another node`."""
        return f"{_place(self.node or body.by_name[self.reads])}: {self.reader} {self.reason}"


def bonds(body: Body) -> Iterator[Bond]:
    """Yield the bonds of a graph: nodes that must be in one stage."""
    for node in body.order:
        for owner in _owners(node):
            yield Bond(owner, node, f"shares the weights of {owner}")
        for value in node.arguments.values():
            if (reason := _unsendable(body, value)) is not None:
                yield Bond(value.name, node, reason)
    for value in body.outputs.values():
        if (reason := _unsendable(body, value)) is not None:
            yield Bond(value.name, None, reason)


def _unsendable(body: Body, value: Value) -> str | None:
    """Return why a stage cannot send a value, or None if it can: a tensor that is never missing."""
    node = body.by_name.get(value.name)
    if node is None:
        return None
    name = node.name if value.port == node.default else f"{node.name}.{value.port}"
    if value.port not in node.results:
        return f"reads {name}, a weight of another node"
    if body.presence_of(value) != ALWAYS:
        return f"reads {name}, which may be missing"
    if body.type_of(value).dtype not in DTYPES:
        return f"reads {name}, which is a state, not a tensor"
    return None


def _sources(node: TypedNode) -> list[str]:
    return [value.name for value in node.arguments.values()]


def _owners(node: TypedNode) -> Iterator[str]:
    """Yield the nodes whose modules a node shares, itself or in its blocks."""
    for one in single_nodes(node):
        if isinstance(one.operation, Shared):
            yield one.operation.target
        for body in used_bodies(unwrap(one.operation)):
            yield from (owner.partition(".")[0] for owner in body.borrowed)


class _Cut:
    """Builds the graphs of the stages, whose nodes are `runs`."""

    def __init__(self, graph: TypedGraph, runs: list[list[TypedNode]]) -> None:
        self.graph = graph
        self.body = graph.body
        self.runs = runs
        self.place = {node.name: stage for stage, nodes in enumerate(runs) for node in nodes}
        self.written = {node.name: index for index, node in enumerate(graph.body.nodes)}
        for bond in bonds(graph.body):
            self.check(bond)

    def check(self, bond: Bond) -> None:
        """Raise a `ValueError` if a cut parts a bond."""
        made = self.place[bond.reads]
        read = len(self.runs) - 1 if bond.node is None else self.place[bond.node.name]
        if made != read:
            where = (
                f"{bond.reads} would be in stage {made + 1} and {bond.reader} in stage {read + 1}"
            )
            raise ValueError(f"{bond.text(self.body)}: {where}, but they must be in one stage")

    def stages(self) -> tuple[TypedGraph, ...]:
        """Return the graphs, built from the last, as each must give what later ones take."""
        found = []
        handed_on: Mapping[str, Value] = self.body.outputs
        for stage in reversed(range(len(self.runs))):
            taken = self.taken(stage, handed_on.values())
            found.append(self.stage(stage, taken, handed_on))
            handed_on = {self.names[value]: value for value in taken}
        return tuple(reversed(found))

    def taken(self, stage: int, handed_on: Iterable[Value]) -> list[Value]:
        """Return the values that a stage takes from the one before; for the first, inputs of the graph."""
        read = [value for node in self.runs[stage] for value in node.arguments.values()]
        needed = {value for value in (*read, *handed_on) if self.place.get(value.name) != stage}
        needed -= {Value(name, "") for name in self.body.optional}
        for node in self.runs[stage]:
            needed |= self.size_inputs(node, needed)
        named = [value for value in needed if value in self.names]
        # a value with a batch first: the substitute of a missing input takes its size from that
        return sorted(named, key=lambda v: (not self.body.type_of(v).batched, self.rank[v]))

    def size_inputs(self, node: TypedNode, given: set[Value]) -> set[Value]:
        """Return the inputs of the graph that have sizes which a node reads and no given value has."""
        missing: set[Value] = set()
        for size, operands in _run_time_sizes(node):
            at_hand = [self.body.type_of(value) for value in (*given, *operands)]
            if not can_be_read(size, at_hand):
                names = (name for name in symbols(size) if not axis_that_tells(name, at_hand))
                missing.update(map(self.size_input, names))
        return missing

    def size_input(self, name: str) -> Value:
        """Return the first input of the graph that has a size and is never missing."""
        inputs = self.body.required_inputs
        axis = axis_that_tells(name, [*inputs.values()])
        assert axis is not None, f"no input has the size {name}"  # inference checked that
        return Value([*inputs][axis.tensor], "")

    def stage(self, index: int, taken: list[Value], handed_on: Mapping[str, Value]) -> TypedGraph:
        """Return the graph of a stage, with the values that it takes as inputs."""
        graph, body, run = self.graph, self.body, self.runs[index]
        inputs = {self.names[value]: body.type_of(value) for value in taken}
        types = [*inputs.values()]
        read = {value.name for value in handed_on.values()}
        read.update(name for node in run for name in _sources(node))
        inputs |= {n: t for n, t in body.inputs.items() if n in body.optional & read}
        renamed = {value: Value(self.names[value], "") for value in taken}
        # pieces of a repeated block get the name of the block back
        inside = {
            node.name: replace(_reading(node, renamed), name=node.declared.name) for node in run
        }
        renamed |= {
            Value(node.name, port): Value(node.declared.name, port)
            for node in run
            for port in node.results
        }
        is_last = index == len(self.runs) - 1
        return TypedGraph(
            f"{graph.name}Stage{index + 1}",
            replace(
                body,
                inputs=inputs,
                nodes=tuple(inside[name] for name in sorted(inside, key=self.written.__getitem__)),
                order=tuple(inside.values()),
                outputs={name: renamed.get(value, value) for name, value in handed_on.items()},
                results=results_of({n: body.type_of(value) for n, value in handed_on.items()}),
                doc=f"Stage {index + 1} of {len(self.runs)} of {graph.name}.",
                optional=body.optional.intersection(inputs),
                training=body.training if is_last else frozenset(),
                batch_dims=body.batch_dims if is_last else {},
            ),
            {name: doc for name, doc in graph.input_docs.items() if name in inputs},
            graph.output_docs if is_last else {},
            tuple(one for one in graph.constraints if can_be_read(one.dim, types)),
            is_stage=True,
        )

    @cached_property
    def rank(self) -> dict[Value, int]:
        """The order in which stages take values."""
        return {value: index for index, value in enumerate(self.names)}

    @cached_property
    def names(self) -> dict[Value, str]:
        """The name of each value as an input: that of its node, with the port if that is not the
        default, and with an underscore if no input may have the name."""
        names = {Value(name, ""): name for name in self.body.inputs}
        taken = {*self.body.inputs, *self.body.by_name}
        for node in self.body.order:
            for port in node.results:
                name = node.name if port == node.default else f"{node.name}_{port}"
                while (name in taken and name != node.name) or input_fault(name):
                    name += "_"
                taken.add(name)
                names[Value(node.name, port)] = name
        return names


def _reading(node: TypedNode, renamed: Mapping[Value, Value]) -> TypedNode:
    """Return a node that reads its values under other names."""
    operation = node.operation
    if operation.branches:
        operation = operation.map_items(lambda item: _reading(item, renamed))
    return replace(
        node,
        operation=operation,
        arguments={key: renamed.get(value, value) for key, value in node.arguments.items()},
        without={keys: _reading(less, renamed) for keys, less in node.without.items()},
    )


def _run_time_sizes(node: TypedNode) -> Iterator[tuple[Dim, list[Value]]]:
    """Yield the sizes that the code of a node reads at run time, with the values in the same code."""
    for one in single_nodes(node):
        for made in (one, *one.without.values()):
            operation = unwrap(made.operation)
            if isinstance(operation, Repeated) and isinstance(operation.times, Dim):
                yield operation.times, [*made.arguments.values()]
            for code in _codes(operation) if isinstance(operation, Leaf) else ():
                parts = walk(code)
                keys = [part.key for part in parts if isinstance(part, Operand)]
                operands = [made.arguments[key] for key in keys if key in made.arguments]
                for part in parts:
                    if isinstance(part, RuntimeSize):
                        yield part.dim, operands


def _codes(leaf: Leaf) -> Iterator[Code]:
    """Yield all code of a layer or merge."""
    lowering = leaf.lowering
    yield from lowering.steps.values()
    for port in lowering.ports.values():
        yield from (port.code, *([] if port.alone is None else [port.alone]))
    for code in (lowering.call, lowering.fallback, lowering.skipping):
        if code is not None:
            yield code
