"""Declare tensors that depend on sizes alone: positions, masks and other constants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from mimgraph.importer.draft import Node, Op, Port
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.inits import values_of
from mimgraph.importer.lift.typing import dtype_name
from mimgraph.importer.trace.records import NOWHERE, Place, Step, Value
from mimgraph.ir.dim import Dim, Size

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


class Constant(NamedTuple):
    """A tensor that neither the spec nor the model's state_dict holds.

    `module` is the path of the module that reads it, `place` the line that computes it, if one does.
    """

    tensor: Tensor
    module: str
    place: Place

    @property
    def message(self) -> str:
        """What the spec has instead."""
        shape = " x ".join(map(str, self.tensor.shape))
        return f"a constant of {shape} numbers is too large for the spec, which has zeros instead"


def declare(body: BodyLifter, value: Value) -> Port:
    """Return a port with the values of a fixed tensor: recognised by them, kept as a buffer if they are
    the same at all sizes, else computed by the steps that made it."""
    found = _arange(body, value)
    if found is not None:
        return found
    is_same = _is_same(value)
    init = values_of(value.samples[0]) if is_same else None
    if init is not None:
        return _buffer(body, value, {"init": init, "persistent": False})
    if isinstance(value.maker, Step):
        try:
            body.lift_step(value.maker)
        except CannotLift:
            if not is_same:
                raise
        if id(value) in body.ports:
            return body.ports[id(value)]
    if is_same:
        return _kept_buffer(body, value)
    message = f"a tensor {list(value.sizes)} is made of sizes alone, or by code that is not torch's"
    raise CannotLift("constant", message)


def _is_same(value: Value) -> bool:
    first, *others = value.samples or (torch.empty(0),)
    return bool(value.samples) and all(
        one.shape == first.shape and torch.equal(one, first) for one in others
    )


def _buffer(body: BodyLifter, value: Value, how: dict[str, Any], path: str = "") -> Port:
    """Add a buffer of the shape and dtype of a tensor that is the same at all sizes."""
    tensor = value.samples[0]
    options: dict[str, Any] = {"shape": [*tensor.shape], **how}
    if tensor.dtype != torch.float32:
        options["dtype"] = dtype_name(tensor.dtype)
    name = value.path.rpartition(".")[2] or "constant"
    op = Op("tensor", "buffer", options)
    return Port(body.add(op, name=name, place=body.call.place, path=path))


def _kept_buffer(body: BodyLifter, value: Value) -> Port:
    """Add a buffer whose values are too many for a spec: only the weights that an import writes hold them,
    as the model does not have them in its state_dict."""
    path = value.path or f"?{value.number}"
    place = value.maker.place if isinstance(value.maker, Step) else NOWHERE
    constant = Constant(value.samples[0], body.call.path, place)
    body.lifter.constants[path] = constant
    port = _buffer(body, value, {"init": "zeros"}, path)
    assert isinstance(port.node, Node)
    port.node.comments.append(constant.message)
    return port


def _arange(body: BodyLifter, value: Value) -> Port | None:
    """Return the numbers 0, 1, 2, ... along an axis of a source, if the tensor has these."""
    if value.rank != 1 or value.dtype != torch.int64 or not isinstance(value.sizes[0], Dim):
        return None
    if not value.samples or not all(
        torch.equal(one, torch.arange(len(one))) for one in value.samples
    ):
        return None
    source = source_of_size(body, value.sizes[0])
    if source is None:
        return None
    port, axis = source
    op = Op("tensor", "arange", {"dim": axis})
    return Port(body.add(op, [port], name="positions", place=body.call.place))


def source_of_size(body: BodyLifter, size: Size) -> tuple[Port, int] | None:
    """Return a source with an axis of this size, and the axis; an input of the body if one has it."""
    for one in body.body.inputs:
        for axis, other in enumerate(one.sizes):
            if other == size:
                return Port(one), axis
    return None
