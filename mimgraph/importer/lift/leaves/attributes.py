"""Read the options of a layer off a module of torch."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from mimgraph.importer.lift.options import is_default
from mimgraph.ops import registry

NOT_OPTIONS = ("weight_norm", "spectral_norm")


def layer_options(module: nn.Module, layer: str) -> dict[str, Any]:
    """Return the options of a layer that are neither its defaults nor what its input decides."""
    op = registry.find("layer", layer)
    assert op is not None
    found = dict[str, Any]()
    for name in op.options:
        if name in op.inferred or name in NOT_OPTIONS or not hasattr(module, name):
            continue
        value = plain_option(module, name)
        is_pool = layer.endswith(("Pool1d", "Pool2d", "Pool3d"))
        if is_pool and name == "stride" and value == plain_option(module, "kernel_size"):
            continue
        if name == "normalized_shape" and isinstance(value, int):
            continue
        if not is_default(layer, name, value) and value is not None:
            found[name] = value
    return found


def plain_option(module: nn.Module, name: str) -> Any:
    """Return an attribute as plain data: one number for a tuple of equal ones, whether there is a bias."""
    value = getattr(module, name)
    if name == "bias" and not isinstance(value, bool):
        return value is not None
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, tuple | list):
        value = [*value]
        if value and all(type(one) is type(value[0]) and one == value[0] for one in value):
            return value[0]
    return value
