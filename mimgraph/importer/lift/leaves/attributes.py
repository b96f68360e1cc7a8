"""Read the options of a layer off a module of torch."""

from __future__ import annotations

import inspect
from typing import Any

from torch import Tensor, nn

from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.leaves.norms import norm_options
from mimgraph.importer.lift.options import is_default
from mimgraph.importer.trace.leaves import torch_class
from mimgraph.ops import registry

# of one number for each axis: equal ones are written as one
PER_AXIS = frozenset(
    [
        "kernel_size",
        "stride",
        "padding",
        "dilation",
        "output_padding",
        "output_size",
        "output_ratio",
        "scale_factor",
        "size",
    ]
)
RENAMED = {("PairwiseDistance", "p"): "norm"}  # attributes that torch calls otherwise
AFFINE = ("affine", "elementwise_affine")  # with these off there is no bias either
# of constructors, which say nothing about what is computed or are read otherwise
NOT_READ = frozenset(["device", "dtype", "batch_first", "inplace", "return_indices", "_weight"])


def layer_options(module: nn.Module, layer: str) -> dict[str, Any]:
    """Return the options of a layer that are neither its defaults nor what its input decides."""
    op = registry.find("layer", layer)
    assert op is not None
    _check_expressible(module, layer)
    found = dict[str, Any]()
    for name in op.options:
        attribute = RENAMED.get((layer, name), name)
        if name in NOT_READ or not hasattr(module, attribute):
            continue
        value = plain_option(module, attribute)
        if name == "normalized_shape" and isinstance(value, list) and len(value) > 1:
            found[name] = value
        if name in op.inferred or is_default(layer, name, value):
            continue
        if name == "bias" and any(getattr(module, one, True) is False for one in AFFINE):
            continue
        if name == "stride" and "Pool" in layer and value == plain_option(module, "kernel_size"):
            continue
        found[name] = value
    return found | norm_options(module)


def plain_option(module: nn.Module, name: str) -> Any:
    """Return an attribute as plain data: one number for equal ones, whether there is a bias."""
    value = getattr(module, name)
    if name == "bias" and not isinstance(value, bool):
        return value is not None
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, tuple | list):
        value = [_whole(name, one) for one in value]
        if name in PER_AXIS and value and all(one == value[0] for one in value):
            return value[0]
    return _whole(name, value)


def _whole(name: str, value: Any) -> Any:
    """Return the scale factor 2 for 2.0, which torch makes of it."""
    if name == "scale_factor" and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _check_expressible(module: nn.Module, layer: str) -> None:
    """Raise `CannotLift` if a module was made with an option that the layer does not have."""
    op = registry.find("layer", layer)
    cls = torch_class(module) or type(module)
    assert op is not None
    for name, parameter in inspect.signature(cls.__init__).parameters.items():
        if name in op.options or name in NOT_READ or not hasattr(module, name):
            continue
        value = getattr(module, name)
        plain = isinstance(value, bool | int | float | str)
        if plain and parameter.default is not parameter.empty and value != parameter.default:
            raise CannotLift("option", f"{layer} has no option {name} in a spec, here {value!r}")
