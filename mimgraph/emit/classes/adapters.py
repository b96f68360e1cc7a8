"""Write the code that gives layers of a module their adapters, by the library peft."""

from __future__ import annotations

from mimgraph.emit.classes.attributes import attribute
from mimgraph.ir.code import Code, Constant, List, call
from mimgraph.ir.typed_graph import Body, TypedNode
from mimgraph.ir.typed_operations import Leaf, TypedOperation, unwrap
from mimgraph.ir.typed_walks import join


def with_adapters(made: Code, node: TypedNode) -> Code:
    """Return the code that makes a node's module, whose layers have adapters if the node has `lora`."""
    lora = None if node.training is None else node.training.lora
    if lora is None:
        return made
    paths = {path: _attributes(node.operation, path) for path, _ in lora.targets}
    is_renamed = any(path != real for path, real in paths.items())
    ends = paths.values() if is_renamed else lora.on
    options = {"lora_alpha": lora.alpha, "lora_dropout": lora.dropout}
    config = call(
        "peft.LoraConfig",
        r=lora.rank,
        **{name: value for name, value in options.items() if value is not None},
        target_modules=List(tuple(Constant(one, "target_modules") for one in ends)),
    )
    return call("peft.inject_adapter_in_model", config, made)


def _attributes(operation: TypedOperation, path: str) -> str:
    """Return the path of a layer by attributes, which are not always the names of nodes."""
    key, _, rest = path.partition(".")
    operation = unwrap(operation)
    if isinstance(operation, Leaf) or not key:
        return path
    found = operation.part(key)
    if found is None:
        return path
    name = key
    if operation.bodies and not operation.key(0):
        name = attribute(key, operation.bodies[0].by_name)
    if not isinstance(found, Body):
        return join(name, _attributes(found.operation, rest))
    inner, _, rest = rest.partition(".")
    node = found.part(inner)
    if not isinstance(node, TypedNode):
        return path
    return join(name, attribute(inner, found.by_name), _attributes(node.operation, rest))
