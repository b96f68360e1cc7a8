"""Find the modules that are a layer with a little around it, whose own weights a function of torch reads.

    class LayerNorm2d(nn.LayerNorm):
        def forward(self, x):
            x = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias)
            return x.permute(0, 3, 1, 2)

The keys of its weights, `norm.weight`, are those of a layer with the name of the module. So such a
module is no block: its nodes stand in the body that calls it.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from mimgraph.importer.trace.records import Call, Step, Value

# the arguments that are weights, of each function that is a layer
WEIGHTS: dict[str, tuple[str, ...]] = {
    "linear": ("weight", "bias"),
    "bilinear": ("weight", "bias"),
    "conv1d": ("weight", "bias"),
    "conv2d": ("weight", "bias"),
    "conv3d": ("weight", "bias"),
    "conv_transpose1d": ("weight", "bias"),
    "conv_transpose2d": ("weight", "bias"),
    "conv_transpose3d": ("weight", "bias"),
    "layer_norm": ("weight", "bias"),
    "rms_norm": ("weight",),
    "group_norm": ("weight", "bias"),
    "instance_norm": ("running_mean", "running_var", "weight", "bias"),
    "batch_norm": ("running_mean", "running_var", "weight", "bias"),
    "embedding": ("weight",),
    "prelu": ("weight",),
}
COUNT = "num_batches_tracked"  # which no function reads


def is_layer(call: Call) -> bool:
    """Return whether a function inside a call reads the module's own weights as a layer would."""
    return any(
        isinstance(item, Step)
        and item.function in WEIGHTS
        and owner([one for one in item.arguments if one.is_weight], call.module, call.path)
        for item in call.items
    )


def owner(weights: list[Value], module: nn.Module, path: str) -> bool:
    """Return whether a module, at a path, has these weights under their usual names, and no others."""
    own = {*own_keys(module)} - {COUNT}
    prefix = f"{path}." if path else ""
    names = {one.path.removeprefix(prefix) for one in weights if one.path.startswith(prefix)}
    usual = {name for names in WEIGHTS.values() for name in names}
    return bool(own) and own == names and len(names) == len(weights) and own <= usual


def own_keys(module: nn.Module) -> list[str]:
    """Return the keys of the tensors that a module has itself, not in a module inside of it."""
    return [key for key in _state(module) if "." not in key]


def _state(module: nn.Module) -> dict[str, Any]:
    return module.state_dict()
