"""Tensors of the model itself, and what fills them: parameter, buffer, zeros, arange, Fill."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Literal, NamedTuple

from mimgraph.diagnostics.nearest import nearest
from mimgraph.diagnostics.text import code as as_code
from mimgraph.diagnostics.text import did_you_mean, put
from mimgraph.ir.axes_help import cut
from mimgraph.ir.code import (
    Attribute,
    Code,
    Conditional,
    Constant,
    List,
    ModelDtype,
    Name,
    Operand,
    Slice,
    Tuple,
    call,
    code,
)
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.lowering import ANCHOR, INPUT, MODULE, Lowering, Module, module
from mimgraph.ir.option_types import Positive, PositiveFloat, Probability, checker, requirement
from mimgraph.ir.types import BATCH, COMPLEX, FLOATING, INTEGER, Shape, TensorType
from mimgraph.ops.layer_call import layer, tensor
from mimgraph.ops.layers.elementwise import Dtype
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import (
    any_axis,
    bad_option,
    known,
    largest,
    lowest,
    truth_fault,
    weighted,
    without_axes,
)

Gain: Any = Literal[
    *("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d"),
    *("conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"),
]
_KAIMING = {"a": float, "mode": Literal["fan_in", "fan_out"], "nonlinearity": Gain}


class Init(NamedTuple):
    """The arguments of an init beside the tensor, the required ones, and the ranks that it takes."""

    arguments: dict[str, Any]
    required: tuple[str, ...] = ()
    least: int = 0
    most: int | None = None

    @property
    def lone(self) -> str | None:
        """The argument that a value without a name is for: the only one, or the end of an arange."""
        names = tuple(self.arguments)
        return names[0] if len(names) == 1 or names[:1] == ("end",) else None


INITS: dict[str, Init] = {
    "zeros": Init({}),
    "ones": Init({}),
    "constant": Init({"val": Any}, ("val",)),  # checked by the dtype
    "normal": Init({"mean": float, "std": PositiveFloat}),
    "uniform": Init({"a": float, "b": float}),
    "trunc_normal": Init({"mean": float, "std": PositiveFloat, "a": float, "b": float}),
    "xavier_normal": Init({"gain": PositiveFloat}, least=2),
    "xavier_uniform": Init({"gain": PositiveFloat}, least=2),
    "kaiming_normal": Init(_KAIMING, least=2),
    "kaiming_uniform": Init(_KAIMING, least=2),
    "orthogonal": Init({"gain": float}, least=2),
    "eye": Init({}, least=2, most=2),
    "dirac": Init({"groups": Positive}, least=3, most=5),
    "sparse": Init({"sparsity": Probability, "std": PositiveFloat}, ("sparsity",), 2, 2),
    "sinusoid": Init({"interleaved": bool}, least=2, most=3),
    "arange": Init({"end": int, "start": int, "step": int}, least=1, most=2),
}
_SINUSOIDS = {True: "_sinusoid", False: "_sines_cosines"}  # helpers of the emitted file
_ANY_DTYPE = ("zeros", "ones", "constant", "arange")


def initial(shape: tuple[int, ...], init: Any, dtype: str = "float32") -> Code:
    """Return the code of a new tensor: `torch.zeros(1, 64)`, `nn.init.normal_(torch.empty(1, 64))`.

    `init` is a name, `{name: {argument: value}}`, or the values: one for all, or nested lists.
    """
    keywords: dict[str, Code] = {} if dtype == "float32" else {"dtype": Name(f"torch.{dtype}")}
    if not isinstance(init, str | dict):
        return _values(shape, init, dtype, keywords)
    sizes = _sizes(shape)
    name, given = (init, {}) if isinstance(init, str) else _only(init)
    given = _checked(name, given, shape, dtype)
    if name == "constant":
        return _full(shape, given["val"], dtype, keywords)
    if name == "sinusoid":
        made = call(_SINUSOIDS[given.get("interleaved", True)], *sizes[-2:])
        made = made if len(shape) == 2 else made.method("unsqueeze", 0)
        return made.method("to", *keywords.values()) if keywords else made
    if name == "arange":
        return _arange(shape, dtype, **given)
    by_size = sizes or (Tuple(()),)
    if name in ("zeros", "ones"):
        return call(f"torch.{name}", *by_size, **keywords)
    empty = call("torch.empty", *by_size, **keywords)
    return call(f"nn.init.{name}_", empty, **given)


def _sizes(shape: tuple[int, ...]) -> tuple[Code, ...]:
    """Return the code of each size, with the expression that it was written as."""
    return tuple(Constant(size, "size", getattr(size, "written", None)) for size in shape)


def _only(init: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the only key of a mapping, and its arguments; a value that is no mapping is the sole one."""
    if len(init) == 1:
        ((name, given),) = init.items()
        if given is None or isinstance(given, dict):
            return str(name), given or {}
        if (known := INITS.get(name)) is not None and known.lone is not None:
            return name, {known.lone: given}
    raise bad_option("init", "init is one name with its arguments", put("{normal: {std: 0.02}}"))


