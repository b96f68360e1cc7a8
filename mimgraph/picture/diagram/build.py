"""The diagram of a typed graph: every block opened, repeats of one structure once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from mimgraph.ir.typed import (
    Body,
    Each,
    Leaf,
    Repeated,
    Sequence,
    Shared,
    TypedGraph,
    TypedNode,
    Use,
    Value,
    unwrap,
)
from mimgraph.ir.types import TensorType
from mimgraph.picture.diagram.block_repeats import Stretch, Structures, merged, span
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, Item
from mimgraph.summary.node_text import (
    arguments_text,
    op_text,
    operand_labels,
    options_text,
    source_text,
)

MANY = 7  # inputs of one `each`, or like ones of one merge, that are drawn as one box
LISTED = 40  # of their names that are written in it


def diagram(graph: TypedGraph) -> Diagram:
    """The picture of a graph."""
    body = graph.body
    inputs, sources = _inputs(graph)
    drawing = _Drawing(
        Structures(), frozenset(end.box for end in sources.values()) - sources.keys()
    )
    inner, ends = drawing.body(body, "", sources)
    outputs = []
    for name in body.outputs:
        outputs.append(box := _output_box(graph, name))
        drawing.edges.append(Edge(ends[name].box, box.id, ends[name].port))
    return Diagram(graph.name, body.doc, (*inputs, *inner, *outputs), tuple(drawing.edges))


def _inputs(graph: TypedGraph) -> tuple[list[Box], dict[str, _End]]:
    """A box for each input or table of inputs, and where each input comes from."""
    made: list[Box] = []
    ends: dict[str, _End] = {}
    body, docs = graph.body, graph.input_docs
    tables = tables_of(body)
    table_of = {name: id_ for id_, names in tables.items() for name in names}
    for name in body.inputs:
        if name in ends:
            continue
        columns, box = [name], _input_box(graph, name)
        if id_ := table_of.get(name):
            columns = tables[id_]
            box = _table_box(id_, {column: body.inputs[column] for column in columns}, docs)
        made.append(box)
        ends |= dict.fromkeys(columns, _End(box.id))
    return made, ends


def tables_of(body: Body) -> dict[str, list[str]]:
    """The inputs that are drawn as one, by the id of their box, where they are many: those that the
    same nodes alone read, each an `each`, or merges if the inputs are alike."""
    readers: dict[str, list[TypedNode]] = {n: [] for n in body.inputs if n not in body.optional}
    for node in body.nodes:
        for value in node.arguments.values():
            readers.get(value.name, []).append(node)
    for value in body.outputs.values():
        readers.pop(value.name, None)
    many = {node.name for node in body.nodes if _takes_many(node)}
    found: dict[str, list[str]] = {}
    for name, nodes in readers.items():
        if nodes and all(node.name in many for node in nodes):
            type_, of = body.inputs[name], ", ".join(node.name for node in nodes)
            like = "" if all(map(_is_each, nodes)) else f", {type_} {type_.dtype}"
            found.setdefault(f"inputs of {of}{like}", []).append(name)
    return {id_: names for id_, names in found.items() if len(names) >= MANY}


def _is_each(node: TypedNode) -> bool:
    return isinstance(node.operation, Each)


def _takes_many(node: TypedNode) -> bool:
    """Whether it is one box, into which sources go without a name."""
    match node.operation:
        case Leaf("merge", name) | Use(merge=name) if name:
            return not any(operand_labels(node).values())
    return _is_each(node)


def _table_box(id_: str, types: Mapping[str, TensorType], docs: Mapping[str, str]) -> Box:
    """The columns of a table, that feed these nodes."""
    dtypes = dict.fromkeys(type_.dtype for type_ in types.values() if type_.dtype != "float32")
    told = [f"{column}: {docs[column]}" for column in types if docs.get(column)]
    title = f"{len(types)} inputs"
    names = list(types) if len(types) <= LISTED else [*list(types)[:2], "…", list(types)[-1]]
    subtitle = f"{', '.join(names)}" + (f" ({', '.join(dtypes)})" if dtypes else "")
    return Box(id_, "input", title, subtitle, _times(types), "\n".join(told))


def _input_box(graph: TypedGraph, name: str) -> Box:
    type_, optional = graph.body.inputs[name], name in graph.body.optional
    notes = [type_.dtype] if type_.dtype != "float32" else []
    if type_.vocab is not None:
        notes.append(f"vocab {type_.vocab}")
    notes += ["optional"] if optional else []
    doc = graph.input_docs.get(name, "")
    return Box(name, "input", name, ", ".join(notes), (str(type_),), doc, optional=optional)


def _output_box(graph: TypedGraph, name: str) -> Box:
    training = name in graph.body.training
    return Box(
        f"output {name}",
        "output",
        name,
        "in training" if training else "",
        (str(graph.body.type_of(graph.body.outputs[name])),),
        graph.output_docs.get(name, ""),
        optional=training,
    )


class _End(NamedTuple):
    """Where a tensor comes from: a box, and what to say of its port."""

    box: str
    port: str = ""


class _Place(NamedTuple):
    """Where a node stands: the prefix of its dotted name, its key there, what feeds it by operand,
    and which of its ports are used."""

    path: str
    key: str
    sources: Mapping[str, _End]
    ports: tuple[str, ...] = ()
    told: str = ""

    @property
    def id(self) -> str:
        return self.path + self.key

    @property
    def title(self) -> str:
        """The name; an item of a chain has none."""
        return "" if self.key.isdigit() else self.key


_Drawn: TypeAlias = tuple[tuple[Item, ...], dict[str, _End]]  # and where the results come from


class _Drawing:
    """Collects the edges while bodies become items. An edge passes through the walls of clusters."""

    def __init__(self, structures: Structures, tables: frozenset[str] = frozenset()) -> None:
        self.structures, self.tables = structures, tables
        self.edges: list[Edge] = []
        self.boxes: set[str] = set()
        self.drawn_as: dict[str, str] = {}  # of equal repeats, the one that stands for all
        self.eaches: dict[str, int] = {}  # boxes of an `each`, and how many ports they have

    def weight(self, value: Value, path: str) -> _End:
        """A learned tensor comes from the layer that has it."""
        owner, names = f"{path}{value.name}", value.port.split(".")
        while owner not in self.boxes:
            owner = f"{owner}.{names.pop(0)}"
            owner = self.drawn_as.get(owner, owner)
        return _End(owner, ".".join(names))

    def body(self, body: Body, path: str, inputs: Mapping[str, _End]) -> _Drawn:
        """The items of a body, and where its outputs come from."""
        used: dict[str, list[str]] = {}
        fed = (value for node in body.nodes for value in node.arguments.values())
        for value in (*fed, *body.outputs.values()):
            used.setdefault(value.name, []).append(value.port)
        by_name = body.by_name
        ends = {Value(name, ""): end for name, end in inputs.items()}
        items: list[Item] = []
        for node in body.order:
            sources = {
                key: ends.get(value) or self.weight(value, path)
                for key, value in node.arguments.items()
            }
            ports = tuple(p for p in dict.fromkeys(used.get(node.name, ())) if p in node.results)
            told = ", ".join(source_text(value, by_name) for value in node.arguments.values())
            drawn, results = self.node(node, _Place(path, node.name, sources, ports, told))
            items += drawn
            ends |= {Value(node.name, port): end for port, end in results.items()}
        outputs = body.outputs.items()
        return tuple(items), {
            name: ends.get(value) or self.weight(value, path) for name, value in outputs
        }

    def node(self, node: TypedNode, place: _Place) -> _Drawn:
        """A node as a cluster if there is something in it to show, else as a box."""
        match node.operation:
            case Sequence((_, *_) as items):
                return self.sequence(node, items, place)
            case Use(body, arguments, "") if body.nodes:
                text, shapes = (
                    op_text(node, arguments_text(arguments)),
                    _shape_lines(node, place.ports),
                )
                heading = Cluster(place.id, "block", place.title, text, (), body.doc, shapes)
                return self.block(node, (body,), heading, place, place.id)
            case Repeated((body, *_)) if body.nodes:
                return self.repeated(node, node.operation, place)
        return self.box(node, place)

    def sequence(self, node: TypedNode, items: tuple[TypedNode, ...], place: _Place) -> _Drawn:
        """Items in a row, each fed by the one before."""
        (end,) = place.sources.values()
        # the one node of a chain block has no name: the cluster of its use is drawn already
        path = f"{place.id}." if place.key else place.path
        drawn: list[Item] = []
        told = place.told
        for position, item in enumerate(items):
            (operand,) = item.arguments
            here = _Place(path, str(position), {operand: end}, told=told)
            inner, results = self.node(item, here)
            drawn += inner
            told = here.id
            end = results[item.default or ""]
        if not place.key:
            return tuple(drawn), {"": end}
        shapes = _shape_lines(node, place.ports)
        cluster = Cluster(place.id, "seq", place.title, "seq", tuple(drawn), shapes=shapes)
        return (cluster,), {"": end}

    def block(
        self,
        node: TypedNode,
        bodies: tuple[Body, ...],
        heading: Cluster,
        place: _Place,
        module: str,
    ) -> _Drawn:
        """A block opened, or several of one structure as the first, whose module's id is given."""
        items, outputs = self.body(bodies[0], f"{module}.", place.sources)
        drawn = {bodies[0]: items}
        for body in bodies:
            if body not in drawn:
                # ids are those of the first, whose edges stand for all
                again = _Drawing(self.structures)
                drawn[body] = again.body(body, f"{module}.", place.sources)[0]
        if len(drawn) > 1:
            every = (drawn[body] for body in bodies)
            items = tuple(map(merged, zip(*every, strict=True)))
        return (replace(heading, items=items),), _results(node, outputs)

    def repeated(self, node: TypedNode, operation: Repeated, place: _Place) -> _Drawn:
        """Repeats of one structure once; others in a row, in a cluster of their own."""
        found = tuple(self.structures.stretches(operation))
        for stretch in found:
            for number in range(stretch.start, stretch.start + len(stretch.bodies)):
                self.drawn_as[f"{place.id}.{number}"] = f"{place.id}.{stretch.start}"
        if len(found) > 1:
            return self.row(node, operation, found, place)
        text = span([op_text(node, arguments_text(given)) for given in operation.arguments])
        doc, shapes = found[0].bodies[0].doc, _shape_lines(node, place.ports)
        heading = Cluster(place.id, "block", place.title, text, (), doc, shapes)
        module = place.id if operation.shared else f"{place.id}.{operation.first}"
        return self.block(node, found[0].bodies, heading, place, module)

    def row(
        self, node: TypedNode, operation: Repeated, found: tuple[Stretch, ...], place: _Place
    ) -> _Drawn:
        """Repeats that differ inside, one after the other."""
        ends = dict(place.sources)
        results: dict[str, _End] = {}
        clusters: list[Item] = []
        for stretch in found:
            id_, text = f"{place.id}.{stretch.start}", _stretch_text(stretch)
            first, last = stretch.bodies[0], stretch.bodies[-1]
            types = tuple(str(last.type_of(value)) for value in last.outputs.values())
            heading = Cluster(id_, "block", stretch.title, text, (), first.doc, types)
            inner = place._replace(sources=ends)
            cluster, results = self.block(node, stretch.bodies, heading, inner, id_)
            clusters += cluster
            ends |= {name: results[name if name in results else ""] for name in operation.carried}
        words = place.title, op_text(node)
        shapes = _shape_lines(node, place.ports)
        outer = Cluster(place.id, "repeat", *words, tuple(clusters), shapes=shapes)
        return (outer,), results

    def box(self, node: TypedNode, place: _Place) -> _Drawn:
        """A node as one box; a module used again is not opened again."""
        operation, kind, options, shares = node.operation, "layer", "", ""
        if isinstance(operation, Leaf):
            kind = operation.kind
            options = options_text(kind, operation.name, operation.options)
        elif isinstance(operation, Use) and operation.merge:
            kind, options = "merge", options_text("merge", operation.merge, operation.arguments)
        elif isinstance(operation, Shared):
            shares = f"{place.path}{operation.target}"
        elif isinstance(operation, Each):
            kind, options, shares = self.each(operation, place)
        box = Box(
            place.id,
            kind,
            place.title,
            op_text(node, options),
            _shape_lines(node, place.ports),
            f"{place.id}: {node.op_name}({place.told})",
            shares,
        )
        self.boxes.add(box.id)
        if isinstance(operation, Each):
            self.eaches[box.id] = len(operation.items)
        self.connect(node, box.id, place.sources)
        return (box,), {p: _End(box.id, "" if p == node.default else p) for p in node.results}

    def each(self, operation: Each, place: _Place) -> tuple[str, str, str]:
        """The kind of what is done on each source, its options, and what it shares."""
        first = operation.items[0].operation
        inner = unwrap(first)
        shares = f"{place.path}{first.target}" if isinstance(first, Shared) else ""
        if isinstance(inner, Leaf):
            others = [unwrap(item.operation) for item in operation.items]
            common = {
                name: value
                for name, value in inner.options.items()
                if all(isinstance(o, Leaf) and o.options[name] == value for o in others)
            }
            return inner.kind, options_text(inner.kind, inner.name, common), shares
        if isinstance(inner, Use) and not inner.merge:
            return "layer", arguments_text(inner.arguments), shares
        return "layer", "", shares

    def connect(self, node: TypedNode, head: str, sources: Mapping[str, _End]) -> None:
        """An edge for each source; one for all the arguments that it fills by name."""
        words = operand_labels(node)
        filled: dict[_End, list[str]] = {}
        for key, end in sources.items():
            filled.setdefault(end, []).append(words[key])
        bundles = _bundles(filled, self.eaches)
        for end, arguments in filled.items():
            if all(arguments):
                self.edges.append(Edge(end.box, head, end.port, ", ".join(arguments)))
            elif end.box not in self.eaches:
                times = 1 if head in self.eaches or end.box in self.tables else len(arguments)
                self.edges += [Edge(end.box, head, end.port)] * times
            elif ports := bundles.pop(end.box, None):
                every = len(ports) == self.eaches[end.box]
                self.edges.append(Edge(end.box, head, "" if every else ", ".join(ports)))


