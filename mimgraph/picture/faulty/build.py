"""Turn a wrong graph into a diagram: the known part as usual, the rest without shapes, faults in red."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from mimgraph.diagnostics import Diagnostic
from mimgraph.infer.graph import KnownPart, known_part
from mimgraph.infer.structure import cycles
from mimgraph.ir.declared_graph import Graph, Node, Output, Source
from mimgraph.ir.declared_values import ANOTHER, OTHERS
from mimgraph.ir.names import free_name
from mimgraph.picture.details.build import details
from mimgraph.picture.details.model import Detail
from mimgraph.picture.diagram.build import diagram
from mimgraph.picture.diagram.chain_text import times_text
from mimgraph.picture.diagram.fold import close
from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge, Item, Mark, every
from mimgraph.picture.faulty.boxes import FOLLOWS, in_red, kind_of, node_box, op_text
from mimgraph.picture.faulty.nested import End, nested
from mimgraph.picture.faulty.places import output_id, places
from mimgraph.picture.faulty.reading_order import in_reading_order, reading_order
from mimgraph.picture.faulty.sketch import WrongGraph
from mimgraph.source import PythonFile, Span

Faults = dict[str, list[Diagnostic]]  # by the id of the box that they concern


def faulty_diagram(wrong: WrongGraph, diagnostics: Sequence[Diagnostic]) -> Diagram:
    """Return the diagram of a graph with faults, in which every diagnostic is shown.

    Nodes of unknown types are boxes without shapes, and a source that does not exist is a box, too.
    What a diagnostic concerns is marked `faulty`; other nodes of unknown types are `unknown`.
    """
    part = known_part(wrong.declared)
    faults = {wrong.call: [*diagnostics]} if wrong.call else places(part, diagnostics)
    return _drawn(part, faults)


def _drawn(part: KnownPart, faults: Faults) -> Diagram:
    """Return the diagram of a graph, or of the inside of a block."""
    typed, declared = part.typed.body, part.declared
    builder = _Builder(part, close(diagram(part.typed), faults), faults)
    builder.add_inputs([one.name for one in declared.inputs if one.name not in typed.inputs])
    builder.add_nodes([one for one in part.nodes if one.name not in typed.by_name])
    for output in part.outputs:
        builder.add_output(output)
    return builder.diagram()


def known_details(graph: Graph) -> Mapping[str, Detail]:
    """Return the details of the inputs and nodes whose types are known, by the ids of their boxes."""
    typed = known_part(graph).typed
    return details(replace(typed, body=replace(typed.body, outputs={})), graph, {})


class _Builder:
    """Adds nodes of unknown type, and the outputs, to the diagram of the known part.

    An output of the known diagram, `lstm.last`, is the end of all sources with this text.
    """

    def __init__(self, part: KnownPart, known: Diagram, faults: Faults) -> None:
        self.part, self.known, self.faults = part, known, faults
        read = {item.id: item for item in known.items if item.kind == "output"}
        self.shapes = {id_: item.shapes for id_, item in read.items() if isinstance(item, Box)}
        self.items: list[Item] = [item for item in known.items if item.id not in read]
        self.edges = [edge for edge in known.edges if edge.head not in read]
        self.ends = {e.head: End(e.tail, e.port) for e in known.edges if e.head in read}
        self.taken = {item.id for item in every(tuple(self.items))}
        self.unknown: dict[str, End] = {}  # by the name of the source
        self.below: dict[str, End] = {}  # second boxes of nodes on cycles
        self.missing: set[str] = set()  # boxes of sources that do not exist

    def diagram(self) -> Diagram:
        """Return the diagram; faults that concern no box of it have boxes of their own."""
        shown = {item.id for item in self.items}
        lone = [one for id_, found in self.faults.items() if id_ not in shown for one in found]
        boxes = [in_red(Box(self.free("fault"), "layer", ""), [one]) for one in lone]
        names = [*self.part.context.scope.inputs, *self.part.context.scope.nodes]
        ordered = in_reading_order(self.items, self.edges, names)
        items = (*boxes, *map(self.marked, ordered))
        return replace(self.known, items=items, edges=tuple(self.edges))

    def marked(self, item: Item) -> Item:
        """Return the item in red with its faults, if it has any."""
        found = self.faults.get(item.id)
        return in_red(item, found) if found and isinstance(item, Box) else item

    def free(self, id_: str) -> str:
        """Return an id that no other box has."""
        found = free_name(id_, self.taken)
        self.taken.add(found)
        return found

    def add(self, box: Box) -> str:
        """Add a box, and return its id."""
        self.items.append(replace(box, id=self.free(box.id)))
        return self.items[-1].id

    def add_source(self, box: Box) -> End:
        """Add a box that only stands for a source, and return its end."""
        return End(self.add(replace(box, optional=True)), mark=box.mark)

    def add_inputs(self, names: Sequence[str]) -> None:
        """Add the inputs of unknown type."""
        for name in names:
            id_ = self.add(Box(name, "input", name, tooltip=FOLLOWS, mark="unknown"))
            self.unknown[name] = End(id_, mark="unknown")

    def add_nodes(self, nodes: Sequence[Node]) -> None:
        """Add the nodes of unknown type, each behind those that it reads, and their edges."""
        by_name = {node.name: node for node in reversed(nodes)}
        in_text = {node.name: by_name[node.name] for node in nodes}
        reads = {name: [s.name for s in node.sources or ()] for name, node in in_text.items()}
        order = reading_order(reads)
        around = _cycle_edges(reads) if order.back else set()
        for name in order.names:
            ends = []
            for source in by_name[name].sources or ():
                edge = source.name, name
                is_back = edge in order.back
                end = self.again(by_name[source.name]) if is_back else self.end(source)
                ends.append(end._replace(mark="faulty") if edge in around else end)
            self.add_node(by_name[name], ends)

    def add_node(self, node: Node, ends: Sequence[End]) -> None:
        """Add a node of unknown type, which reads its sources from these ends: open if it is a block of
        which some types are known, else as a box."""
        inside = self.part.inside(node)
        if inside is not None:
            self.add_open(node, ends, inside)
            return
        id_ = self.add(node_box(node, self.op(node)))
        self.unknown[node.name] = End(id_, mark="unknown")
        for source, end in zip(node.sources or (), ends, strict=True):
            self.connect(source, end, id_)

    def add_open(self, node: Node, ends: Sequence[End], inside: KnownPart) -> None:
        """Add a node as a cluster with the inside of its block, between its sources and its readers."""
        id_ = self.free(node.name)
        names = [one.name for one in inside.declared.inputs]
        feeds: dict[str, list[End]] = {}
        for source, name, end in zip(node.sources or (), names, ends, strict=False):
            feeds.setdefault(source.argument or name, []).append(end)
        faults = places(inside, self.faults.pop(node.name, ()))
        drawn = nested(_drawn(inside, faults), f"{id_}.", feeds)
        kind, title = kind_of(node.operation), "" if node.name.isdigit() else node.name
        cluster = Cluster(id_, kind, title, self.op(node), drawn.items, FOLLOWS, mark="unknown")
        self.items.append(cluster)
        self.taken |= {item.id for item in every((cluster,))}
        self.edges += drawn.edges
        results = {name: end._replace(mark="unknown") for name, end in drawn.results.items()}
        self.ends |= {output_id(f"{node.name}.{name}"): end for name, end in results.items()}
        self.unknown[node.name] = next(iter(results.values()))

    def op(self, node: Node) -> str:
        """Return the op of a node, and how often it repeats a block: `layer × 12`."""
        return times_text(op_text(node.operation, self.part.blocks), self.part.repeats(node))

    def add_output(self, output: Output) -> None:
        """Add the box of an output, and its edge."""
        id_, end = output_id(output.name), self.end(output.source)
        is_known = not end.mark and id_ not in self.faults
        shapes = self.shapes[output_id(output.source.text)] if is_known else ()
        training = output.only_training
        box = Box(
            *(id_, "output", output.name, "in training" if training else "", shapes, output.doc),
            optional=training,
            mark="" if is_known else "unknown",
        )
        self.connect(output.source, end, self.add(box))

    def again(self, node: Node) -> End:
        """Return the end of a second box for a node on a cycle: an edge may not lead back."""
        if node.name not in self.below:
            box = replace(node_box(node, self.op(node)), subtitle="drawn below", mark="faulty")
            self.below[node.name] = self.add_source(replace(box, id=f"{node.name} again"))
        return self.below[node.name]

    def end(self, source: Source) -> End:
        """Return the end of a source; if it does not exist, that of a box that says so."""
        known = self.ends.get(output_id(source.text))
        if known is not None:
            return known._replace(port="") if source.port == "*" else known
        if source.name not in self.unknown:
            declared = self.part.declared
            is_lost = not declared.lost.isdisjoint((source.name, OTHERS, ANOTHER))
            has_sections = declared.inputs and declared.nodes
            mark: Mark = "faulty" if has_sections and not is_lost else "unknown"
            end = self.add_source(Box(f"no {source.name}", "layer", source.name, mark=mark))
            self.unknown[source.name] = end
            self.missing.add(end.box)
        return self.unknown[source.name]

    def connect(self, source: Source, end: End, head: str) -> None:
        """Add the edge of a source, in red if a fault points at the source.

        The fault that a source does not exist moves to the box of that source.
        """
        here = self.faults.get(head, [])
        pointing = [one for one in here if _points_at(one, source.span)]
        mark: Mark = "faulty" if pointing else end.mark
        port = source.port if pointing and source.port not in (None, "*") else end.port
        self.edges.append(Edge(end.box, head, port or "", source.argument or "", mark))
        moved = [one for one in pointing if one.code == "unknown-source"]
        if moved and end.box in self.missing:
            self.faults.setdefault(end.box, []).extend(moved)
            self.faults[head] = [one for one in here if one not in moved]


def _points_at(fault: Diagnostic, span: Span) -> bool:
    """Return whether a fault, or a label of it, is inside a span; all of a Python call is one line."""
    if isinstance(span.file, PythonFile):
        return False
    start, end = (span.line, span.column), (span.end_line, span.end_column)
    spans = (fault.span, *(label.span for label in fault.labels))
    return any(one.file is span.file and start <= (one.line, one.column) < end for one in spans)


def _cycle_edges(reads: Mapping[str, Sequence[str]]) -> set[tuple[str, str]]:
    """Return the edges of one cycle in each group of nodes that feed each other."""
    edges = [(tail, head) for head, tails in reads.items() for tail in tails if tail in reads]
    return {edge for around in cycles(reads, edges) for edge in pairwise(around)}
