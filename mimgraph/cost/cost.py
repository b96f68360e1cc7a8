"""Compute the cost of graphs: parameters, multiply-accumulates, memory of activations; find the
reshapes that copy, because a view before them gave a non-contiguous tensor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import prod

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.ir.amount import Amount
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.lowering import ShapesUnknown
from mimgraph.ir.typed_graph import Body, TypedGraph, TypedNode, Value
from mimgraph.ir.typed_operations import STEPS, Leaf, Repeated, Scan, Shared, unwrap
from mimgraph.ir.typed_walks import Settings, needed_in_eval, running, weights_of_node
from mimgraph.ir.types import BATCH, TensorType


def how_to_count(names: Iterable[str]) -> str:
    """Return `mg.register(Own, macs=...) sets them` for the first registered layer, "" if all are models of
    libraries, whose names have a dot."""
    own = next((name for name in names if "." not in name), None)
    return f"mg.register({own}, macs=...) sets them" if own is not None else ""


PARAM_BYTES = 4  # float32, as parameters are created


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a node or body with all inside it, every optional input given.

    `params` and `buffers` are numbers of elements; a shared module counts once. `frozen` are the
    params that are not learned. `macs` are the multiply-accumulates of one forward, in terms of the
    batch N and the named sizes: matrix products, convolutions and attention, counted as
    `torch.utils.flop_counter` does (its FLOPs are twice as many). `activations` are the bytes of new
    tensors in a forward in eval mode: the result of every layer and merge and of its activation.
    Views, results that are an input (`Dropout` in eval mode), weights and temporary tensors inside an
    op do not count; the layers inside a Transformer do. `Flatten` and `Reshape` are views, but count
    as copies after a view that is mostly non-contiguous (`Permute`, `Expand`, `Slice`). `uncounted`
    names the layers whose `macs` are not known: modules registered without `macs`.
    """

    params: int = 0
    frozen: int = 0
    buffers: int = 0
    macs: Amount = field(default_factory=Amount)
    activations: Amount = field(default_factory=Amount)
    uncounted: frozenset[str] = frozenset()

    @classmethod
    def sum(cls, costs: Iterable[Cost]) -> Cost:
        """Return the sum of costs."""
        every = list(costs)
        if len(every) == 1:
            return every[0]
        return cls(
            sum(one.params for one in every),
            sum(one.frozen for one in every),
            sum(one.buffers for one in every),
            Amount.sum(one.macs for one in every),
            Amount.sum(one.activations for one in every),
            frozenset().union(*(one.uncounted for one in every)),
        )

    def __mul__(self, times: int) -> Cost:
        """Return the cost of so many modules, each with weights of its own."""
        return Cost(
            self.params * times,
            self.frozen * times,
            self.buffers * times,
            self.macs * times,
            self.activations * times,
            self.uncounted,
        )

    def each_step(self, length: Size) -> Cost:
        """Return the cost of one module that runs so many times."""
        macs, activations = self.macs.each(length), self.activations.each(length)
        return replace(self, macs=macs, activations=activations)

    def at(self, sizes: Mapping[str, Size]) -> Cost:
        """Return the cost with numbers for named sizes."""
        return replace(self, macs=self.macs.at(sizes), activations=self.activations.at(sizes))

    @property
    def crosses_samples(self) -> bool:
        """Whether it grows faster than the batch, so that it is no multiple of the cost of a sample."""
        return self.macs.crosses_samples or self.activations.crosses_samples

    @property
    def kept(self) -> Cost:
        """The part of the cost that is there without a forward: weights and buffers."""
        return Cost(self.params, self.frozen, self.buffers)

    @property
    def work(self) -> Cost:
        """The part of the cost that a forward adds."""
        return replace(self, params=0, frozen=0, buffers=0)


