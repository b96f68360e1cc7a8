"""Lift LSTM, GRU and RNN, and the cells: their ports, initial states and packed sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mimgraph.importer.draft import Node, Op, Port, Share
from mimgraph.importer.lift.batch_axis import batch_first, bind_sequence, swapped
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.fixed import is_zeros
from mimgraph.importer.lift.functions.packing import PackedOutput
from mimgraph.importer.lift.leaves.attributes import layer_options
from mimgraph.importer.lift.leaves.table import arguments, layer_name, lifts_class
from mimgraph.importer.trace.records import Call, Packed, Value, values

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


@lifts_class("LSTM", "GRU", "RNN")
def recurrent(body: BodyLifter, call: Call) -> None:
    """Add a recurrent layer; its states are (layers, N, H) in torch and (N, layers, H) in a spec."""
    module: Any = call.module
    name = layer_name(module)
    given = arguments(call)
    x = given["input"]
    if isinstance(x, Packed):
        sources = body.lifter.packed[id(x.data)].sources(body, call)
    else:
        sources = {"input": batch_first(body, call, x, module.batch_first)}
    sources |= _initial(body, call, [*values(given.get("hx"))])
    op = Op("layer", name, layer_options(module, name))
    node = body.module_node(call, op, [*sources.values()] if len(sources) == 1 else sources)
    output, *states = call.result
    if isinstance(output, Packed):
        found = PackedOutput(Port(node), sources["lengths"], output.unsorted_indices)
        body.lifter.unpacked[id(output.data)] = found
    else:
        bind_sequence(body, call, output, Port(node), module.batch_first)
    for port, value in zip(("hidden", "cell"), values(states), strict=False):
        body.lifter.states[id(value)] = Port(node, port)
        body.bind(value, swapped(body, Port(node, port), call.place))


def _initial(body: BodyLifter, call: Call, given: list[Value]) -> dict[str, Port]:
    """Return the sources for initial states; none for zeros."""
    if all(map(is_zeros, given)):
        return {}
    known = [body.lifter.states.get(id(one)) for one in given]
    nodes = {id(port.node) for port in known if port is not None and port.node in body.body.nodes}
    if None not in known and len(nodes) == 1 and _same_kind(body, call, known[0]):
        return {"state": Port(known[0].node, "state")}  # type: ignore[union-attr]
    names = ["state"] if len(given) == 1 else ["hidden", "cell"]
    return {n: _batch_first_state(body, call, one) for n, one in zip(names, given, strict=True)}


def _same_kind(body: BodyLifter, call: Call, port: Port | None) -> bool:
    op = None if port is None else recurrent_op(port.node)
    return op is not None and op.name == layer_name(call.module)


def _batch_first_state(body: BodyLifter, call: Call, state: Value) -> Port:
    """Return the state (layers, N, H) as (N, layers, H), or (N, H) for the one of a single layer."""
    if state.rank != 3 or str(state.sizes[1]) != "N":
        message = f"{layer_name(call.module)} is given a state without a batch"
        raise CannotLift("batch", message, call, call.place)
    port = swapped(body, body.source(state), call.place)
    if isinstance(port.node, Node) and port.node.op == Op("layer", "Unsqueeze", {"dim": 1}):
        return port.node.sources[0].port
    return port


def recurrent_op(node: Any) -> Op | None:
    """Return the op of a recurrent layer, of one that is shared too; None for another node."""
    operation = getattr(node, "operation", None)
    if isinstance(operation, Share):
        return recurrent_op(operation.target)
    return (
        operation
        if isinstance(operation, Op) and operation.name in ("LSTM", "GRU", "RNN")
        else None
    )


@lifts_class("LSTMCell", "GRUCell", "RNNCell")
def cell(body: BodyLifter, call: Call) -> None:
    name, given = layer_name(call.module), arguments(call)
    states = [*values(given.get("hx"))]
    sources: dict[str, Value] = {"input": given["input"]}
    if not all(map(is_zeros, states)):
        sources |= zip(("hidden", "cell"), states, strict=False)
    op = Op("layer", name, layer_options(call.module, name))
    read: Any = [given["input"]] if len(sources) == 1 else sources
    node = body.module_node(call, op, read)
    for port, value in zip(("", "cell"), call.results, strict=False):
        body.bind(value, Port(node, port))
