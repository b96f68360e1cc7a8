"""Connect boxes: where a tensor comes from, and the edges into a box."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from mimgraph.inspection.facts import operand_labels
from mimgraph.ir.typed_graph import TypedNode, Value
from mimgraph.picture.diagram.model import Edge


class End(NamedTuple):
    """The box that a tensor comes from, and its port if that is to be shown."""

    box: str
    port: str = ""


class Wiring:
    """The edges of a diagram, collected while its boxes are made.

    An edge goes from box to box, through the walls of clusters. `input_groups` are the boxes that
    stand for several inputs.
    """

    def __init__(self, input_groups: frozenset[str] = frozenset()) -> None:
        self.input_groups = input_groups
        self.edges: list[Edge] = []
        self._boxes: set[str] = set()
        self._branches: dict[str, int] = {}  # the number of ports of each box with an `each`
        self._stand_in: dict[str, str] = {}  # for each repeat, the equal one that is drawn

    def add_box(self, id_: str, node: TypedNode, sources: Mapping[str, End]) -> dict[str, End]:
        """Connect the box of a node to its sources, and return its results by port."""
        self._boxes.add(id_)
        if node.operation.branches:
            self._branches[id_] = len(node.operation.branches)
        self._connect(node, id_, sources)
        return {port: End(id_, "" if port == node.default else port) for port in node.results}

    def add_repeats(self, id_: str, first: int, count: int) -> None:
        """Remember that the repeats of a block from number `first` on are drawn as the first."""
        for number in range(first, first + count):
            self._stand_in[f"{id_}.{number}"] = f"{id_}.{first}"

    def add_branches(self, id_: str, names: Sequence[str]) -> None:
        """Remember that the branches of an `each` are drawn as the first."""
        for name in names:
            self._stand_in[f"{id_}.{name}"] = f"{id_}.{names[0]}"

    def add_results(self, ends: Mapping[str, End], inside: Container[str]) -> dict[str, End]:
        """Return the results of an `each` that is drawn open, by port: they leave the boxes `inside` it
        as its ports. A branch that hands on its source has that as its result."""
        for end in ends.values():
            if end.box in inside:
                self._branches[end.box] = len(ends)
        return {p: end._replace(port=p) if end.box in inside else end for p, end in ends.items()}

    def taken(self, start: int) -> list[Edge]:
        """Return the edges from a number on, and take them out."""
        found = self.edges[start:]
        del self.edges[start:]
        return found

    def add_as_one(self, drawings: Sequence[Sequence[Edge]]) -> None:
        """Add the edges of several drawings of the same boxes, equal ones once.

        Those from different ports of one `each` to the same place are one edge.
        """
        first, *others = drawings
        more = dict.fromkeys(edge for other in others for edge in other)
        found = [*first, *(edge for edge in more if edge not in first)]
        ports: dict[Edge, list[str]] = {}
        for edge in found:
            if edge.tail in self._branches:
                ports.setdefault(edge._replace(port=""), []).append(edge.port)
        for edge in found:
            if edge.tail not in self._branches:
                self.edges.append(edge)
            elif names := ports.pop(edge._replace(port=""), None):
                self.edges.append(edge._replace(port=self._ports_text(edge.tail, names)))

    def weight(self, value: Value, path: str) -> End:
        """Return the end of a learned tensor, `tower.0.weight`: the box of its layer."""
        owner, names = f"{path}{value.name}", value.port.split(".")
        while owner not in self._boxes:
            owner = f"{owner}.{names.pop(0)}"
            owner = self._stand_in.get(owner, owner)
        return End(owner, ".".join(names))

    def _connect(self, node: TypedNode, head: str, sources: Mapping[str, End]) -> None:
        """Add an edge for each source; a source of several named arguments gets one for them all."""
        labels = operand_labels(node)
        filled: dict[End, list[str]] = {}
        for key, end in sources.items():
            filled.setdefault(end, []).append(labels[key])
        bundles = self._bundles(filled)
        for end, arguments in filled.items():
            if all(arguments):
                self.edges.append(Edge(end.box, head, end.port, ", ".join(arguments)))
            elif end.box not in self._branches:
                is_once = head in self._branches or end.box in self.input_groups
                self.edges += [Edge(end.box, head, end.port)] * (1 if is_once else len(arguments))
            elif ports := bundles.pop(end.box, None):
                self.edges.append(Edge(end.box, head, self._ports_text(end.box, ports)))

    def _ports_text(self, box: str, ports: Sequence[str]) -> str:
        """Return the ports of an `each` that share one edge, "" if these are all."""
        return "" if len(ports) == self._branches[box] else ", ".join(ports)

    def _bundles(self, filled: Mapping[End, list[str]]) -> dict[str, list[str]]:
        """Return, for each box with an `each`, its ports that share one edge: those that fill
        arguments without a name."""
        found: dict[str, list[str]] = {}
        for end, arguments in filled.items():
            if end.box in self._branches and not all(arguments):
                found.setdefault(end.box, []).append(end.port)
        return found
