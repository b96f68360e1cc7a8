"""Read the final states of recurrent layers by their ports, where torch's have the layers first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mimgraph.importer.draft import Body, Node, Port
from mimgraph.importer.lift.batch_axis import is_swap
from mimgraph.importer.lift.leaves.recurrent import recurrent_op


def name_states(body: Body) -> None:
    """Replace `h[-1]`, and `torch.cat([h[-2], h[-1]], 1)`, by the port `last`, other states `h[0]` by one
    of the port `hidden`."""
    for node in [*body.nodes]:
        new = _last(node) or _selected(node)
        if new is not None:
            body.replace(node, new)


def _selected(node: Node) -> Port | None:
    """Let `h[i]` read (N, layers, H); return the port `last` instead if there is only one state."""
    state, index = _state_at(node)
    if state is None:
        return None
    if _is_last(state, index):
        return Port(state.node, "last")
    node.sources = [node.sources[0]._replace(port=state)]
    options = node.op.options  # type: ignore[union-attr]
    node.op.options = {**options, "dim": 1}  # type: ignore[union-attr]
    return None


def _is_last(state: Port, index: Any) -> bool:
    """Return whether a state is the final one of the last layer, which has one direction."""
    depth = _depth(state)
    op = recurrent_op(state.node)
    one_way = op is not None and not op.options.get("bidirectional")
    return state.name == "hidden" and one_way and index in (-1, depth - 1)


def _state_at(node: Node) -> tuple[Port | None, Any]:
    """Return the port of which a node selects a state, (N, layers, H), and the index of it."""
    op = node.op
    if op is not None and op.name == "Select" and op.options["dim"] == 0:
        return _swapped_state(node), op.options["index"]
    if op is not None and op.name == "Squeeze" and op.options.get("dim", 0) == 0:
        state = _swapped_state(node)
        if state is not None and _is_last(state, 0):
            return state, 0
    return None, None


def _swapped_state(node: Node) -> Port | None:
    """Return the port `hidden` or `cell` that a node reads with the layers first."""
    (source,) = node.sources
    if not is_swap(source.port):
        return None
    inner = source.port.node.sources[0].port  # type: ignore[union-attr]
    is_state = inner.name in ("hidden", "cell") and recurrent_op(inner.node) is not None
    return inner if is_state else None


def _last(node: Node) -> Port | None:
    """Return the port `last` for the states of both directions of the last layer, joined."""
    if node.op is None or node.op.name != "concat" or node.op.options.get("dim", 1) not in (1, -1):
        return None
    found = [*_joined_states(node)]
    if len(found) != 2 or found[0][0] != found[1][0] or found[0][0].name != "hidden":
        return None
    state, depth = found[0][0], _depth(found[0][0])
    if [index % depth for _, index in found] != [depth - 2, depth - 1]:
        return None
    op = recurrent_op(state.node)
    return Port(state.node, "last") if op is not None and op.options.get("bidirectional") else None


def _joined_states(node: Node) -> Iterator[tuple[Port, int]]:
    """Yield the states that a node reads, (N, layers, H), and the index of each."""
    for source in node.sources:
        one = source.port.node
        op = one.op if isinstance(one, Node) else None
        if isinstance(one, Node) and op is not None and op.name == "Select":
            state = one.sources[0].port
            if (
                op.options["dim"] == 1
                and recurrent_op(state.node)
                and isinstance(op.options["index"], int)
            ):
                yield state, op.options["index"]


def _depth(state: Port) -> int:
    """Return the number of states of a recurrent layer: one for each layer and direction."""
    op = recurrent_op(state.node)
    assert op is not None
    return int(op.options.get("num_layers", 1)) * (2 if op.options.get("bidirectional") else 1)
