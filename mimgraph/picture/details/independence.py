"""Find results that do not depend on a node although edges lead from it to them, past other branches of an `each`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

from mimgraph.ir.typed_graph import Body, Value

MOST = 1_000  # nodes; what is listed may grow with the square of their number


def independent(body: Body) -> dict[str, list[str]]:
    """Return, by the id of a node or output, the inputs and nodes from which edges lead to it, but no result.

    A branch of an `each` depends on its own source alone. Only ids with such inputs or nodes are listed.
    """
    is_split = any(node.operation.branches for node in body.nodes)
    return _Finder(body).found() if is_split and len(body.nodes) <= MOST else {}


class _Finder:
    """Collects what each result depends on, and what edges lead to it from: sets of names, as bits of a number."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.names = [*body.inputs, *(node.name for node in body.order)]
        self.bits = {name: 1 << position for position, name in enumerate(self.names)}
        self.of_branch: dict[Value, int] = {}
        self.of_node = {name: self.bits[name] for name in body.inputs}
        self.drawn = dict(self.of_node)

    def found(self) -> dict[str, list[str]]:
        apart: dict[str, int] = {}
        for node in self.body.order:
            own = self.bits[node.name]
            sources = {key: self.dependences(value) for key, value in node.arguments.items()}
            self.of_node[node.name] = _union(own, sources.values())
            self.drawn[node.name] = _union(
                own, (self.drawn[v.name] for v in node.arguments.values())
            )
            for branch in node.operation.branches:
                if branch.name in sources:  # copies have one source, which has its own name
                    self.of_branch[Value(node.name, branch.name)] = own | sources[branch.name]
            apart[node.name] = self.drawn[node.name] & ~self.of_node[node.name]
        for name, value in self.body.outputs.items():
            apart[f"output {name}"] = self.drawn[value.name] & ~self.dependences(value)
        return {id_: self.listed(bits) for id_, bits in apart.items() if bits}

    def dependences(self, value: Value) -> int:
        return self.of_branch.get(value, self.of_node[value.name])

    def listed(self, bits: int) -> list[str]:
        found = []
        while bits:
            lowest = bits & -bits
            found.append(self.names[lowest.bit_length() - 1])
            bits ^= lowest
        return found


def _union(own: int, others: Iterable[int]) -> int:
    return reduce(or_, others, own)
