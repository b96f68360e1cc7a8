"""Find which values of a body are used, and what code reads each, before they have names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import chain
from typing import TypeAlias

from mimgraph.emit.forward.call_code import learned_tensor, owner_of
from mimgraph.emit.forward.runs import nullable
from mimgraph.emit.tree import Local
from mimgraph.ir.code import Code
from mimgraph.ir.typed_graph import Body, TypedNode, Value, single_nodes
from mimgraph.ir.typed_operations import unwrap
from mimgraph.ir.typed_walks import used_bodies

UsedPorts: TypeAlias = Mapping[str, set[str]]


def used_ports(body: Body) -> UsedPorts:
    """Return the results that are used of each node's module, also by nodes that share it."""
    read = set(body.outputs.values())
    owners: dict[str, str] = {}
    for node in body.nodes:
        read.update(node.arguments.values())
        for one in single_nodes(node):
            owners[one.name] = owner_of(one)
            if one is not node:
                read.add(Value(one.name, one.default or ""))
    found: dict[str, set[str]] = {owner: set() for owner in owners.values()}
    for value in read:
        if value.name in owners:
            found[owners[value.name]].add(value.port)
    for node in body.nodes if body.lenders else ():
        for inner in used_bodies(unwrap(node.operation)):
            ports = used_ports(inner) if inner.borrowed else {}
            for owner in inner.borrowed:
                found.setdefault(owner, set()).update(ports[owner])
    return found


def returned_ports(node: TypedNode, used: Collection[str]) -> tuple[str, ...]:
    """Return the ports that the last item of a chain returns: those that are used, in their order, or
    its default if none is."""
    found = tuple(port for port in node.results if port in used)
    return found or (tuple(node.results) if node.default is None else (node.default,))


class Values:
    """The values that the steps of a body read and make."""

    def __init__(self, body: Body) -> None:
        read = chain.from_iterable(node.arguments.values() for node in body.nodes)
        self.times_read = Counter((*read, *body.outputs.values()))
        self.nullable = set(nullable(body))
        self.same: dict[Value, Value] = {}  # one value under two names
        self.owned: dict[Value, Code] = {}  # tensors of the module itself, which need no local
        for value in self.times_read:
            node = body.by_name.get(value.name)
            if node is not None and value.port not in node.results:
                self.owned[value] = learned_tensor(node, value.port, body)
        for node in body.nodes:
            for branch in node.operation.branches:
                port = Value(node.name, branch.name)
                self._equate(port, Value(f"{node.name}.{branch.name}", branch.default or ""))

    def _equate(self, port: Value, made: Value) -> None:
        """Let the port of a node be the result of one of its branches."""
        self.same[port] = made
        self.times_read[made] = self.times_read[port]
        if port in self.nullable:
            self.nullable.add(made)

    def resolve(self, value: Value) -> Value:
        """Return the value under the name by which it is made."""
        while value in self.same:
            value = self.same[value]
        return value

    def read(self, value: Value) -> Code:
        """Return the code that reads a value."""
        return self.code(self.resolve(value))

    def code(self, made: Value) -> Code:
        """Return the code that reads a value by the name by which it is made."""
        return self.owned.get(made, Local(made))
