"""Write the code that freezes modules: no gradients, and evaluation mode while the rest trains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mimgraph.emit.attributes import attribute, part_code
from mimgraph.emit.tree import Expr, For, Function, Parameter, Return, Statement
from mimgraph.ir.code import Attribute, Call, Code, Constant, Name, Tuple
from mimgraph.ir.lowering import Lowering, Module
from mimgraph.ir.typed_graph import Body, TypedNode, inside
from mimgraph.ir.typed_operations import Leaf, TypedOperation
from mimgraph.ir.typed_walks import is_part


class FrozenParts(NamedTuple):
    """The code that reads the frozen parts of one module: its `modules`, and all `tensors`, which are
    these modules and the learned tensors beside them."""

    tensors: tuple[Code, ...] = ()
    modules: tuple[Code, ...] = ()


def frozen_parts(node: TypedNode, module: Code) -> FrozenParts:
    """Return the frozen parts of a node, which `module` reads; none if it has no `freeze: until`."""
    if node.training is None:
        return FrozenParts()
    found = [_read(node, module, part) for part in node.training.frozen_parts]
    read = [one for one in found if one is not None]
    return FrozenParts(
        tuple(code for code, _ in read), tuple(code for code, is_module in read if is_module)
    )


def _read(node: TypedNode, module: Code, part: str) -> tuple[Code, bool] | None:
    """Return the code that reads a part, and whether that is a module; None if it has nothing to
    freeze, or if another stage of a pipeline has it."""
    operation, rest = node.operation, part
    while rest and not isinstance(operation, Leaf):
        key, _, rest = rest.partition(".")
        found = inside(operation, key)
        if found is None:
            return None
        module, operation = part_code(module, operation, key), found
    if not isinstance(operation, Leaf):
        return (module, True) if operation.has_state else None
    made = operation.lowering.module
    if made is None:
        return None
    names = [*made.weights, *made.buffers]
    if not any(is_part(name, rest) for name in names) and rest:
        return None
    is_module = rest not in names
    if not rest:
        is_tensor = made.name in ("Parameter", "Buffer") and made.own is None
        return (module, not is_tensor) if names else None
    if all(name.isidentifier() for name in rest.split(".")):
        return Attribute(module, rest), is_module
    return module.method("get_submodule" if is_module else "get_parameter", rest), is_module


# Whole modules, and the methods of a class.


def freeze(made: Code, node: TypedNode) -> Code:
    """Return the code that makes a node's module or tensor, without gradients if it is frozen."""
    if not node.is_frozen:
        return made
    match node.operation:
        case Leaf(lowering=Lowering(module=Module(weights=weights))) if not weights:
            return made
    return made.method("requires_grad_", False)


class Frozen(NamedTuple):
    """The code that reads the frozen modules of a body, and those that are frozen up to a child."""

    modules: tuple[Code, ...] = ()
    parts: tuple[FrozenParts, ...] = ()


NOTHING_FROZEN = Frozen()


def frozen(body: Body) -> Frozen:
    """Return what a body freezes; a chain block is the class itself."""
    modules: list[Code] = []
    parts: list[FrozenParts] = []
    for node in body.nodes:
        if node.freeze or node.training is not None or node.operation.items:
            module = Name(f"self.{attribute(node.name, body.by_name)}".rstrip("."))
            modules += _frozen(node, module)
            parts += _partly_frozen(node, module)
    return Frozen(tuple(modules), tuple(parts))


def _partly_frozen(node: TypedNode, module: Code) -> Iterator[FrozenParts]:
    if (parts := frozen_parts(node, module)).tensors:
        yield parts
    for item in node.operation.items:
        yield from _partly_frozen(item, part_code(module, node.operation, item.name))


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


def without_gradients(parts: tuple[FrozenParts, ...]) -> tuple[Statement, ...]:
    """Return the statements of `__init__` that freeze the parts of modules."""
    return tuple(_for_each(one.tensors, "requires_grad_", False) for one in parts)


def train(found: Frozen) -> tuple[Function, ...]:
    """Return the `train` that leaves frozen modules and parts in evaluation mode, if there are any."""
    of_parts = [_for_each(one.modules, "eval") for one in found.parts if one.modules]
    if not found.modules and not of_parts:
        return ()
    mode = Parameter("mode", "bool", Constant(True))
    body: tuple[Statement, ...] = (
        Expr(Call(Name("super().train"), (Name("mode"),))),
        *(Expr(module.method("eval")) for module in found.modules),
        *of_parts,
        Return(Name("self")),
    )
    return (Function("train", (mode,), False, "Self", body),)


def _for_each(parts: tuple[Code, ...], method: str, *arguments: bool) -> Statement:
    """Return the statement that calls a method of each part, in a loop if there are several."""
    if len(parts) == 1:
        return Expr(parts[0].method(method, *arguments))
    return For(("part",), Tuple(parts), (Expr(Name("part").method(method, *arguments)),))
