"""Read what makes a user's modules as an op: its options, sources and results."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import FunctionType, MethodType
from typing import Any, NamedTuple, Protocol, Self

from mimgraph.ir.code import Attribute, Code, Dict, List, named_constant
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import plain
from mimgraph.ir.lowering import RESULT, Maker
from mimgraph.ir.option_types import Plain, checker, understood
from mimgraph.ops.op import REQUIRED, OpFault, OptionSpec


def is_module(cls: object) -> bool:
    """Return whether it is a class of modules, without importing torch."""
    bases = cls.__mro__ if isinstance(cls, type) else ()
    return any((b.__module__, b.__name__) == ("torch.nn.modules.module", "Module") for b in bases)


def is_maker(thing: object) -> bool:
    """Return whether `register` takes it: a class of modules, a function or a class method."""
    return is_module(thing) or isinstance(thing, FunctionType) or _is_class_method(thing)


def _is_class_method(thing: object) -> bool:
    return isinstance(thing, MethodType) and isinstance(thing.__self__, type)


def check(thing: object) -> None:
    """Raise a `TypeError` for what cannot be registered, which says what to write."""
    if isinstance(thing, partial):
        raise TypeError(
            f"{thing!r} has no name that an emitted file could import: register the function, and"
            " give the arguments in the spec"
        )
    if isinstance(thing, FunctionType) and thing.__name__ == "<lambda>":
        raise TypeError("a lambda has no name that an emitted file could import: write it with def")
    if not is_maker(thing):
        message = f"{thing!r} is not a class of modules, nor a function that returns one"
        raise TypeError(message)


def path_of(maker: Maker) -> tuple[str, str]:
    """Return the Python module and the qualified name; a class method is that of the class it is called on."""
    if isinstance(maker, MethodType):
        cls: Any = maker.__self__
        return cls.__module__, f"{cls.__qualname__}.{maker.__name__}"
    return maker.__module__, maker.__qualname__


def spelled(maker: Maker) -> str:
    """Return the name as Python code writes it: `Gate`, `make_gate` or `Gate.from_config`."""
    if isinstance(maker, MethodType):
        cls: Any = maker.__self__
        return f"{cls.__name__}.{maker.__name__}"
    return maker.__name__


def doc_of(maker: Maker) -> str:
    """Return the docstring, or the Python module that it is from."""
    is_class = isinstance(maker, type)
    own = vars(maker).get("__doc__") if is_class else maker.__doc__
    kind = "class" if is_class else "function"
    return inspect.cleandoc(own or f"A {kind} of `{path_of(maker)[0]}`.")


def class_of(maker: Maker) -> type | None:
    """Return the class of the modules, which a function says by its annotation; None if it does not."""
    if isinstance(maker, type):
        return maker
    found = _hints(maker).get("return")
    if found is Self and isinstance(maker, MethodType):
        found = maker.__self__
    if not is_module(found) or not has_forward(found):
        return None
    assert isinstance(found, type)
    return found


def has_forward(module: Any) -> bool:
    """Return whether a module or its class says how it is called, which `nn.Module` itself does not."""
    name = getattr(module.forward, "__name__", "")
    return name != "_forward_unimplemented"


def sources_of(forward: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the parameters of a module's `forward` that sources fill."""
    found = inspect.signature(forward).parameters.values()
    return [parameter for parameter in found if parameter.kind is not parameter.VAR_KEYWORD]


def parameters_of(maker: Maker) -> Iterator[inspect.Parameter]:
    """Yield the parameters that options give, annotations resolved; of a class whose constructor takes
    `**keywords`, also the parameters of its base classes."""
    if isinstance(maker, type):
        yield from _constructor(maker)
        return
    hints = _hints(maker)
    for parameter in inspect.signature(maker).parameters.values():
        _check_parameter(parameter, spelled(maker), is_passed_on=False)
        if not is_rest(parameter):
            annotation = hints.get(parameter.name, parameter.annotation)
            yield parameter.replace(annotation=annotation)


def _constructor(cls: type) -> Iterator[inspect.Parameter]:
    seen: set[str] = set()
    for base in cls.__mro__:
        function = vars(base).get("__init__")
        if function is None:
            continue
        if base.__module__ == "torch.nn.modules.module":
            return
        hints = _hints(function)
        parameters = list(inspect.signature(function).parameters.values())[1:]
        takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
        for parameter in parameters:
            _check_parameter(parameter, base.__name__, is_passed_on=takes_any)
            if parameter.name not in seen and not is_rest(parameter):
                seen.add(parameter.name)
                annotation = hints.get(parameter.name, parameter.annotation)
                yield parameter.replace(annotation=annotation)
        if not takes_any:
            return


