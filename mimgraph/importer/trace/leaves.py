"""Decide which modules a trace does not look into."""

from __future__ import annotations

from torch import nn

CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)

# modules of other packages that are layers of ours
ADAPTED = frozenset(
    {
        "torchvision.ops.stochastic_depth.StochasticDepth",
        "torchvision.ops.misc.FrozenBatchNorm2d",
        "torchvision.ops.deform_conv.DeformConv2d",
        "transformers.pytorch_utils.Conv1D",
        "timm.layers.drop.DropPath",
    }
)


def class_name(cls: type) -> str:
    """Return the whole name of a class."""
    return f"{cls.__module__}.{cls.__name__}"


def is_leaf(module: nn.Module) -> bool:
    """Return whether the module is a layer whose forward is torch's own, or one that we know."""
    return class_name(type(module)) in ADAPTED or torch_class(module) is not None


def torch_class(module: nn.Module) -> type[nn.Module] | None:
    """Return the class of torch.nn whose forward a module has; None for containers and other modules."""
    for cls in type(module).__mro__:
        if cls is nn.Module or not issubclass(cls, nn.Module) or issubclass(cls, CONTAINERS):
            return None
        if cls.__module__.startswith("torch.nn.modules"):
            return cls if type(module).forward is cls.forward else None
    return None