def _checked(name: str, given: dict[str, Any], shape: tuple[int, ...], dtype: str) -> Any:
    """Return the arguments in canonical form; refuse those, or a shape, that the init does not take."""
    if name not in INITS:
        near = nearest(name, INITS)
        help = did_you_mean(near) if near else f"one of {', '.join(INITS)}"
        raise bad_option("init", f"no init is called {name!r}", help)
    init = INITS[name]
    unknown = next((key for key in given if key not in init.arguments), None)
    if unknown is not None:
        its = ", ".join(init.arguments) or "none"
        raise bad_option("init", f"{name} takes no {unknown!r}", f"its arguments: {its}")
    missing = next((key for key in init.required if key not in given), None)
    if missing is not None:
        raise bad_option("init", f"{name} needs {missing}", put(f"{{{name}: {{{missing}: 0.5}}}}"))
    if len(shape) < init.least or len(shape) > (init.most or len(shape)):
        axes = f"{init.least} to {init.most}" if init.most else f"at least {init.least}"
        axes = f"{init.least}" if init.most == init.least else axes
        raise bad_option("init", f"{name} takes a shape of {axes} axes, not {Shape(shape)}")
    if dtype not in FLOATING and name not in _ANY_DTYPE:
        raise bad_option("init", f"{name} takes a floating-point dtype, not {dtype}")
    if name == "orthogonal" and dtype in ("float16", "bfloat16"):
        raise bad_option("init", f"{name} takes float32 or float64, not {dtype}")
    found = {}
    for key, value in given.items():
        try:
            found[key] = checker(init.arguments[key])(value)
        except ValueError:
            wants = requirement(init.arguments[key])
            raise bad_option("init", f"{key} of {name} is {wants}, not {_short(value)}") from None
    if name != "constant":
        _check_values(name, found, shape, dtype)
    return found


def _check_values(name: str, given: dict[str, Any], shape: tuple[int, ...], dtype: str) -> None:
    """Refuse values that torch does not take with each other or with the shape."""
    most = (
        2.0**14 if dtype == "float16" else 2.0**62
    )  # so that its square and its double are finite
    for key, value in given.items():
        if isinstance(value, float) and not abs(value) <= most:  # NaN is refused too
            raise bad_option("init", f"{key} of {name} is out of range: {value}")
    if name in ("uniform", "trunc_normal"):
        usual = (0.0, 1.0) if name == "uniform" else (-2.0, 2.0)
        low, high = given.get("a", usual[0]), given.get("b", usual[1])
        if low > high:
            raise bad_option("init", f"{name} needs a <= b, but a is {low} and b is {high}")
    if name == "trunc_normal" and given.get("std") == 0:
        raise bad_option("init", "std of trunc_normal must be above 0")
    if name == "sinusoid" and len(shape) == 3 and shape[0] != 1:
        raise bad_option("init", f"sinusoid takes a shape of 2 axes, not {Shape(shape)}")
    if not given.get("interleaved", True) and (shape[-1] % 2 or shape[-1] < 4):
        message = (
            f"as many sines as cosines, of 2 rates or more, need an even width, not {shape[-1]}"
        )
        raise bad_option("init", message, "make the last axis even and at least 4")
    if name == "dirac" and shape[0] % given.get("groups", 1):
        raise bad_option("init", f"groups of dirac must divide {shape[0]}")


