"""Turn a typed graph into a diagram: chains and blocks become clusters, equal repeats are drawn once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from mimgraph.inspection.facts import source_text
from mimgraph.ir.typed_graph import Body, TypedGraph, TypedNode, Value
from mimgraph.ir.typed_operations import STEPS, Each, Repeated, Scan, Sequence, Shared, Use
from mimgraph.picture.diagram.block_repeats import Stretch, Structures, merged, span
from mimgraph.picture.diagram.io_boxes import input_boxes, output_box
from mimgraph.picture.diagram.model import Cluster, Diagram, Edge, Item, every
from mimgraph.picture.diagram.node_boxes import Context, node_box, shape_lines, step_box
from mimgraph.picture.diagram.wiring import End, Wiring
from mimgraph.summary.node_text import arguments_text, each_text, op_text


def diagram(graph: TypedGraph) -> Diagram:
    """Return the diagram of a graph, with every block open."""
    inputs, ends = input_boxes(graph)
    wiring = Wiring(frozenset(end.box for end in ends.values()) - ends.keys())
    inner, results = _Builder(Structures(), wiring).body(graph.body, "", ends)
    drawn = {item.id: item for item in (*inputs, *inner)}
    outputs = []
    for name, value in graph.body.outputs.items():
        outputs.append(box := output_box(graph, name, drawn.get(value.name)))
        wiring.edges.append(Edge(results[name].box, box.id, results[name].port))
    items = (*inputs, *inner, *outputs)
    return Diagram(graph.name, graph.body.doc, items, tuple(wiring.edges))


_Drawn: TypeAlias = tuple[tuple[Item, ...], dict[str, End]]  # items, and the ends of their results
_Bodies: TypeAlias = tuple[tuple[str, Body], ...]  # each with the prefix of its names


class _Builder:
    """Turns nodes into items, depth first, and wires the boxes among them."""

    def __init__(self, structures: Structures, wiring: Wiring, around: _Bodies = ()) -> None:
        self.structures, self.wiring = structures, wiring
        self.around = around  # the body that is drawn, after those around it

    def body(self, body: Body, path: str, inputs: Mapping[str, End]) -> _Drawn:
        """Return the items of a body, and the ends of its outputs by name."""
        before, self.around = self.around, (*self.around, (path, body))
        drawn = self._body(body, path, inputs)
        self.around = before
        return drawn

    def _body(self, body: Body, path: str, inputs: Mapping[str, End]) -> _Drawn:
        used = _used_ports(body)
        ends = {Value(name, ""): end for name, end in inputs.items()}
        never = body.inputs.keys() - inputs.keys()  # that this use of a block is not given

        def source(value: Value) -> End:
            return ends.get(value) or self.wiring.weight(value, path)

        items: list[Item] = []
        for node in body.order:
            given = {key: value for key, value in node.arguments.items() if value.name not in never}
            sources = {key: source(value) for key, value in given.items()}
            reads = ", ".join(source_text(value, body.by_name) for value in node.arguments.values())
            ports = tuple(port for port in used.get(node.name, ()) if port in node.results)
            context = Context(path, node.name, sources, ports, reads, self.owner(node))
            drawn, results = self.node(node, context)
            items += drawn
            ends |= {Value(node.name, port): end for port, end in results.items()}
        outputs = {name: one for name, one in body.outputs.items() if one.name not in never}
        return tuple(items), {name: source(value) for name, value in outputs.items()}

    def owner(self, node: TypedNode) -> str:
        """Return the dotted name of the node whose module a node shares, maybe of a body around it;
        "" for another node."""
        first = node.operation.branches[0].operation if node.operation.branches else node.operation
        if not isinstance(first, Shared) or node.operation.sole is not None:
            return ""
        paths = (path for path, body in reversed(self.around) if first.target in body.by_name)
        return f"{next(paths)}{first.target}"

    def node(self, node: TypedNode, context: Context) -> _Drawn:
        """Return a node as a cluster if there is something to show inside, else as a box.

        The module of a share is open where it is made.
        """
        match node.operation:
            case Sequence(items=items) as sequence if items:
                return self.sequence(sequence, node, context)
            case Use(merge="", body=body) as use if body.nodes:
                return self.use(use, node, context)
            case Repeated(bodies=(body, *_)) as repeated if body.nodes:
                return self.repeated(repeated, node, context)
            case Each() as each if branches := self.structures.opened(each):
                return self.each(each, branches, node, context)
            case Scan(body=body) as scan if body.nodes:
                return self.scan(scan, node, context)
        box = node_box(node, context)
        return (box,), self.wiring.add_box(box.id, node, context.sources)

    def sequence(self, sequence: Sequence, node: TypedNode, context: Context) -> _Drawn:
        """Return a chain as a cluster; each item is fed by the one before, and the last has its ports."""
        (end,) = context.sources.values()
        # the only node of a chain block has no name: the cluster of the block is drawn already
        path = f"{context.id}." if context.key else context.path
        drawn: list[Item] = []
        reads, results = context.reads, {"": end}
        for position, item in enumerate(sequence.items):
            (operand,) = item.arguments
            ports = context.ports if item is sequence.items[-1] else ()
            inner = Context(path, str(position), {operand: end}, ports, reads)
            found, results = self.node(item, inner)
            drawn += found
            if item.default is not None:
                reads, end = inner.id, results[item.default]
        results = {
            port: results[port]._replace(port="" if port == node.default else port)
            for port in node.results
        }
        if not context.key:
            return tuple(drawn), results
        text = "seq" if node.over is None else f"seq, {node.over}"
        cluster = _cluster("seq", node, context, text)
        return (replace(cluster, items=tuple(drawn)),), results

    def block(
        self,
        node: TypedNode,
        bodies: tuple[Body, ...],
        cluster: Cluster,
        context: Context,
        module: str,
    ) -> _Drawn:
        """Return the cluster of a block with its items; `module` is the dotted name of its module.

        Bodies of one structure are drawn as the first, with texts that span their differences.
        """
        counter = step_box(node, bodies[0], module)
        sources = {**context.sources, **{box.title: End(box.id) for box in counter}}
        items, outputs = self.body(bodies[0], f"{module}.", sources)
        drawn = {bodies[0]: items}
        for body in bodies:
            if body not in drawn:
                # under the ids of the first body, whose edges stand for all
                again = _Builder(self.structures, Wiring(), self.around)
                drawn[body] = again.body(body, f"{module}.", sources)[0]
        if len(drawn) > 1:
            items = tuple(map(merged, zip(*(drawn[body] for body in bodies), strict=True)))
        return (replace(cluster, items=(*counter, *items)),), _results(node, outputs)

    def use(self, use: Use, node: TypedNode, context: Context) -> _Drawn:
        """Return a block as a cluster."""
        text = op_text(node, arguments_text(use.arguments))
        cluster = _cluster("block", node, context, text, use.body.doc)
        return self.block(node, (use.body,), cluster, context, context.id)

    def repeated(self, repeated: Repeated, node: TypedNode, context: Context) -> _Drawn:
        """Return a repeated block as one cluster if all repeats have one structure, else as a row."""
        stretches = tuple(self.structures.stretches(repeated))
        for stretch in stretches:
            self.wiring.add_repeats(context.id, stretch.start, len(stretch.bodies))
        if len(stretches) > 1:
            return self.row(node, repeated, stretches, context)
        bodies = stretches[0].bodies
        text = span([op_text(node, arguments_text(given)) for given in repeated.arguments])
        cluster = _cluster("block", node, context, text, bodies[0].doc)
        module = context.id if repeated.shared else f"{context.id}.{repeated.first}"
        return self.block(node, bodies, cluster, context, module)

    def each(
        self, each: Each, branches: tuple[TypedNode, ...], node: TypedNode, context: Context
    ) -> _Drawn:
        """Return an `each` of blocks or chains as one cluster, drawn once for all branches."""
        names = [branch.name for branch in branches]
        self.wiring.add_branches(context.id, names)
        # the branches of a shared module are that module, others are in it under their names
        path, key = (context.path, context.key) if each.sole else (f"{context.id}.", names[0])
        clusters: list[Item] = []
        edges: list[list[Edge]] = []
        results: dict[str, End] = {}
        for branch in branches:
            (operand,) = branch.arguments
            start = len(self.wiring.edges)
            sources = {operand: context.sources[branch.name]}
            inner = Context(path, key, sources, (branch.default or "",), context.reads)
            drawn, found = self.node(branch, inner)
            clusters += drawn
            edges.append(self.wiring.taken(start))
            results[branch.name] = found[branch.default or ""]
        self.wiring.add_as_one(edges)
        one = merged(clusters)
        text = f"{one.subtitle}, {each_text(each)}"
        shapes = shape_lines(node, context.ports)
        cluster = replace(one, id=context.id, title=context.title, subtitle=text, shapes=shapes)
        return (cluster,), self.wiring.add_results(results, {item.id for item in every((one,))})

    def scan(self, scan: Scan, node: TypedNode, context: Context) -> _Drawn:
        """Return a block that is scanned as a cluster, drawn once for all steps."""
        text = op_text(node, arguments_text(scan.arguments))
        cluster = _cluster("block", node, context, text, scan.body.doc)
        items, outputs = self.body(scan.body, f"{context.id}.", context.sources)
        ends = {**scan.stacked, **{name: name for name in scan.carried}}
        results = {
            port: outputs[name]._replace(port="" if port == node.default else port)
            for port, name in ends.items()
        }
        return (replace(cluster, items=items),), results

    def row(
        self,
        node: TypedNode,
        repeated: Repeated,
        stretches: tuple[Stretch, ...],
        context: Context,
    ) -> _Drawn:
        """Return a cluster of clusters: repeats that differ in structure, one after the other."""
        ends = dict(context.sources)
        results: dict[str, End] = {}
        clusters: list[Item] = []
        for stretch in stretches:
            id_ = f"{context.id}.{stretch.start}"
            first, last = stretch.bodies[0], stretch.bodies[-1]
            shapes = tuple(map(str, last.results.values()))
            text = _stretch_text(stretch)
            cluster = Cluster(id_, "block", stretch.title, text, (), first.doc, shapes)
            inner = context._replace(sources=ends)
            drawn, results = self.block(node, stretch.bodies, cluster, inner, id_)
            clusters += drawn
            ends |= {name: results[port] for name, port in repeated.carried.items()}
        outer = _cluster("repeat", node, context, op_text(node))
        return (replace(outer, items=tuple(clusters)),), results


def _used_ports(body: Body) -> dict[str, dict[str, None]]:
    """Return the ports of each node, and of each input, that a body reads, in order."""
    used: dict[str, dict[str, None]] = {}
    read = (value for node in body.nodes for value in node.arguments.values())
    for value in (*read, *body.outputs.values()):
        used.setdefault(value.name, {})[value.port] = None
    return used


def _cluster(kind: str, node: TypedNode, context: Context, text: str, doc: str = "") -> Cluster:
    """Return the cluster of a node, still without items."""
    shapes = shape_lines(node, context.ports)
    return Cluster(context.id, kind, context.title, text, (), doc, shapes)


def _stretch_text(stretch: Stretch) -> str:
    """Return the block, its params and the number of repeats: `residual width=8/4/2 × 3`."""
    words = [
        " ".join(filter(None, (stretch.bodies[0].family, arguments_text(given))))
        for given in stretch.arguments
    ]
    times = len(words)
    return span(words) + (f" × {times}" if times > 1 else "")


def _results(node: TypedNode, outputs: Mapping[str, End]) -> dict[str, End]:
    """Return the ends of a block's results by port, each with the port unless it is the default.

    The results of all steps come from the box of the result that is collected.
    """
    found = {"": next(iter(outputs.values()))} if len(outputs) == 1 else dict(outputs)
    operation = node.operation
    if isinstance(operation, Repeated) and operation.collected is not None:
        found[STEPS] = found[operation.collected]
    return {
        port: end._replace(port=port) if port and port != node.default else end
        for port, end in found.items()
    }
