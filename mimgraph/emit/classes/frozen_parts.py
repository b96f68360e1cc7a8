"""Write the code that reads the parts of a module that `freeze: until` freezes."""

from __future__ import annotations

from typing import NamedTuple

from mimgraph.emit.classes.attributes import part_code
from mimgraph.ir.code import Attribute, Code
from mimgraph.ir.typed_graph import TypedNode, inside
from mimgraph.ir.typed_operations import Leaf
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
