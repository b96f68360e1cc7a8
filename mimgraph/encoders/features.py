"""Read the option `features`: one part of a model, whose result is the layer's, or several as ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from mimgraph.ir.names import legal_name, port_fault
from mimgraph.ops.op import OpFault
from mimgraph.support.frozen_data import data

FEATURES: TypeAlias = str | tuple[str, ...] | dict[str, str]  # as a spec gives them


@data
class Features:
    """The parts of a model by port; `is_one` if there is one, whose result has no port."""

    ports: Mapping[str, str]
    is_one: bool = False


def features(given: str | Sequence[str] | Mapping[str, str]) -> Features:
    """Return the features that an option names: `layer4`, `[layer2, layer4]` or `{c3: layer2}`."""
    if isinstance(given, str):
        return Features({given: given}, is_one=True)
    if not given:
        message = "features names no part of the model"
        raise OpFault("bad-option", message, option="features", help="write features: [layer4]")
    if isinstance(given, Mapping):
        for port in given:
            if (reason := port_fault(port)) is not None:
                raise OpFault("bad-name", f"{port!r} cannot be a name: {reason}", option="features")
        ports = dict(given)
    else:
        ports = {_port(part): part for part in given}
    if len({*ports.values()}) < len(given):
        raise OpFault("duplicate-name", "features names a part twice", option="features")
    return Features(ports)


def _port(part: str) -> str:
    """Return the name of a part as a port: `features_5` for `features.5`."""
    return part if port_fault(part) is None else legal_name(part, port_fault)