def _stretch_text(stretch: Stretch) -> str:
    """The block, its params, and how often it stands there: `residual width=8/4/2 × 3`."""
    words = [
        " ".join(filter(None, (stretch.bodies[0].family, arguments_text(given))))
        for given in stretch.arguments
    ]
    times = len(words)
    return span(words) + (f" × {times}" if times > 1 else "")


def _results(node: TypedNode, outputs: Mapping[str, _End]) -> dict[str, _End]:
    """The results of a block by port; of several outputs the name is what the user wrote."""
    if len(outputs) == 1:
        return {"": next(iter(outputs.values()))}
    return {
        name: end if name == node.default else end._replace(port=name)
        for name, end in outputs.items()
    }


def _bundles(filled: Mapping[_End, list[str]], eaches: Mapping[str, int]) -> dict[str, list[str]]:
    """The ports of each `each` that fill arguments without a name: one edge for them all."""
    found: dict[str, list[str]] = {}
    for end, arguments in filled.items():
        if end.box in eaches and not all(arguments):
            found.setdefault(end.box, []).append(end.port)
    return found


def _shape_lines(node: TypedNode, ports: tuple[str, ...]) -> tuple[str, ...]:
    """The shapes of the results that are used, with their ports unless it is the default alone."""
    if isinstance(node.operation, Each) and not 1 < len(set(node.results.values())) < MANY:
        return _times(node.results)
    if node.type is not None and set(ports) <= {node.default}:
        return (str(node.type),)
    return tuple(f"{p} {type_}" for p, type_ in node.results.items() if p in ports or not ports)


def _times(types: Mapping[str, TensorType]) -> tuple[str, ...]:
    """Each shape once, with how many have it."""
    times = Counter(map(str, types.values()))
    return tuple(f"{shape} × {n}" if n > 1 else shape for shape, n in times.items())