def _check_parameter(parameter: inspect.Parameter, owner: str, is_passed_on: bool) -> None:
    """Raise a `TypeError` for a parameter that no option can give."""
    if parameter.kind is parameter.VAR_POSITIONAL and not is_passed_on:
        message = f"{owner} takes *{parameter.name}, which no option can give"
        raise TypeError(f"{message}: make it a list")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise TypeError(f"{owner} takes {parameter.name} by position only")


def _hints(function: Any) -> Mapping[str, Any]:
    """Return the annotations as types; none if a name in one of them cannot be found."""
    try:
        return typing.get_type_hints(function)
    except Exception:  # noqa: BLE001 - to resolve one may raise anything
        return {}


def is_rest(parameter: inspect.Parameter) -> bool:
    """Return whether it is `*args` or `**kwargs`."""
    return parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


ShapeRule = Callable[..., object]
MacsRule = Callable[..., object]
Parts = dict[str, tuple[Code, Any]]  # by port, the code that reads the result and its value


class Facts(NamedTuple):
    """The results and weights of a module made with certain options and called on certain sources.

    `layers` are its inner layers that can have adapters, by path, each with the name of its class in torch.
    """

    parts: Parts
    weights: Mapping[str, tuple[int, ...]]
    buffers: Mapping[str, tuple[int, ...]]
    layers: Mapping[str, str] | None = None


class Probed(Protocol):
    """An op whose module is run to find its results."""

    @property
    def name(self) -> str:
        """Return the name in a spec."""
        ...

    @property
    def shape_help(self) -> str:
        """Return what to do if torch cannot find the shapes."""
        ...

    def parts(self, result: Any) -> Parts:
        """Return the results of the module by port."""
        ...


class Unwritten(str):
    """The `repr` of a default that no spec can write."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def parts_of(name: str, result: Any) -> Parts:
    """Return the results of a call by port: the positions of a tuple, the fields of a named tuple, the
    keys of a dict, "" for a single result. None is not a port."""
    found: Mapping[Any, tuple[Code, Any]]
    if isinstance(result, Mapping):
        found = {key: (RESULT.at(key), value) for key, value in result.items()}
    elif isinstance(result, tuple) and hasattr(result, "_fields"):
        fields = result._fields
        found = {n: (Attribute(RESULT, n), v) for n, v in zip(fields, result, strict=True)}
    elif isinstance(result, tuple | list):
        found = {str(index): (RESULT.at(index), value) for index, value in enumerate(result)}
    else:
        return {"": (RESULT, result)}
    for key in found:
        if not isinstance(key, str) or not re.fullmatch(r"\w+", key, re.ASCII):
            message = f"{name} returns a dict with the key {key!r}, which cannot name a port"
            raise OpFault("wrong-type", message, at_node=True)
    return {key: part for key, part in found.items() if part[1] is not None}


def first_line(error: Exception) -> str:
    """Return the first line of the message of an exception, or its type."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def given_values(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options as Python's own values, without the defaults that no spec can write."""
    return {n: plain(v) for n, v in options.items() if not isinstance(v, Unwritten)}


def option_of(parameter: inspect.Parameter) -> OptionSpec:
    """Return a parameter as an option."""
    default = parameter.default
    annotation = understood(parameter.annotation)
    if annotation is Plain and isinstance(default, tuple):
        annotation = tuple[Plain, ...]
    elif default is None:
        annotation |= None
    if default is not REQUIRED and not _is_plain(default):
        default = Unwritten(repr(default))
    lone = parameter.kind is not parameter.KEYWORD_ONLY
    return OptionSpec(parameter.name, default, annotation, checker(annotation), lone, False)


def _is_plain(value: object) -> bool:
    """Return whether a spec can write the value."""
    try:
        checker(Plain)(value)
    except ValueError:
        return False
    return True


def argument_code(name: str, value: Any) -> Code:
    """Return the code of an argument; lists and dicts stay as they are."""
    if isinstance(value, dict):
        return Dict(tuple((key, argument_code(name, item)) for key, item in value.items()))
    if isinstance(value, list):
        return List(tuple(argument_code(name, item) for item in value))
    return named_constant(name, value)


def accepted(rule: ShapeRule, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options that a rule takes."""
    parameters = inspect.signature(rule).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return options
    return {name: value for name, value in options.items() if name in parameters}


def is_shape(value: object) -> bool:
    """Return whether the value is a shape."""
    return isinstance(value, tuple | list) and all(
        isinstance(size, int | Dim) and not isinstance(size, bool) for size in value
    )