def _arange(
    shape: tuple[int, ...], dtype: str, end: int | None = None, start: int = 0, step: int = 1
) -> Code:
    """Return the code of numbers with equal steps; without an `end`, as many as the last axis has."""
    if len(shape) == 2 and shape[0] != 1:
        raise bad_option("init", f"arange takes a shape of 1 axis, not {Shape(shape)}")
    if dtype == "bool":
        raise bad_option("init", "arange takes a dtype of numbers, not bool")
    if step == 0:
        raise bad_option("init", "step of arange must not be 0")
    stop = start + step * shape[-1] if end is None else end
    count = steps_between(start, stop, step)
    assert isinstance(count, int)
    if count != shape[-1]:
        message = f"arange gives {max(count, 0)} numbers, but the tensor is {Shape(shape)}"
        raise bad_option("init", message)
    for value in (start, start + step * (count - 1)):
        _number(value, dtype)  # refuses what the dtype cannot store
    made = arange_code(start, stop, step, dtype)
    return made if len(shape) == 1 else made.method("unsqueeze", 0)


def steps_between(start: int, end: Size, step: int) -> Size:
    """Return how many numbers `torch.arange(start, end, step)` has, if it has any."""
    span = end - start if step > 0 else start - end
    return (span + abs(step) - 1) // abs(step)


def arange_code(start: int, end: Size, step: int, dtype: str, **keywords: Code) -> Code:
    """Return the call of `torch.arange` without the arguments that are its defaults."""
    given = (start, end, step) if step != 1 else (start, end) if start else (end,)
    if dtype != "int64":
        keywords = {"dtype": Name(f"torch.{dtype}"), **keywords}
    return call("torch.arange", *given, **keywords)


def _values(shape: tuple[int, ...], values: Any, dtype: str, keywords: dict[str, Code]) -> Code:
    """Return the code of a tensor with one value for all, or with values in nested lists."""
    if not isinstance(values, list | tuple):
        return _full(shape, values, dtype, keywords)
    if (found := _shape_of(values)) != tuple(shape):
        given = "uneven lists" if found is None else f"of shape {Shape(found)}"
        raise bad_option("init", f"the values are {given}, but the tensor is {Shape(shape)}")
    return call("torch.tensor", _nested(values, dtype), **keywords)


def _full(shape: tuple[int, ...], value: Any, dtype: str, keywords: dict[str, Code]) -> Code:
    """Return the code of a tensor filled with one value."""
    one = code(_number(value, dtype))
    if not shape:
        return call("torch.tensor", one, **keywords)
    return call("torch.full", Tuple(_sizes(shape)), one, **keywords)


def _nested(values: Any, dtype: str) -> Code:
    """Return the code of nested lists."""
    if isinstance(values, list | tuple):
        return List(tuple(_nested(item, dtype) for item in values))
    return code(_number(values, dtype))


def _shape_of(values: Any) -> tuple[int, ...] | None:
    """Return the shape of nested lists; None if they are uneven."""
    if not isinstance(values, list | tuple):
        return ()
    inner = {_shape_of(item) for item in values}
    if len(inner) > 1 or None in inner:
        return None
    return (len(values), *(inner.pop() or ())) if inner else (0,)


def _number(value: Any, dtype: str) -> Any:
    """Return a value as the dtype stores it; refuse one that it cannot store."""
    wants: Any = int if dtype in INTEGER else bool if dtype == "bool" else float
    try:
        found = checker(wants)(value)
    except ValueError:
        wanted = requirement(wants)
        raise bad_option("init", f"a value is {wanted}, not {_short(value)}") from None
    if not lowest(dtype) <= found <= largest(dtype) and abs(found) < math.inf:
        raise bad_option("init", f"{_short(found)} is out of range for {dtype}")
    if wants is float and isinstance(value, int):
        return float(value)  # the expression that it was written as would make the tensor integer
    return found


