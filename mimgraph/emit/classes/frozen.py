"""Write the code that freezes modules: no gradients, and evaluation mode while the rest trains."""

from __future__ import annotations

from collections.abc import Iterator

from mimgraph.emit.classes.attributes import attribute, part_code
from mimgraph.emit.format.statements import Expr, Function, Parameter, Return, Statement
from mimgraph.ir.code import Call, Code, Constant, Name
from mimgraph.ir.lowering import Lowering, Module
from mimgraph.ir.typed.graph import Body, TypedNode
from mimgraph.ir.typed.operations import Leaf, TypedOperation


def freeze(made: Code, node: TypedNode) -> Code:
    """Return the code that makes a node's module or tensor, without gradients if it is frozen."""
    if not node.is_frozen:
        return made
    match node.operation:
        case Leaf(lowering=Lowering(module=Module(weights=weights))) if not weights:
            return made
    return made.method("requires_grad_", False)


def frozen(body: Body) -> tuple[Code, ...]:
    """Return the code that reads each frozen module of a body; a chain block is the class itself."""
    own = (node for node in body.nodes if node.is_frozen or not isinstance(node.operation, Leaf))
    named = ((node, Name(f"self.{attribute(node.name, body.by_name)}".rstrip("."))) for node in own)
    return tuple(found for node, module in named for found in _frozen(node, module))


def _frozen(node: TypedNode, module: Code) -> Iterator[Code]:
    if not node.is_frozen:
        for item in node.operation.items:
            yield from _frozen(item, part_code(module, node.operation, item.name))
    elif not _is_tensor(node.operation):  # which has no mode
        yield module


def _is_tensor(operation: TypedOperation) -> bool:
    match operation:
        case Leaf(lowering=Lowering(module=Module(name="Parameter" | "Buffer", own=None))):
            return True
    return False


def train(modules: tuple[Code, ...]) -> tuple[Function, ...]:
    """Return the `train` that leaves these modules in evaluation mode, if there are any."""
    if not modules:
        return ()
    mode = Parameter("mode", "bool", Constant(True))
    body: tuple[Statement, ...] = (
        Expr(Call(Name("super().train"), (Name("mode"),))),
        *(Expr(module.method("eval")) for module in modules),
        Return(Name("self")),
    )
    return (Function("train", (mode,), False, "Self", body),)