class Costs:
    """The costs of a graph, its nodes and bodies; each body is computed once.

    `total` is the cost of the model and a forward in eval mode, `training` what a forward in training
    adds, for outputs that only training has.
    """

    def __init__(self, graph: TypedGraph) -> None:
        self._nodes: dict[TypedNode, Cost] = {}
        self._bodies: dict[Body, Cost] = {}
        self._copies = copies(graph.body)
        self._root = body = graph.body
        every = self.body(body)
        always = needed_in_eval(body)
        late = [node for node in body.nodes if node.name not in always]
        self.training = Cost.sum([Cost(), *(self._nodes[node].work for node in late)])
        in_eval = (self._nodes[node].work for node in body.nodes if node.name in always)
        self.total = Cost.sum([every.kept, *in_eval])

    def node(self, node: TypedNode) -> Cost:
        """Return the cost of a node of the graph, at any depth."""
        return self._nodes[node]

    def body(self, body: Body) -> Cost:
        """Return the cost of one use of a body."""
        if body not in self._bodies:
            runs = running(body, body.outputs)
            reads: dict[str, set[str]] = {name: set() for name in body.by_name}
            of_nodes = (v for n in body.nodes if n.name in runs for v in n.arguments.values())
            for value in (*of_nodes, *body.outputs.values()):
                if value.name in reads:
                    reads[value.name].add(value.port)
            costs = [self._node(node, reads[node.name], node.name in runs) for node in body.nodes]
            self._bodies[body] = Cost.sum(costs)
        return self._bodies[body]

    def of(self, path: str) -> Cost:
        """Return the cost of a dotted name: a node `stage`, a repeat of it `stage.2`, or a node inside
        `stage.2.conv`; a `KeyError` says that there is none."""
        found: Body | TypedNode = self._root
        batch: Size = BATCH
        for key in path.split("."):
            if isinstance(found, TypedNode) and found.fold is not None:
                batch = batch * found.fold.size
            inside = found if isinstance(found, Body) else unwrap(found.operation)
            part = inside.part(key)
            if part is None:
                raise KeyError(key)
            found = part
        cost = self.body(found) if isinstance(found, Body) else self._nodes[found]
        return cost if batch == BATCH else cost.at({"N": batch})

    def _node(self, node: TypedNode, reads: Iterable[str], runs: bool = True) -> Cost:
        """Return the cost of a node if these results are read; a node that shares a module has no params."""
        cost = self._operation(node, reads)
        if isinstance(node.operation, Shared):
            cost = cost.work
        elif node.is_frozen:
            cost = replace(cost, frozen=cost.params)
        elif node.training is not None and node.training.changes_weights:
            params, frozen = _trained(node)
            cost = replace(cost, params=params, frozen=frozen)
        self._nodes[node] = cost = cost if runs else cost.kept
        return cost

    def _operation(self, node: TypedNode, reads: Iterable[str]) -> Cost:
        operation = unwrap(node.operation)
        if isinstance(operation, Leaf):
            costs = [_located(node, operation, reads, node in self._copies)]
        elif isinstance(operation, Scan):
            stacks = [node.results[port] for port in operation.stacked if port in reads]
            steps = self.body(operation.body).each_step(operation.length)
            costs = [steps, Cost(activations=_bytes(stacks))]
        elif operation.items:
            costs = [self._node(item, [item.default or ""]) for item in operation.branches]
            costs += [self._node(item, [item.default or ""]) for item in operation.steps[:-1]]
            costs += [self._node(item, reads) for item in operation.steps[-1:]]
        else:
            costs = [self.body(body) for body in operation.bodies]
            if isinstance(operation.loops, Dim):
                costs = [costs[0].each_step(operation.loops)]
            elif operation.shared:
                costs[1:] = [cost.work for cost in costs[1:]]
        if node.fold is not None:
            costs = [cost.at({"N": node.fold.batch}) for cost in costs]
        if isinstance(operation, Repeated) and STEPS in reads and STEPS in node.results:
            costs.append(Cost(activations=_bytes([node.results[STEPS]])))
        if operation.activation is not None:
            costs.append(_activated(node))
        return Cost.sum(costs)


