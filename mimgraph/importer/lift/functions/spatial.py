"""Lift pooling, resizing, sampling and shuffling of pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.functions.table import lifts, plain_name, refuse
from mimgraph.importer.lift.options import is_default
from mimgraph.importer.trace.records import Step, Value
from mimgraph.ir.dim import Dim

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter

_AVERAGE = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")
_MAX = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
_NORM = ("norm_type", "kernel_size", "stride", "ceil_mode")
_ADAPTIVE = ("output_size", "return_indices")

# the layer of each function, and the options in the order of the function's arguments
POOLS: dict[str, tuple[str, tuple[str, ...]]] = {}
for _axes in (1, 2, 3):
    _divisor = ("divisor_override",) if _axes > 1 else ()
    POOLS |= {
        f"avg_pool{_axes}d": (f"AvgPool{_axes}d", _AVERAGE + _divisor),
        f"max_pool{_axes}d": (f"MaxPool{_axes}d", _MAX),
        f"lp_pool{_axes}d": (f"LPPool{_axes}d", _NORM),
        f"adaptive_avg_pool{_axes}d": (f"AdaptiveAvgPool{_axes}d", _ADAPTIVE[:1]),
        f"adaptive_max_pool{_axes}d": (f"AdaptiveMaxPool{_axes}d", _ADAPTIVE),
    }
RESHAPES = {
    "pixel_shuffle": ("PixelShuffle", ("upscale_factor",)),
    "pixel_unshuffle": ("PixelUnshuffle", ("downscale_factor",)),
    "channel_shuffle": ("ChannelShuffle", ("groups",)),
    "native_channel_shuffle": ("ChannelShuffle", ("groups",)),
    "fold": ("Fold", ("output_size", "kernel_size", "dilation", "padding", "stride")),
}


# pools over all of a length, which no window of a spec can have
WHOLE = {"Max": "Max", "Avg": "Mean"}


@lifts(*POOLS, *RESHAPES)
def by_options(body: BodyLifter, step: Step, input: Value, *args: Any, **kwargs: Any) -> None:
    """Add the layer of a function with the options that are not their defaults."""
    layer, names = POOLS.get(step.function) or RESHAPES[step.function]
    given = dict(zip(names, args, strict=False)) | kwargs
    refuse(step, return_indices=given.pop("return_indices", None))
    whole = WHOLE.get(layer[:-6])
    if whole and _covers_all(input, given.get("kernel_size")):
        axes = [*range(2, input.rank)]
        dim = axes if len(axes) > 1 else axes[0]
        body.layer(step, whole, input, "pooled", dim=dim, keepdim=True)
        return
    body.layer(
        step, layer, input, "pooled" if layer.endswith("d") else "", **_options(layer, given)
    )


def _covers_all(input: Value, kernel: Any) -> bool:
    """Return whether a window is as large as the input, in sizes that are known only at run time."""
    sizes = input.sizes[2:]
    windows = tuple(kernel) if isinstance(kernel, list | tuple) else (kernel,) * len(sizes)
    return windows == sizes and any(isinstance(size, Dim) for size in sizes)


def _options(layer: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return options without their defaults; one number for several equal ones."""
    plain = {name: _one(value) for name, value in given.items() if value not in (None, ())}
    if plain.get("stride") == plain.get("kernel_size") and layer not in ("Fold", "Unfold"):
        plain.pop("stride", None)
    return {name: value for name, value in plain.items() if not is_default(layer, name, value)}


def _one(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return value[0] if all(one == value[0] for one in value) else [*value]
    return value


@lifts("unfold")
def unfold(body: BodyLifter, step: Step, input: Value, *args: Any, **kwargs: Any) -> None:
    names = ("kernel_size", "dilation", "padding", "stride")
    if "kernel_size" not in kwargs and "functional" not in getattr(step.callee, "__module__", ""):
        message = "Tensor.unfold, whose windows may overlap"
        raise CannotLift("function", message, place=step.place)
    given = dict(zip(names, args, strict=False)) | kwargs
    body.layer(step, "Unfold", input, **_options("Unfold", given))


@lifts("interpolate", "upsample", "upsample_nearest", "upsample_bilinear")
def interpolate(
    body: BodyLifter,
    step: Step,
    input: Value,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> None:
    if step.function == "upsample_bilinear":
        mode, align_corners = "bilinear", True
    given = {"size": _one(size), "scale_factor": _one(scale_factor), "mode": mode}
    given |= {"align_corners": align_corners, "recompute_scale_factor": recompute_scale_factor}
    given |= {"antialias": antialias}
    options = {
        name: float(one) if name == "scale_factor" and isinstance(one, int) else one
        for name, one in given.items()
        if one is not None and not is_default("Interpolate", name, one)
    }
    body.layer(step, "Interpolate", input, "resized", **options)


@lifts("grid_sample", "grid_sampler")
def grid_sample(
    body: BodyLifter,
    step: Step,
    input: Value,
    grid: Value,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> None:
    given = {"mode": mode, "padding_mode": padding_mode, "align_corners": bool(align_corners)}
    options = {name: one for name, one in given.items() if not is_default("GridSample", name, one)}
    body.layer(step, "GridSample", [input, grid], "sampled", **options)


@lifts("affine_grid")
def affine_grid(
    body: BodyLifter, step: Step, theta: Value, size: Any, align_corners: bool | None = None
) -> None:
    options = {"align_corners": True} if align_corners else {}
    body.layer(step, "AffineGrid", theta, "grid", size=[*size][2:], **options)


@lifts("one_hot")
def one_hot(body: BodyLifter, step: Step, input: Value, num_classes: int = -1) -> None:
    if num_classes < 0:
        message = f"{plain_name(step.function)} without num_classes counts the values"
        raise CannotLift("size", message, place=step.place)
    body.layer(step, "OneHot", input, "one_hot", num_classes=num_classes)


@lifts("normalize")
def normalize(
    body: BodyLifter,
    step: Step,
    input: Value,
    p: float = 2.0,
    dim: Any = 1,
    eps: float = 1e-12,
    out: Any = None,
) -> None:
    options = ({} if p == 2 else {"p": float(p)}) | ({} if eps == 1e-12 else {"eps": eps})
    body.layer(step, "Normalize", input, "normalized", dim=dim, **options)