def _short(value: Any) -> str:
    return as_code("null") if value is None else reprlib.repr(value)


# Define the tensors of the model itself, learned and fixed.


@tensor(family="tensors")
def parameter(shape: tuple[Size, ...], *, init: Any, batched: bool = False) -> Lowering:
    """A learned tensor of this shape; `batched` stores (1, *shape) and expands it to (N, *shape).

    `init` names one of torch.nn.init, `zeros` or `{normal: {std: 0.02}}`; `sinusoid` (Vaswani et al.
    2017; with `interleaved: false` all sines stand before the cosines, as in tensor2tensor); `arange`
    (0, 1, 2, ...), `{arange: 8}` or `{arange: {start, end, step}}`; or it is the values, as nested lists.

    Example:
        x: [64]
        {parameter: [1, 64], init: {normal: {std: 0.02}}}
    """
    sizes = _stored_sizes(shape, batched)
    made = module("Parameter", {"": sizes}, data=initial(sizes, _with_batch_axis(init, batched)))
    return _lowering(made, sizes, batched, "float32")


@tensor(family="tensors")
def buffer(
    shape: tuple[Size, ...],
    *,
    init: Any,
    batched: bool = False,
    dtype: Dtype = "float32",
    persistent: bool = True,
) -> Lowering:
    """A fixed tensor of this shape, kept in the state_dict; it takes the options of a parameter.

    With `persistent: false` it is not in the state_dict: each new model has the values of its `init`.

    Example:
        x: [64]
        {buffer: [50, 64], init: sinusoid}
    """
    sizes = _stored_sizes(shape, batched)
    data = initial(sizes, _with_batch_axis(init, batched), dtype)
    made = module("Buffer", buffers={"": sizes}, data=data, persistent=persistent)
    return _lowering(made, sizes, batched, dtype)


def _stored_sizes(shape: tuple[Size, ...], batched: bool) -> tuple[int, ...]:
    """Return the shape that is stored, whose sizes must be known."""
    help = _cut(shape, batched) if any(isinstance(size, Dim) for size in shape) else ""
    sizes = tuple(known(size, "shape", help=help) for size in shape)
    return (1, *sizes) if batched else sizes


def _cut(shape: tuple[Size, ...], batched: bool) -> str:
    """Return the help for a shape with a size that is known only at run time."""
    axis, size = next((i, size) for i, size in enumerate(shape) if isinstance(size, Dim))
    return f"give its largest possible size, and {cut('...', axis + batched, size)}"


def _with_batch_axis(init: Any, batched: bool) -> Any:
    """Return the init; given values get the axis of size 1 that a batched tensor is stored with."""
    return [init] if batched and isinstance(init, list | tuple) else init


def _lowering(made: Module, sizes: tuple[int, ...], batched: bool, dtype: str) -> Lowering:
    """Return a stored tensor, expanded to the batch if it is batched."""
    if not batched:
        return Lowering(TensorType(sizes, dtype, batched=False), made, MODULE, makes=())
    expanded: Code = MODULE.method("expand", BATCH, *(-1 for _ in sizes[1:]))
    return Lowering(TensorType(sizes[1:], dtype), made, expanded, makes=(), scatters=True)


# Define tensors that each run makes anew: positions, zeros, ones, and noise.


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
        help = f"write {put('dim: 1')} for the first axis after the batch"
        raise OpFault("missing-option", "arange of a source needs dim", option="dim", help=help)
    for name, given, usual in (("start", start, 0), ("step", step, 1)):
        if given != usual:
            message = f"{name} is for a number, {as_code('arange: 8')}; a source is counted from 0"
            raise bad_option(name, message)
    size = x.shape[any_axis(x, dim)]
    positions = TensorType((size,), "int64", batched=False, below=size)
    return Lowering(positions, call=call("torch.arange", size, device=Attribute(INPUT, "device")))


