"""How a tensor of the model starts: `torch.nn.init` by name, a sinusoid, or the values themselves."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from mimgraph.catalogue import bad_option
from mimgraph.diagnostics.nearest import nearest
from mimgraph.ir.code import Code, Constant, List, Name, Tuple, call, code
from mimgraph.ir.option_types import Positive, PositiveFloat, Probability, checker, describe
from mimgraph.ir.types import FLOATING, Shape

Gain: Any = Literal[
    *("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d"),
    *("conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"),
]
_KAIMING = {"a": float, "mode": Literal["fan_in", "fan_out"], "nonlinearity": Gain}


class Init(NamedTuple):
    """The arguments that an init takes beside the tensor, those it must be given, and its axes."""

    arguments: dict[str, Any]
    required: tuple[str, ...] = ()
    least: int = 0
    most: int | None = None


INITS: dict[str, Init] = {
    "zeros": Init({}),
    "ones": Init({}),
    "constant": Init({"val": float}, ("val",)),
    "normal": Init({"mean": float, "std": PositiveFloat}),
    "uniform": Init({"a": float, "b": float}),
    "trunc_normal": Init({"mean": float, "std": PositiveFloat, "a": float, "b": float}),
    "xavier_normal": Init({"gain": float}, least=2),
    "xavier_uniform": Init({"gain": float}, least=2),
    "kaiming_normal": Init(_KAIMING, least=2),
    "kaiming_uniform": Init(_KAIMING, least=2),
    "orthogonal": Init({"gain": float}, least=2),
    "eye": Init({}, least=2, most=2),
    "dirac": Init({"groups": Positive}, least=3, most=5),
    "sparse": Init({"sparsity": Probability, "std": PositiveFloat}, ("sparsity",), 2, 2),
    "sinusoid": Init({}, least=2, most=3),
}
_ANY_DTYPE = ("zeros", "ones", "constant")


def initial(shape: tuple[int, ...], init: Any, dtype: str = "float32") -> Code:
    """A new tensor: `torch.zeros(1, 64)`, or `nn.init.normal_(torch.empty(1, 64), std=0.02)`.

    `init` is a name, `{name: {argument: value}}`, or the values: one for all, or lists of the shape.
    """
    keywords: dict[str, Code] = {} if dtype == "float32" else {"dtype": Name(f"torch.{dtype}")}
    if not isinstance(init, str | dict):
        return _values(shape, init, dtype, keywords)
    name, given = (init, {}) if isinstance(init, str) else _only(init)
    given = _checked(name, given, shape, dtype)
    if name == "constant":
        return _values(shape, given["val"], dtype, keywords)
    sizes: list[Code] = [
        Constant(size, "size", getattr(size, "written", None)) for size in shape
    ] or [Tuple(())]
    if name in ("zeros", "ones"):
        return call(f"torch.{name}", *sizes, **keywords)
    if name == "sinusoid":
        made = call("_sinusoid", *sizes[-2:])
        return made if len(shape) == 2 else made.method("unsqueeze", 0)
    empty = call("torch.empty", *sizes, **keywords)
    return call(f"nn.init.{name}_", empty, **given)


def _only(init: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The one name of a mapping, and its arguments."""
    if len(init) == 1:
        ((name, given),) = init.items()
        if given is None or isinstance(given, dict):
            return name, given or {}
    raise bad_option("init", "init is one name, with its arguments", "{normal: {std: 0.02}}")


def _checked(name: str, given: dict[str, Any], shape: tuple[int, ...], dtype: str) -> Any:
    """The arguments in canonical form, where torch's init of that name takes them and the shape."""
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
        axes = f"{init.least}" if init.most == init.least else f"at least {init.least}"
        raise bad_option("init", f"{name} takes a shape of {axes} axes, not {Shape(shape)}")
    if dtype not in FLOATING and name not in _ANY_DTYPE:
        raise bad_option("init", f"{name} takes a floating-point dtype, not {dtype}")
    found = {}
    for key, value in given.items():
        try:
            found[key] = checker(init.arguments[key])(value)
        except ValueError:
            wants = describe(init.arguments[key])
            raise bad_option("init", f"{key} of {name} is {wants}, not {value!r}") from None
    _check_values(name, found, shape)
    return found


def _check_values(name: str, given: dict[str, Any], shape: tuple[int, ...]) -> None:
    """What torch refuses of values that are right by themselves."""
    low, high = given.get("a", 0.0), given.get("b", 1.0)
    if name == "uniform" and low > high:
        raise bad_option("init", f"uniform goes from a to b, not from {low} to {high}")
    if name == "sinusoid" and len(shape) == 3 and shape[0] != 1:
        raise bad_option("init", f"sinusoid takes a shape of 2 axes, not {Shape(shape)}")
    if name == "dirac" and shape[0] % given.get("groups", 1):
        raise bad_option("init", f"groups of dirac must divide {shape[0]}")


def _values(shape: tuple[int, ...], values: Any, dtype: str, keywords: dict[str, Code]) -> Code:
    """One value for all, or lists of values as deep as the shape."""
    if not isinstance(values, list | tuple):
        one = code(_number(values, dtype))
        sizes = Tuple(tuple(Constant(size, "size") for size in shape))
        return call("torch.full", sizes, one, **keywords) if shape else _tensor(one, keywords)
    if (found := _shape_of(values)) != tuple(shape):
        told = "no even lists" if found is None else f"of the shape {Shape(found)}"
        raise bad_option("init", f"the values are {told}, the tensor is {Shape(shape)}")
    return _tensor(_nested(values, dtype), keywords)


def _tensor(values: Code, keywords: dict[str, Code]) -> Code:
    return call("torch.tensor", values, **keywords)


def _nested(values: Any, dtype: str) -> Code:
    if isinstance(values, list | tuple):
        return List(tuple(_nested(item, dtype) for item in values))
    return code(_number(values, dtype))


def _shape_of(values: Any) -> tuple[int, ...] | None:
    """The shape of lists in lists; None where they are uneven."""
    if not isinstance(values, list | tuple):
        return ()
    inner = {_shape_of(item) for item in values}
    if len(inner) > 1 or None in inner:
        return None
    return (len(values), *(inner.pop() or ())) if inner else (0,)


def _number(value: Any, dtype: str) -> Any:
    """A value as the dtype has it."""
    wants: Any = float if dtype in FLOATING else bool if dtype == "bool" else int
    try:
        return checker(wants)(value)
    except ValueError:
        raise bad_option("init", f"a value is {describe(wants)}, not {value!r}") from None
