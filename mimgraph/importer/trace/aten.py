"""Name ATen's operators, of which exported programs are made, and their arguments as torch's functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch._ops import OpOverload


class FunctionCall(NamedTuple):
    """A call of a function of torch by its name."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def as_function(op: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FunctionCall:
    """Return the call of torch's function that does what a call of an operator does.

    aten.conv2d.default(x, w, None, [2, 2])   is   conv2d(x, w, None, [2, 2])
    """
    name = op._schema.name.rpartition("::")[2]
    call = FunctionCall(_NAMES.get(name, name), args, kwargs)
    return _CHANGED[name](call) if name in _CHANGED else call


# operators that are called otherwise than the function of their name
_NAMES = {
    "_unsafe_view": "reshape",
    "slice": "__getitem__",
    "_to_copy": "to",
    "lift_fresh_copy": "clone",
    "_softmax": "softmax",
    "_log_softmax": "log_softmax",
}


def _embedding(call: FunctionCall) -> FunctionCall:
    """Swap the weight and the indices, and name the options that differ."""
    names = ("weight", "indices", "padding_idx", "scale_grad_by_freq", "sparse")
    given = dict(zip(names, call.args, strict=False)) | call.kwargs
    weight, indices = given.pop("weight"), given.pop("indices")
    padding = given.pop("padding_idx", -1)
    if padding is not None and padding >= 0:
        given["padding_idx"] = padding
    return FunctionCall("embedding", (indices, weight), given)


def _slice(call: FunctionCall) -> FunctionCall:
    """Return an index with a slice of one axis."""
    names = ("input", "dim", "start", "end", "step")
    given = dict(zip(names, call.args, strict=False)) | call.kwargs
    end = given.get("end")
    end = None if isinstance(end, int) and end >= 2**62 else end
    part = slice(given.get("start"), end, given.get("step"))
    before = [slice(None)] * (given.get("dim", 0) % given["input"].dim())
    return FunctionCall("__getitem__", (given["input"], (*before, part)), {})


def _softmax(call: FunctionCall) -> FunctionCall:
    """Leave out the flag for half precision."""
    return FunctionCall(call.name, call.args[:2], call.kwargs)


def _batch_norm(call: FunctionCall) -> FunctionCall:
    """Order the arguments as `F.batch_norm` has them."""
    names = [
        "input",
        "weight",
        "bias",
        "running_mean",
        "running_var",
        "training",
        "momentum",
        "eps",
        "cudnn_enabled",
    ]
    given = dict(zip(names, call.args, strict=False)) | call.kwargs
    order = [
        "input",
        "running_mean",
        "running_var",
        "weight",
        "bias",
        "training",
        "momentum",
        "eps",
    ]
    return FunctionCall("batch_norm", tuple(given[name] for name in order), {})


def _upsample(call: FunctionCall) -> FunctionCall:
    """Return `F.interpolate` with a size or scale."""
    mode = "nearest" if "nearest" in call.name else "bilinear"
    input, size, *rest = call.args
    given: dict[str, Any] = {"mode": mode}
    scales = rest[-1] if rest and isinstance(rest[-1], list | tuple) else None
    given |= {"scale_factor": [*scales]} if scales else {"size": [*size]}
    if mode == "bilinear":
        given["align_corners"] = rest[0]
    return FunctionCall("interpolate", (input,), given)


_CHANGED: dict[str, Callable[[FunctionCall], FunctionCall]] = {
    "embedding": _embedding,
    "upsample_nearest2d": _upsample,
    "upsample_bilinear2d": _upsample,
    "slice": _slice,
    "_softmax": _softmax,
    "_log_softmax": _softmax,
    "batch_norm": _batch_norm,
}
