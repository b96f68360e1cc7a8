"""Find or add the port of a parameter or buffer that a forward reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mimgraph.importer.draft import Body, Node, Op, Output, Port, Share, Use
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.frozen import is_frozen
from mimgraph.importer.lift.inits import init_of, values_of
from mimgraph.importer.lift.typing import dtype_name
from mimgraph.importer.trace.records import Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


def weight_port(body: BodyLifter, value: Value) -> Port | None:
    """Return the port of a weight: of a tensor that the module of this body owns, or of the layer that
    owns it; None if a caller's module does."""
    prefix = f"{body.call.path}." if body.call.path else ""
    if not value.path.startswith(prefix):
        return None
    owner, _, name = value.path.rpartition(".")
    node = body.nodes_by_path.get(owner)
    if owner == body.call.path or node is None and owner not in body.lifter.called:
        return Port(_tensor(body, value, value.path[len(prefix) :]))
    if node is not None and not isinstance(node.operation, Use):
        return Port(node, name)
    return _from_block(body, value)


def _tensor(body: BodyLifter, value: Value, attribute: str) -> Node:
    """Add the parameter or buffer."""
    node = weight_node(body, value, attribute)
    body.body.nodes.append(node)
    return node


def weight_node(body: BodyLifter, value: Value, attribute: str) -> Node:
    """Return a node for a parameter or buffer."""
    options: dict[str, Any] = {"shape": [*value.shape], "init": _init(body, value)}
    if value.kind == "buffer" and value.dtype != torch.float32:
        options["dtype"] = dtype_name(value.dtype)
    op = Op("tensor", value.kind, options)
    name = attribute.replace(".", "_")
    node = Node(name, op, [], attribute, value.path, body.call.place)
    learns = value.kind == "buffer" or _tensor_of(body, value).requires_grad
    is_inside = body.parent is not None and is_frozen(body.call)
    node.freeze = not learns and not is_inside
    return node


def _init(body: BodyLifter, value: Value) -> Any:
    """Return an init for a weight; the values themselves are in the state_dict."""
    tensor = _tensor_of(body, value).detach()
    return init_of(tensor) if value.kind == "parameter" else values_of(tensor, "zeros")


def _tensor_of(body: BodyLifter, value: Value) -> Tensor:
    owner, _, name = value.path.rpartition(".")
    found: Tensor = getattr(body.lifter.model.get_submodule(owner), name)
    return found


def _from_block(body: BodyLifter, value: Value) -> Port:
    """Return a weight that a layer inside a block owns; the block gives it as a result."""
    for path, node in body.nodes_by_path.items():
        if value.path.startswith(f"{path}.") and isinstance(node.operation, Use):
            inner = body.bodies.get(id(node.operation.body))
            port = None if inner is None else weight_port(inner, value)
            if port is not None and isinstance(port.node, Node) and inner is not None:
                return _result(body, node, inner.body, port, value)
    message = f"{value.path} is read before its module is called"
    raise CannotLift("weight", message, body.call, body.call.place)


def _result(body: BodyLifter, node: Node, inner: Body, port: Port, value: Value) -> Port:
    """Add a result to a block that is used once; its only one had no name for readers until then."""
    if any(
        isinstance(one.operation, Share) and one.operation.target is node for one in body.body.nodes
    ):
        message = f"{value.path} is read outside of a module that is called twice"
        raise CannotLift("weight", message, body.call, body.call.place)
    if port.node not in inner.nodes:
        inner.nodes.append(port.node)  # type: ignore[arg-type]
    if len(inner.outputs) == 1:
        body.rename_port(Port(node), Port(node, inner.outputs[0].name))
    name = value.path.rpartition(".")[2]
    inner.outputs.append(Output(name, port, value=value))
    return Port(node, name)