def _counted(end: Size | None, dim: int | None, start: int, step: int) -> Lowering:
    """Return the whole numbers from `start` to before `end`."""
    if end is None:
        help = f"write {put('arange: x, dim: 1')}, or {put('arange: 8')}"
        raise OpFault("wrong-arity", "arange needs a source or a number", help=help)
    if dim is not None:
        of_source = as_code("arange: x, dim: 1")
        raise bad_option("dim", f"dim is for a source, {of_source}; a number has no axis")
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
            help = f"write {put(f'{name}: [64]')}, or {put(f'{name}: true, like: x')}"
            raise OpFault("missing-option", f"{name} needs a shape or like", help=help)
        type_ = TensorType(shape, dtype or "float32", batched=batched)
        sizes: tuple[object, ...] = (BATCH, *shape) if batched else shape
        make = partial(ANCHOR.method, f"new_{name}", *(sizes or (Tuple(()),)))
        code: Code = make(dtype=_dtype(type_.dtype))
    else:
        if shape is not None:
            message = f"{name} takes a shape or like, not both"
            help = f"write {put(f'{name}: true')} for the shape of the source"
            raise bad_option("shape", message, help)
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
        help = f"write {put(f'random: {distribution}, like: x')} for the shape of x"
        raise OpFault("missing-option", "random needs like", help=help)
    floats = like.dtype in (*FLOATING, *COMPLEX)
    given = {} if floats else {"dtype": ModelDtype()}
    noise: Callable[..., Code] = partial(call, NOISE[distribution])
    code = noise(LIKE, **given)
    if only is not None:
        still = call("torch.zeros_like", LIKE, **given)
        code = Conditional(code, Name("self.training"), still)
    return Lowering(like.like(*like, dtype=None if floats else "float32"), call=code)


# Define Fill, which replaces a missing optional input, or the missing samples of a batch.


PRESENT = Operand("present")


class FillInputs(NamedTuple):
    input: TensorType
    present: TensorType | None = None


@layer(family="missing")
def Fill(
    inputs: FillInputs, /, value: Literal["zeros", "learned"], *, init: Any = "zeros"
) -> Lowering:
    """Zeros, or a learned tensor, in place of a missing source: (N, *) -> (N, *).

    A source is missing if it depends on an optional input that is left out; with `present`, a bool
    (N,), also in each sample where that is false, whatever its values. The learned tensor has the
    shape of the source without the batch; `init`, as of a parameter, gives its first values.

    Example:
        audio: [16]
        has_audio: {shape: [], dtype: bool}
        {layer: Fill, from: {input: audio, present: has_audio}, value: learned}
    """
    x, present = inputs
    if not x.batched:
        raise without_axes(x, "Fill takes (N, *)", "input")
    _check_present(present)
    made: Module | None = None
    fill: Code = Constant(False if x.dtype == "bool" else 0)  # 0 would make it an integer
    if value == "learned":
        weighted(x, "Fill", "input")
        sizes = tuple(known(size, "each size of a learned value", "input") for size in x.dims)
        made = module("Parameter", {"": sizes}, data=initial(sizes, init))
        fill = MODULE
        fallback: Code = MODULE.method("expand", BATCH, *(-1 for _ in x.dims))
    else:
        fallback = _zeros(x)
    result: Code = INPUT
    makes: tuple[TensorType, ...] | None = ()
    if present is not None:
        axes = (Slice(), *(Constant(None),) * len(x.dims))
        condition = PRESENT.at(Tuple(axes)) if x.dims else PRESENT
        result, makes = call("torch.where", condition, INPUT, fill), None
    return Lowering(x, made, result, fallback=fallback, makes=makes)


def _check_present(present: TensorType | None) -> None:
    """Refuse a `present` that is not a bool for each sample."""
    if present is None:
        return
    if present.dtype != "bool":
        raise truth_fault(present, "Fill takes a bool present", "present")
    if not present.batched or present.dims:
        raise OpFault(
            "rank-mismatch", "Fill takes present (N,)", source="present", note=str(present)
        )


def _zeros(x: TensorType) -> Code:
    """Return the code of zeros in the shape of the source, on the device of an input that is always
    given."""
    dtype = ModelDtype() if x.dtype == "float32" else Name(f"torch.{x.dtype}")
    return ANCHOR.method("new_zeros", BATCH, *x.dims, dtype=dtype)
