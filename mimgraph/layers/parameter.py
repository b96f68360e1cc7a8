"""Tensors of the model itself: learned ones, which have no sources."""

from __future__ import annotations

from typing import Any

from mimgraph.catalogue import bad_option, known, tensor
from mimgraph.ir.code import Call, Code, call
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import MODULE, Lowering, module
from mimgraph.ir.types import BATCH, TensorType

# what torch.nn.init has, with the arguments that each takes beside the tensor
INITS: dict[str, tuple[str, ...]] = {
    "zeros": (),
    "ones": (),
    "constant": ("val",),
    "normal": ("mean", "std"),
    "uniform": ("a", "b"),
    "trunc_normal": ("mean", "std", "a", "b"),
    "xavier_normal": ("gain",),
    "xavier_uniform": ("gain",),
    "kaiming_normal": ("a", "mode", "nonlinearity"),
    "kaiming_uniform": ("a", "mode", "nonlinearity"),
    "orthogonal": ("gain",),
    "eye": (),
}


@tensor()
def parameter(
    shape: tuple[Size, ...], *, init: str | dict[str, Any], batched: bool = False
) -> Lowering:
    """A learned tensor of this shape; batched, it is kept as (1, ...) and expanded to (N, ...).

    `init` is one of torch.nn.init by name, `zeros` or `{normal: {std: 0.02}}`.
    """
    sizes = tuple(known(size, "shape") for size in shape)
    kept = (1, *sizes) if batched else sizes
    made = module("Parameter", {"": kept}, data=initialised(kept, init))
    if not batched:
        return Lowering(TensorType(sizes, batched=False), made, MODULE)
    expanded = MODULE.method("expand", *call_sizes(sizes))
    return Lowering(TensorType(sizes), made, expanded)


def call_sizes(sizes: tuple[int, ...]) -> tuple[Any, ...]:
    """The batch, and -1 for each axis that stays."""
    return (BATCH, *(-1 for _ in sizes))


def initialised(shape: tuple[int, ...], init: str | dict[str, Any]) -> Code:
    """`torch.zeros(1, 64)`, or `nn.init.normal_(torch.empty(1, 64), std=0.02)`."""
    name, given = (init, {}) if isinstance(init, str) else _only(init)
    if name not in INITS:
        raise bad_option("init", f"no init is called {name!r}", f"one of {', '.join(INITS)}")
    unknown = [key for key in given if key not in INITS[name]]
    if unknown:
        known_names = ", ".join(INITS[name]) or "none"
        raise bad_option("init", f"{name} takes no {unknown[0]!r}", f"its arguments: {known_names}")
    if name == "constant" and "val" not in given:
        raise bad_option("init", "constant needs val", "{constant: {val: 0.5}}")
    if name in ("zeros", "ones"):
        return call(f"torch.{name}", *shape)
    empty: Call = call("torch.empty", *shape)
    return call(f"nn.init.{name}_", empty, **given)


def _only(init: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if len(init) != 1:
        raise bad_option("init", "init is one name, with its arguments", "{normal: {std: 0.02}}")
    ((name, given),) = init.items()
    return name, given if isinstance(given, dict) else {}
