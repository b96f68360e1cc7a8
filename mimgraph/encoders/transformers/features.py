"""Read the option `features`, which chooses hidden states of a model by the number of their layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mimgraph.ir.code import Attribute, Code, code
from mimgraph.ir.expression import plain
from mimgraph.ir.lowering import RESULT
from mimgraph.ir.names import port_fault
from mimgraph.ops.op import OpFault

STATES = "hidden_states"
MOST = 1000


class Feature(NamedTuple):
    """A hidden state: the port that gives it, "" for the only result, and its layer, from 0 on."""

    port: str
    layer: int

    @property
    def code(self) -> Code:
        """Return the code that reads it from the result."""
        return Attribute(RESULT, STATES).at(code(self.layer))


def chosen(
    given: int | Sequence[int] | Mapping[str, int] | None, layers: int | None
) -> list[Feature]:
    """Return the hidden states that are asked for; raise the fault of one that the model has not.

    State 0 goes into the first layer, state 1 comes out of it; -1 is the last.
    """
    match given:
        case None:
            return []
        case int():
            return [Feature("", _layer(given, layers))]
        case Mapping():
            if not given:
                raise _fault("features names no layer", "leave it out")
            return [Feature(_port(name), _layer(one, layers)) for name, one in given.items()]
    found = [_layer(one, layers) for one in given]
    if not found or len(set(found)) < len(found):
        raise _fault("features must be different layers")
    return [Feature(f"{STATES}_{layer}", layer) for layer in found]


def _layer(given: int, layers: int | None) -> int:
    """Return the number of a layer, counted from the first."""
    number = int(plain(given))
    most = MOST if layers is None else layers
    if number < 0 and layers is None:
        help = "write the number of the layer, such as 6"
        raise _fault("the hidden states of this model are counted from 0 on", help)
    found = number + most + 1 if number < 0 else number
    if not 0 <= found <= most:
        help = "0 is before the first layer, -1 after the last" if layers is not None else ""
        raise _fault(f"there is no hidden state {number}: they are 0 to {most}", help)
    return found


def _port(name: str) -> str:
    """Return the name of a port; raise the fault of one that cannot be."""
    reason = port_fault(name)
    if name in ("last_hidden_state", "pooler_output"):
        reason = "the model itself has a result of this name"
    if reason is not None:
        raise _fault(f"{name!r:.60} cannot name a port", reason)
    return name


def _fault(message: str, help: str = "") -> OpFault:
    return OpFault("bad-option", message, option="features", help=help)
