"""Find the signature of a registered class or function, and infer its node by running it."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from types import FunctionType, MethodType
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, Self, TypeVar

from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.ir.code import Attribute, Call, Code, Dict, List, Operand, named_constant
from mimgraph.ir.declared_graph import Block
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import plain
from mimgraph.ir.lowering import MODULE, RESULT, Lowering, Maker, Module, Port, Product
from mimgraph.ir.option_types import Plain, checker, understood
from mimgraph.ir.types import BATCH, TensorType
from mimgraph.ops.layer_call import LayerOp, MergeOp, PythonOp
from mimgraph.ops.op import REQUIRED, InputSpec, Op, OpFault, OptionSpec


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


# Read what makes a user's modules as a layer: options from its parameters, sources from
# `forward`.


ShapeRule = Callable[..., object]
MacsRule = Callable[..., object]
Kept = TypeVar("Kept")
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


class Prober(Protocol):
    """Finds with torch the results and weights of a module; its implementation imports torch, this file does not."""

    def probe(
        self,
        op: Registered,
        arguments: Mapping[str, Any],
        positional: Sequence[TensorType],
        keywords: Mapping[str, TensorType],
    ) -> Facts:
        """Return the results of a call, and the tensors of the module."""
        ...

    def owned(self, op: Registered, arguments: Mapping[str, Any]) -> Facts:
        """Return the tensors of the module without calling it."""
        ...

    def sources(self, op: Registered, arguments: Mapping[str, Any]) -> Sequence[inspect.Parameter]:
        """Return the parameters of the `forward` of the module."""
        ...


class Unwritten(str):
    """The `repr` of a default that no spec can write."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Registered(PythonOp):
    """A class of modules, or a function that makes one, as an op.

    `rule` gives the shapes of its results instead of torch, `macs` its multiply-accumulates for one
    sample, unknown without it. `plugin` is the package that brings it.
    """

    registered_kind: ClassVar[Literal["layer", "merge"]]

    def __init__(
        self,
        maker: Maker,
        name: str,
        rule: ShapeRule | None,
        dtype: str | None,
        prober: Prober,
        macs: MacsRule | None = None,
    ) -> None:
        super().__init__(self.registered_kind, maker, family="registered")
        self.name = self.__name__ = name
        self.maker = maker
        self.rule = rule
        self.dtype = dtype
        self.prober = prober
        self.macs = macs
        self.facts: dict[Any, Facts | OpFault] = {}  # found, or why they cannot be
        self.known_sources: dict[str, Registered | OpFault] = {}  # by options

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Return what a pickle holds: the class or function, which is registered where it is not."""
        from mimgraph.ops.custom.registration import registered

        kind = () if self.registered_kind == "layer" else (self.registered_kind,)
        return registered, (self.name, self.maker, *kind)

    @property
    def doc(self) -> str:
        """Return the docstring of the class or function, or the module that it is from."""
        return doc_of(self.maker)

    @property
    def example(self) -> tuple[tuple[str, ...], str]:
        """Return no example, as the docstring of a user may have any form."""
        return (), ""

    @property
    def shape_help(self) -> str:
        """Return how the user gives the shapes."""
        return f"give its shapes: mg.register({spelled(self.maker)}, shape=...)"

    @cached_property
    def options(self) -> Mapping[str, OptionSpec]:
        """Return the parameters of the constructor or function as options, in order."""
        return {p.name: _option(p) for p in parameters_of(self.maker)}

    @cached_property
    def arguments(self) -> Sequence[inspect.Parameter] | None:
        """Return the parameters of `forward`; None if the options decide which class is made."""
        cls: Any = class_of(self.maker)
        return None if cls is None else sources_of(cls.forward)[1:]

    @property
    def options_decide(self) -> bool:  # type: ignore[override]
        """Return whether the options decide which class is made, and so which sources it takes."""
        return self.arguments is None

    def with_options(self, options: Mapping[str, Any]) -> Op:
        """Return the op with the sources of the module that it makes with these options."""
        if self.arguments is not None:
            return self
        given = _given(options)
        return _kept(self.known_sources, repr(given), lambda: self._with_sources(given))

    def _with_sources(self, options: Mapping[str, Any]) -> Registered:
        known = object.__new__(type(self))  # a copy, by `__reduce__`, is the op itself
        vars(known).update(vars(self), arguments=self.prober.sources(self, options))
        vars(known).pop("inputs", None)
        if fault := known.sources_fault:
            raise OpFault("bad-option", fault, at_node=True)
        return known

    @property
    def sources_fault(self) -> str:
        """Return why no spec could give the sources of `forward`; "" if one could, or if they are unknown."""
        if self.arguments is None:
            return ""
        if not self.arguments:
            return f"{self.name} has no forward that takes a tensor"
        if self.kind == "merge" and self.inputs.kind == "one":
            return f"{self.name} takes one tensor: register it as a layer"
        return ""

    @cached_property
    def inputs(self) -> InputSpec:
        """Return the sources that `forward` takes; any number if the options decide."""
        if self.arguments is None or any(
            parameter.kind is parameter.VAR_POSITIONAL for parameter in self.arguments
        ):
            return InputSpec((), frozenset(), "many")
        names = tuple(parameter.name for parameter in self.arguments)
        if len(names) == 1:
            return InputSpec(names, frozenset(), "one")
        optional = (p.name for p in self.arguments if p.default is not REQUIRED)
        return InputSpec(names, frozenset(optional), "tuple")

    def infer(
        self, sources: Mapping[str, TensorType], options: Mapping[str, object]
    ) -> Lowering | Block:
        """Apply the rule; a fault of a plugin's names the package, which may be the one at fault."""
        try:
            return super().infer(sources, options)
        except OpFault as fault:
            if self.plugin and not fault.help:
                fault.help = f"{self.name} is a {self.kind} of the plugin {self.plugin}"
            raise

    def lower(self, sources: Mapping[str, TensorType], options: Mapping[str, Any]) -> Lowering:
        """Return the module, its call, and its results, as ports if there are several."""
        call = self._call(sources)
        given = {n: v for n, v in options.items() if not isinstance(v, Unwritten)}
        bare = _given(options)
        facts, products = self._facts_of(sources, bare), self._macs(sources, bare)
        arguments = {
            name: _argument(name, value)
            for name, value in given.items()
            if not isinstance(value, list | dict) or plain(value) != self.options[name].default
        }
        name = self.maker.__name__
        module = Module(
            name, arguments, facts.weights, facts.buffers, self.maker, layers=facts.layers
        )
        if facts.parts.keys() == {""}:
            return Lowering(facts.parts[""][1], module, call, products=products)
        ports = {port: Port(type_, read) for port, (read, type_) in facts.parts.items()}
        return Lowering(None, module, call, ports, products=products)

    def _facts_of(self, sources: Mapping[str, TensorType], options: Mapping[str, Any]) -> Facts:
        """Return the results and weights found by the user's rule or by torch, cached by options and sources."""
        key = (repr(options), tuple(sources.items()))
        return _kept(self.facts, key, lambda: self._found_facts(sources, options))

    def _found_facts(self, sources: Mapping[str, TensorType], options: Mapping[str, Any]) -> Facts:
        if self.rule is not None:
            facts = self.prober.owned(self, options)
            return facts._replace(parts=self._results_by_rule(self.rule, sources, options))
        positional, keywords = self._split(sources)
        by_position = [sources[key] for key in positional]
        by_name = {key: sources[key] for key in keywords}
        return self.prober.probe(self, options, by_position, by_name)

    def _split(self, sources: Mapping[str, TensorType]) -> tuple[list[str], list[str]]:
        """Return the sources to pass by position, and those to pass by keyword."""
        arguments = self.arguments or ()
        if self.inputs.kind == "many":
            required = [p for p in arguments if p.default is REQUIRED and not is_rest(p)]
            least = max(1, len(required))
            if len(sources) < least:
                wanted = f"{least} source{'s' * (least > 1)}"
                message = f"{self.name} takes at least {wanted}, not {len(sources)}"
                raise OpFault("wrong-arity", message)
            return list(sources), []
        positional: list[str] = []
        for parameter in arguments:
            if parameter.name not in sources or parameter.kind is parameter.KEYWORD_ONLY:
                break
            positional.append(parameter.name)
        return positional, [name for name in sources if name not in positional]

    def _call(self, sources: Mapping[str, TensorType]) -> Call | None:
        """Return the call, or None if it just takes the sources in order."""
        positional, keywords = self._split(sources)
        if not keywords:
            return None
        named = tuple((key, Operand(key)) for key in keywords)
        return Call(MODULE, tuple(map(Operand, positional)), named)

    def _macs(
        self, sources: Mapping[str, TensorType], options: Mapping[str, Any]
    ) -> tuple[Product, ...] | None:
        """Return the multiply-accumulates that the user's function computes, once a sample."""
        if self.macs is None:
            return None
        answer = plain(self._call_rule(self.macs, sources, options))
        if not _is_shape([answer]):
            message = f"macs of {self.name} returns {answer!r}, which is not a size"
            raise self._wrong_rule(message, "return a number or a size such as 64*T")
        samples = (BATCH,) if any(type_.batched for type_ in sources.values()) else ()
        return ((*samples, answer),)

    def _wrong_rule(self, message: str, help: str) -> OpFault:
        """Return the fault of a rule that returns something else than it should."""
        if not self.plugin:
            return OpFault("wrong-type", message, help=help, at_node=True)
        help = f"{help}; {self.name} is a {self.kind} of the plugin {self.plugin}"
        return OpFault("broken-plugin", message, help=help, at_node=True)

    def _call_rule(
        self,
        rule: ShapeRule | MacsRule,
        sources: Mapping[str, TensorType],
        options: Mapping[str, Any],
    ) -> Any:
        """Call a function of the user with the shapes of the sources and the options that it takes."""
        keys = list(sources) if self.inputs.kind == "many" else list(self.inputs.names)
        while keys and keys[-1] not in sources:
            keys.pop()
        shapes = [sources[key].dims if key in sources else None for key in keys]
        try:
            return rule(*shapes, **_accepted(rule, options))
        except Exception as error:
            raise self.fault("shape-mismatch", "refuses this shape", error, sources) from error

    def _results_by_rule(
        self, rule: ShapeRule, sources: Mapping[str, TensorType], options: Mapping[str, Any]
    ) -> Parts:
        """Return the results, with the shapes that the user's rule returns."""
        answer = self._call_rule(rule, sources, options)
        batched = any(type_.batched for type_ in sources.values())
        first = next(iter(sources.values()))
        dtype = self.dtype or (first.dtype if first.is_floating else "float32")

        def typed(shape: Any) -> TensorType:
            if not _is_shape(shape):
                message = f"the shape rule of {self.name} returns {shape!r}, which is not a shape"
                raise self._wrong_rule(message, "a shape is a tuple of sizes, without the batch")
            return TensorType(tuple(map(plain, shape)), dtype, batched=batched)

        found = {"": (RESULT, answer)} if _is_shape(answer) else self.parts(answer)
        return {port: (read, typed(shape)) for port, (read, shape) in found.items()}

    def parts(self, result: Any) -> Parts:
        """Return the results of `forward` by port."""
        return parts_of(self.name, result)

    def fault(
        self,
        code: DiagnosticCode,
        message: str,
        error: Exception,
        sources: Mapping[str, TensorType],
    ) -> OpFault:
        """Return the fault of an error in the user's code: at the only source, or at the node."""
        return OpFault(
            code,
            f"{self.name} {message}",
            note=first_line(error),
            mentions=tuple(sources),
            at_node=len(sources) != 1,
        )