def _located(node: TypedNode, leaf: Leaf, reads: Iterable[str], is_copy: bool) -> Cost:
    """Return the cost of a layer or merge; raise a `SpecError` at the node if its weights are unknown."""
    try:
        return _leaf(leaf, reads, is_copy)
    except ShapesUnknown as unknown:
        span, help = node.declared.span, unknown.help
        fault = Diagnostic("missing-package", unknown.message, span, help=help, node=node.name)
        raise SpecError([fault]) from unknown


def _leaf(leaf: Leaf, reads: Iterable[str], is_copy: bool) -> Cost:
    """Return the cost of a layer or merge; `is_copy` if it usually gives a view but here copies."""
    lowering, module = leaf.lowering, leaf.lowering.module
    products = lowering.counted
    makes = lowering.makes
    if makes is None or is_copy:
        makes = tuple(lowering.results[port] for port in reads if port in lowering.results)
    return Cost(
        params=_elements(module.weights) if module else 0,
        buffers=_elements(module.buffers) if module else 0,
        macs=Amount(*(products or ())),
        activations=_bytes(makes),
        uncounted=frozenset([leaf.name] if products is None else []),
    )


def _trained(node: TypedNode) -> tuple[int, int]:
    """Return the params of a node, and how many of them are frozen, if it trains a part of them."""
    weights = [*weights_of_node(node, "", Settings())]
    frozen = [weight for weight in weights if weight.settings.is_frozen]
    every, still = ({one.key: one.shape for one in found} for found in (weights, frozen))
    return _elements(every), _elements(still)


def _activated(node: TypedNode) -> Cost:
    """Return the cost of an activation of the default result."""
    assert node.type is not None
    return Cost(activations=_bytes([node.type]))


def _bytes(types: Iterable[TensorType]) -> Amount:
    return Amount(*((type_.itemsize, *type_.shape) for type_ in types))


def _elements(shapes: Mapping[str, tuple[int, ...]]) -> int:
    return sum(prod(map(int, shape)) for shape in shapes.values())  # without how they were written


def copies(body: Body) -> set[TypedNode]:
    """Return the nodes, at any depth, that usually give a view but here copy.

    The inputs of a graph or block, and the new results of ops, are assumed to be contiguous.
    """
    walk = _Walk()
    walk.body(body)
    return walk.copies


class _Walk:
    """Follows tensors that may be non-contiguous: with gaps, or strided in another order than the axes."""

    def __init__(self) -> None:
        self.copies: set[TypedNode] = set()
        self.bodies: dict[Body, bool] = {}

    def body(self, body: Body) -> bool:
        """Return whether an output may be non-contiguous; each body is walked once."""
        if body not in self.bodies:
            found: set[str] = set()
            for node in body.order:
                if self.node(node, any(_node(value) in found for value in node.arguments.values())):
                    found.add(node.name)
            self.bodies[body] = any(_node(value) in found for value in body.outputs.values())
        return self.bodies[body]

    def node(self, node: TypedNode, scattered: bool) -> bool:
        """Return whether a result may be non-contiguous, given whether a source may be."""
        operation = unwrap(node.operation)
        moves = node.fold is not None and node.fold.axis > 1
        scattered = scattered and not moves  # a source is copied to fold such an axis
        if isinstance(operation, Leaf):
            lowering = operation.lowering
            if scattered and lowering.gathers:
                self.copies.add(node)
                scattered = False
            scattered = lowering.makes == () and (scattered or lowering.scatters)
        elif operation.bodies:
            ran = [self.body(body) for body in operation.bodies]
            scattered = any(ran)
        elif operation.branches:
            made = [self.node(item, scattered) for item in operation.branches]
            scattered = any(made)
        else:
            for item in operation.items:
                scattered = self.node(item, scattered)
        return moves or (scattered and operation.activation is None)


def _node(value: Value) -> str:
    """Return the name of the node that makes a value."""
    return value.name.partition(".")[0]
