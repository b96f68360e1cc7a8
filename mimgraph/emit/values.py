"""Write the code that reads the values of a body and calls its modules, before locals have names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import TypeAlias

from mimgraph.emit.attributes import attribute, part_code, tensor
from mimgraph.emit.steps import nullable
from mimgraph.emit.tree import Local, fill
from mimgraph.ir.code import Binary, Call, Code, Name, call
from mimgraph.ir.lowering import INPUT, MODULE, RESULT, Lowering, Module
from mimgraph.ir.names import EMITTED
from mimgraph.ir.typed_graph import Body, TypedNode, Value, inside, single_nodes
from mimgraph.ir.typed_operations import Leaf, Shared, TypedOperation, Use, unwrap
from mimgraph.ir.typed_walks import used_bodies


def argument_names(body: Body) -> dict[str, str]:
    """Return the argument of each input: in a block, which is called by position, a name that its
    code does not use for something else."""
    if not body.family:
        return dict(zip(body.inputs, body.inputs, strict=True))
    names: dict[str, str] = {}
    for name in body.inputs:
        found = spelled(name.replace(".", "_"))  # of a group's member: `fields.city`
        while found != name and (found in body.inputs or found in names.values()):
            found += "_"
        names[name] = found
    return names


def spelled(name: str) -> str:
    """Return the name of a local or argument, with an underscore if the file uses that name itself."""
    return f"{name}_" if name in EMITTED else name


def module_arguments(body: Body) -> dict[str, str]:
    """Return the argument of each module that a body is handed: `tokens`, of an item `emb_city`."""
    names: dict[str, str] = {}
    if not body.borrowed:
        return names
    taken = {*argument_names(body).values(), *body.by_name}
    for owner in body.borrowed:
        found = spelled(owner.replace(".", "_"))
        while found in taken:
            found += "_"
        taken.add(found)
        names[owner] = found
    return names


# Write the code of a node's call: on its module, its operands and its activation.


RELU = call("F.relu", INPUT)
RELU_IN_PLACE = call("F.relu", INPUT, inplace=True)

Operands = Mapping[str, Code]
Modules = tuple[tuple[str, Code], ...]  # by the names of their arguments


def owner_of(node: TypedNode) -> str:
    """Return the name of the node whose module a node calls."""
    return node.operation.owner if isinstance(node.operation, Shared) else node.name


def module_code(owner: str, body: Body) -> Code:
    """Return the code that reads the module of a node: `self.fc`, `self.emb["city"]`, or an argument
    if the node is outside of the block."""
    name, _, item = owner.partition(".")
    if name not in body.by_name:
        return Name(module_arguments(body).get(owner, owner))
    operation = body.by_name[name].operation
    module = Name(f"self.{attribute(name, body.by_name)}")
    return part_code(module, operation, item) if item and not operation.sole else module


def handed_modules(inner: Body, body: Body) -> Modules:
    """Return the arguments of a call of a block that hand it modules: `tokens=self.tokens`."""
    arguments = module_arguments(inner)
    return tuple((arguments[owner], module_code(owner, body)) for owner in inner.borrowed)


def learned_tensor(node: TypedNode, path: str, body: Body) -> Code:
    """Return the code that reads a learned tensor by its dotted name: `self.stage[1].conv.weight`."""
    if node.operation.sole is not None:
        node = single_nodes(node)[0]
    elif node.operation.branches:
        item, _, path = path.partition(".")
        (node,) = (one for one in single_nodes(node) if one.name == f"{node.name}.{item}")
    found = module_code(owner_of(node), body)
    operation: TypedOperation | None = unwrap(node.operation)
    for key in path.split("."):
        if operation is None or isinstance(operation, Leaf):  # inside a module of torch
            found = tensor(found, key)
        else:
            found = part_code(found, operation, key)
        operation = inside(operation, key)
    return found


def filled(code: Code, module: Code, operands: Operands, result: Code | None = None) -> Code:
    """Return `code` on a module and operands, and on the result of the module's call."""
    special = {MODULE.key: module, RESULT.key: result}
    return fill(code, lambda key: operands.get(key, special.get(key)))


def call_code(lowering: Lowering, module: Code, operands: Operands) -> Code:
    """Return the call of the module, or the expression, on these operands."""
    if lowering.call is None:
        return Call(module, tuple(operands.values()))
    return filled(lowering.call, module, operands)


def port_code(
    lowering: Lowering, port: str, module: Code, operands: Operands, made: Module | None
) -> Code:
    """Return the code of a port where no other is used, of a module that is `made` so."""
    if not lowering.ports:
        return call_code(lowering, module, operands)
    described = lowering.ports[port]
    if described.alone is not None and made is lowering.module:
        return filled(described.alone, module, operands)
    return filled(described.code, module, operands, call_code(lowering, module, operands))


def activated(operation: Leaf | Use, code: Code) -> Code:
    """Return `code` with the activation, which the operation has, around it.

    A ReLU of a sum or product is in place: nothing else reads that, and its gradient does not.
    """
    activation = operation.activation
    assert activation is not None
    if activation == RELU and isinstance(code, Binary) and code.operator in ("+", "-", "*", "/"):
        activation = RELU_IN_PLACE
    return fill(activation, lambda key: code if key == INPUT.key else None)


# Find which values of a body are used, and what code reads each, before they have names.


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
    found: dict[str, set[str]] = {}
    for owner in owners.values():
        found[owner] = set()
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
        self.times_read: Counter[Value] = Counter()
        for node in body.nodes:
            self.times_read.update(node.arguments.values())
        self.times_read.update(body.outputs.values())
        self.nullable = set(nullable(body)) if body.optional else set()
        self.same: dict[Value, Value] = {}  # one value under two names
        self.owned: dict[Value, Code] = {}  # tensors of the module itself, which need no local
        for value in self.times_read:
            maker = body.by_name.get(value.name)
            if maker is not None and value.port not in maker.results:
                self.owned[value] = learned_tensor(maker, value.port, body)
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
