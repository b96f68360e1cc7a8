"""Define tensors that each run makes anew: positions, zeros, ones, and noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple

from mimgraph.ir.code import Attribute, Code, Conditional, ModelDtype, Name, Operand, Tuple, call
from mimgraph.ir.dim import Size
from mimgraph.ir.lowering import ANCHOR, INPUT, Lowering
from mimgraph.ir.types import BATCH, COMPLEX, FLOATING, INTEGER, TensorType
from mimgraph.ops.layers.pointwise.elementwise import Dtype
from mimgraph.ops.layers.tensors.inits import arange_code, steps_between
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import tensor
from mimgraph.ops.rule_helpers import any_axis, bad_option

LIKE = Operand("like")
NOISE = {"normal": "torch.randn_like", "uniform": "torch.rand_like"}


class ArangeInputs(NamedTuple):
    input: TensorType | None = None


class LikeInputs(NamedTuple):
    like: TensorType | None = None


@tensor(family="tensors")
def arange(
    inputs: ArangeInputs,
    /,
    end: Size | None = None,
    *,
    dim: int | None = None,
    start: int = 0,
    step: int = 1,
) -> Lowering:
    """The positions along an axis, from 0: (N, T, *) -> (T,), int64 and without a batch.

    Along dim 0 they number the samples, (N,), as in-batch targets do.
    `{arange: 8}` counts to a number in place of a source, from `start` in steps of `step`.

    Example:
        tokens: [T, 64]
        {arange: tokens, dim: 1}
    """
    (x,) = inputs
    if x is None:
        return _counted(end, dim, start, step)
    if dim is None:
        help = "write dim: 1 for the first axis after the batch"
        raise OpFault("missing-option", "arange of a source needs dim", option="dim", help=help)
    for name, given, usual in (("start", start, 0), ("step", step, 1)):
        if given != usual:
            raise bad_option(name, f"{name} is for a number, arange: 8; a source is counted from 0")
    size = x.shape[any_axis(x, dim)]
    positions = TensorType((size,), "int64", batched=False, below=size)
    return Lowering(positions, call=call("torch.arange", size, device=Attribute(INPUT, "device")))


def _counted(end: Size | None, dim: int | None, start: int, step: int) -> Lowering:
    """Return the whole numbers from `start` to before `end`."""
    if end is None:
        help = "write arange: x, dim: 1, or arange: 8"
        raise OpFault("wrong-arity", "arange needs a source or a number", help=help)
    if dim is not None:
        raise bad_option("dim", "dim is for a source, arange: x, dim: 1; a number has no axis")
    if step == 0:
        raise bad_option("step", "step must not be 0")
    size = steps_between(start, end, step)
    below = end if step > 0 and start >= 0 else None
    code = arange_code(start, end, step, "int64", device=Attribute(ANCHOR, "device"))
    return Lowering(TensorType((size,), "int64", batched=False, below=below), call=code)


@tensor(family="tensors")
def zeros(
    inputs: LikeInputs,
    /,
    shape: tuple[Size, ...] | None = None,
    *,
    batched: bool = False,
    dtype: Dtype | None = None,
) -> Lowering:
    """Zeros of this shape, (*), made at each run and not in the state_dict; (N, *) if `batched`.

    `{zeros: true, like: x}` has the shape, dtype and device of x. A `dtype` of float32, the default
    of a shape, stands for the dtype of the model.

    Example:
        x: [64]
        {zeros: [64], batched: true}
    """
    return _constant("zeros", inputs.like, shape, batched, dtype, 0)


@tensor(family="tensors")
def ones(
    inputs: LikeInputs,
    /,
    shape: tuple[Size, ...] | None = None,
    *,
    batched: bool = False,
    dtype: Dtype | None = None,
) -> Lowering:
    """Ones of this shape, (*), made at each run and not in the state_dict; the rest is as for zeros.

    Example:
        x: [64]
        {ones: true, like: x}
    """
    return _constant("ones", inputs.like, shape, batched, dtype, 1)


def _constant(
    name: str,
    like: TensorType | None,
    shape: tuple[Size, ...] | None,
    batched: bool,
    dtype: str | None,
    value: int,
) -> Lowering:
    """Return a tensor with one value, `zeros` or `ones`, of a shape or like a source."""
    if like is None:
        if shape is None:
            help = f"write {name}: [64], or {name}: true, like: x"
            raise OpFault("missing-option", f"{name} needs a shape or like", help=help)
        type_ = TensorType(shape, dtype or "float32", batched=batched)
        sizes: tuple[object, ...] = (BATCH, *shape) if batched else shape
        make = partial(ANCHOR.method, f"new_{name}", *(sizes or (Tuple(()),)))
        code: Code = make(dtype=_dtype(type_.dtype))
    else:
        if shape is not None:
            message = f"{name} takes a shape or like, not both"
            raise bad_option("shape", message, f"write {name}: true for the shape of the source")
        if batched:
            raise bad_option("batched", "a tensor like a source has a batch if the source has one")
        type_ = like.like(*like, dtype=dtype)
        given = {} if dtype in (None, like.dtype) else {"dtype": _dtype(type_.dtype)}
        code = call(f"torch.{name}_like", LIKE, **given)
    return Lowering(_bounded(type_, value), call=code)


def _dtype(dtype: str) -> Code:
    """Return the code of a dtype; float32 stands for that of the model."""
    return ModelDtype() if dtype == "float32" else Name(f"torch.{dtype}")


def _bounded(type_: TensorType, value: int) -> TensorType:
    """Return the type of a tensor that has only this value."""
    if type_.dtype not in INTEGER:
        return type_
    return replace(type_, below=value + 1)


@tensor(family="tensors")
def random(
    inputs: LikeInputs,
    /,
    distribution: Literal["normal", "uniform"],
    *,
    only: Literal["training"] | None = None,
) -> Lowering:
    """New noise at each run, in the shape and dtype of `like`, (*): in eval too, or zeros there.

    `normal` has mean 0 and variance 1, `uniform` is from 0 to 1. With `only: training` it is zero in
    eval. Like integers it has the dtype of the model. Torch's own generator draws it.

    Example:
        mean: [64]
        {random: normal, like: mean, only: training}
    """
    (like,) = inputs
    if like is None:
        help = f"write random: {distribution}, like: x for the shape of x"
        raise OpFault("missing-option", "random needs like", help=help)
    floats = like.dtype in (*FLOATING, *COMPLEX)
    given = {} if floats else {"dtype": ModelDtype()}
    noise: Callable[..., Code] = partial(call, NOISE[distribution])
    code = noise(LIKE, **given)
    if only is not None:
        still = call("torch.zeros_like", LIKE, **given)
        code = Conditional(code, Name("self.training"), still)
    return Lowering(like.like(*like, dtype=None if floats else "float32"), call=code)
