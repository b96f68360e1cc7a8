"""Write the code of a node's call: on its module, its operands and its activation."""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.emit.classes.attributes import attribute, part_code
from mimgraph.emit.dtypes import tensor
from mimgraph.emit.forward.arguments import module_arguments
from mimgraph.emit.tree import fill
from mimgraph.ir.code import Binary, Call, Code, Name, call
from mimgraph.ir.lowering import INPUT, MODULE, RESULT, Lowering, Module
from mimgraph.ir.typed_graph import Body, TypedNode, inside, single_nodes
from mimgraph.ir.typed_operations import Leaf, Shared, TypedOperation, Use, unwrap

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
    """Return `code` with the operation's activation around it.

    A ReLU of a sum or product is in place: nothing else reads that, and its gradient does not.
    """
    activation = operation.activation
    if activation is None:
        return code
    if activation == RELU and isinstance(code, Binary) and code.operator in ("+", "-", "*", "/"):
        activation = RELU_IN_PLACE
    return fill(activation, lambda key: code if key == INPUT.key else None)
