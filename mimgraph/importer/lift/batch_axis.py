"""Put the batch of sequences first, where torch has the steps first: (T, N, *) as (N, T, *)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimgraph.importer.draft import Op, Port
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.trace.records import Call, Place, Value

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

SWAP = Op("layer", "Transpose", {"dim0": 0, "dim1": 1})


def swapped(body: BodyLifter, port: Port, place: Place) -> Port:
    """Return a tensor with its first two axes swapped; one that is swapped already as it was before."""
    node = port.node
    if is_swap(port):
        return node.sources[0].port  # type: ignore[union-attr]
    op = Op("layer", "Transpose", {**SWAP.options})
    return Port(body.add(op, [port], name="transposed", place=place))


def is_swap(port: Port) -> bool:
    """Return whether a tensor is another with its first two axes swapped."""
    op = getattr(port.node, "op", None)
    return op is not None and op.name == SWAP.name and op.options == SWAP.options


def batch_first(body: BodyLifter, call: Call, value: Value, is_first: bool) -> Port:
    """Return a sequence (N, T, *) for an argument of a module whose `batch_first` is `is_first`."""
    axis = 0 if is_first else 1
    if value.rank < 3 or str(value.sizes[axis]) != "N":
        name = type(call.module).__name__
        sizes = ", ".join(map(str, value.sizes))
        message = f"{name} with batch_first={is_first} is given ({sizes}), where N is the batch"
        raise CannotLift("batch", message, call, call.place)
    port = body.source(value)
    return port if is_first else swapped(body, port, call.place)


def bind_sequence(body: BodyLifter, call: Call, value: Value, port: Port, is_first: bool) -> None:
    """Let a port (N, T, *) stand for a result of a module whose `batch_first` is `is_first`."""
    body.bind(value, port if is_first else swapped(body, port, call.place))
