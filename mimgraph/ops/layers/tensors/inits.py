"""Write the initial value of a parameter or buffer: by `torch.nn.init`, a sinusoid, or given values."""

from __future__ import annotations

import math
import reprlib
from typing import Any, Literal, NamedTuple

from mimgraph.diagnostics.nearest import nearest
from mimgraph.ir.code import Code, Constant, List, Name, Tuple, call, code
from mimgraph.ir.dim import Size
from mimgraph.ir.option_types import Positive, PositiveFloat, Probability, checker, describe
from mimgraph.ir.types import FLOATING, INTEGER, Shape
from mimgraph.ops.rule_helpers import bad_option, largest, lowest

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
    raise bad_option("init", "init is one name with its arguments", "{normal: {std: 0.02}}")


def _checked(name: str, given: dict[str, Any], shape: tuple[int, ...], dtype: str) -> Any:
    """Return the arguments in canonical form; refuse those, or a shape, that the init does not take."""
    if name not in INITS:
        near = nearest(name, INITS)
        help = f"did you mean {near}?" if near else f"one of {', '.join(INITS)}"
        raise bad_option("init", f"no init is called {name!r}", help)
    init = INITS[name]
    unknown = next((key for key in given if key not in init.arguments), None)
    if unknown is not None:
        its = ", ".join(init.arguments) or "none"
        raise bad_option("init", f"{name} takes no {unknown!r}", f"its arguments: {its}")
    missing = next((key for key in init.required if key not in given), None)
    if missing is not None:
        raise bad_option("init", f"{name} needs {missing}", f"{{{name}: {{{missing}: 0.5}}}}")
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
            wants = describe(init.arguments[key])
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
        wanted = describe(wants)
        raise bad_option("init", f"a value is {wanted}, not {_short(value)}") from None
    if not lowest(dtype) <= found <= largest(dtype) and abs(found) < math.inf:
        raise bad_option("init", f"{_short(found)} is out of range for {dtype}")
    if wants is float and isinstance(value, int):
        return float(value)  # the expression that it was written as would make the tensor integer
    return found


def _short(value: Any) -> str:
    return "null" if value is None else reprlib.repr(value)