class RegisteredLayer(LayerOp, Registered):
    """A class of modules, or a function that makes one, as a layer."""

    registered_kind = "layer"


class RegisteredMerge(MergeOp, Registered):
    """The same as a merge: Python calls it on its sources and options at once."""

    registered_kind = "merge"


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


def _kept(store: dict[Any, Kept | OpFault], key: object, find: Callable[[], Kept]) -> Kept:
    """Return what was found for a key, or raise the fault that it had: a time-out is not waited for again."""
    if key not in store:
        try:
            store[key] = find()
        except OpFault as fault:
            store[key] = replace(fault)  # without the frames, which have the module
            raise
    found = store[key]
    if isinstance(found, OpFault):
        raise replace(found)
    return found


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options as Python's own values, without the defaults that no spec can write."""
    return {n: plain(v) for n, v in options.items() if not isinstance(v, Unwritten)}


def _option(parameter: inspect.Parameter) -> OptionSpec:
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


def _argument(name: str, value: Any) -> Code:
    """Return the code of an argument; lists and dicts stay as they are."""
    if isinstance(value, dict):
        return Dict(tuple((key, _argument(name, item)) for key, item in value.items()))
    if isinstance(value, list):
        return List(tuple(_argument(name, item) for item in value))
    return named_constant(name, value)


def _accepted(rule: ShapeRule, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options that a rule takes."""
    parameters = inspect.signature(rule).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return options
    return {name: value for name, value in options.items() if name in parameters}


def _is_shape(value: object) -> bool:
    """Return whether the value is a shape."""
    return isinstance(value, tuple | list) and all(
        isinstance(size, int | Dim) and not isinstance(size, bool) for size in value
    )
