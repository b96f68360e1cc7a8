"""What is drawn of a typed graph: boxes, clusters and edges, as data that knows no renderer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from mimgraph.ir.typed import (
    Body,
    Leaf,
    Repeated,
    Sequence,
    Shared,
    TypedGraph,
    TypedNode,
    Use,
    Value,
)
from mimgraph.ir.types import TensorType
from mimgraph.render.labels import (
    arguments_text,
    op_name,
    operand_labels,
    options_text,
    runs,
    shown_results,
    source_text,
    suffix,
    taken,
)


@dataclass(frozen=True, slots=True)
class Box:
    """An input, layer, merge or output. `id` is its dotted name, of an output `outputs.` and its name.

    `shapes` has a line for each result that is used; `shares` is the id of what it shares.
    """

    id: str
    kind: str
    title: str
    subtitle: str = ""
    shapes: tuple[str, ...] = ()
    tooltip: str = ""
    shares: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Boxes that are one module: a `seq`, a `block`, or a `repeat` of unlike blocks."""

    id: str
    kind: str
    title: str
    subtitle: str
    items: tuple[Item, ...]
    tooltip: str = ""


Item: TypeAlias = Box | Cluster


class Edge(NamedTuple):
    """A tensor's way from one box to another."""

    tail: str
    head: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Diagram:
    """A picture: its items in the order they run, inputs first, and the edges among them."""

    name: str
    doc: str
    items: tuple[Item, ...]
    edges: tuple[Edge, ...]


def boxes(items: tuple[Item, ...]) -> Iterator[Box]:
    """Every box, those in clusters too."""
    for item in items:
        if isinstance(item, Box):
            yield item
        else:
            yield from boxes(item.items)


def diagram(graph: TypedGraph) -> Diagram:
    """The picture of a graph, every block opened, equal repeats once."""
    body = graph.body
    inputs = [_input_box(name, type_, graph.input_docs) for name, type_ in body.inputs.items()]
    drawing = _Drawing()
    inner, ends = drawing.body(body, "", {name: _End(name) for name in body.inputs})
    outputs = []
    for name, value in body.outputs.items():
        box = Box(f"outputs.{name}", "output", name, shapes=(str(body.type_of(value)),))
        outputs.append(box)
        drawing.edges.append(Edge(ends[name].box, box.id, ends[name].port))
    return Diagram(graph.name, body.doc, (*inputs, *inner, *outputs), tuple(drawing.edges))


def _input_box(name: str, type_: TensorType, docs: Mapping[str, str]) -> Box:
    notes = [type_.dtype] if type_.dtype != "float32" else []
    if type_.vocab is not None:
        notes.append(f"vocab {type_.vocab}")
    return Box(name, "input", name, ", ".join(notes), (str(type_),), docs.get(name, ""))


class _End(NamedTuple):
    """Where a tensor comes from: a box, and what to say of its port."""

    box: str
    port: str = ""


class _Drawing:
    """Collects the edges while bodies become items. An edge passes through the walls of clusters."""

    def __init__(self) -> None:
        self.edges: list[Edge] = []

    def body(
        self, body: Body, path: str, inputs: Mapping[str, _End]
    ) -> tuple[tuple[Item, ...], dict[str, _End]]:
        """The items of a body, and where its outputs come from."""
        used: dict[str, list[str]] = {}
        for value in (*(v for n in body.nodes for v in n.arguments.values()), *body.outputs.values()):
            used.setdefault(value.name, []).append(value.port)
        ends = {Value(name, ""): end for name, end in inputs.items()}
        by_name = body.by_name
        items: list[Item] = []
        for node in body.order:
            sources = {key: ends[value] for key, value in node.arguments.items()}
            told = ", ".join(source_text(value, by_name) for value in node.arguments.values())
            ports = tuple(dict.fromkeys(used.get(node.name, ())))
            item, results = self.node(node, path, node.name, sources, ports, f" of {told}")
            items.extend(item)
            ends |= {Value(node.name, port): end for port, end in results.items()}
        return tuple(items), {name: ends[value] for name, value in body.outputs.items()}

    def node(
        self,
        node: TypedNode,
        path: str,
        name: str,
        sources: Mapping[str, _End],
        ports: tuple[str, ...] = (),
        told: str = "",
    ) -> tuple[tuple[Item, ...], dict[str, _End]]:
        """A node as an item, and where its results come from."""
        id_ = f"{path}{name}"
        match node.operation:
            case Sequence(items) if name == "":  # a chain block: the cluster of its use is drawn
                return self.chain(items, path, sources)
            case Sequence(items):
                inner, results = self.chain(items, f"{id_}.", sources)
                return (Cluster(id_, "seq", name, "seq", inner),), results
            case Use(body, arguments):
                return self.use(node, id_, name, body, arguments_text(arguments), sources)
            case Repeated(bodies) if bodies:
                return self.repeated(node, node.operation, id_, name, sources)
        return self.leaf(node, path, name, sources, ports, told)

    def leaf(
        self,
        node: TypedNode,
        path: str,
        name: str,
        sources: Mapping[str, _End],
        ports: tuple[str, ...],
        told: str,
    ) -> tuple[tuple[Item, ...], dict[str, _End]]:
        """A node as one box; what shares a module is not opened again."""
        operation = node.operation
        layer, options = f"{op_name(node)}{taken(node)}", suffix(node)
        kind, shares = "layer", ""
        if isinstance(operation, Leaf):
            kind, options = operation.kind, f" {options_text(operation)}".rstrip() + options
        elif isinstance(operation, Shared):
            shares = f"{path}{operation.target}"
            options += f", shares {operation.target}"
        title, subtitle = (layer, options.strip()) if name.isdigit() else (name, layer + options)
        shapes = tuple(_shape_lines(node, ports))
        box = Box(f"{path}{name}", kind, title, subtitle, shapes, f"{path}{name}: {layer}{told}", shares)
        self.connect(node, box.id, sources)
        named = {port: _End(box.id, "" if port == node.default else port) for port in node.results}
        return (box,), named

    def connect(self, node: TypedNode, head: str, sources: Mapping[str, _End]) -> None:
        """An edge for each source; one for all the arguments that it fills by name."""
        words = operand_labels(node)
        filled: dict[_End, list[str]] = {}
        for key, end in sources.items():
            filled.setdefault(end, []).append(words[key])
        for end, arguments in filled.items():
            if all(arguments):
                label = " as ".join(filter(None, (end.port, ", ".join(arguments))))
                self.edges.append(Edge(end.box, head, label))
            else:
                self.edges += [Edge(end.box, head, end.port) for _ in arguments]

    def chain(
        self, items: tuple[TypedNode, ...], path: str, sources: Mapping[str, _End]
    ) -> tuple[tuple[Item, ...], dict[str, _End]]:
        """Items in a row, each fed by the one before."""
        (end,) = sources.values()
        drawn: list[Item] = []
        for position, item in enumerate(items):
            key = next(iter(item.arguments), "")
            item_drawn, results = self.node(item, path, str(position), {key: end})
            drawn += item_drawn
            end = results[item.default or ""]._replace(port="")
        return tuple(drawn), {"": end}
