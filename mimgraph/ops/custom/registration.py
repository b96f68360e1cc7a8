"""Register classes and functions of the user and of plugins as layers and merges."""

from __future__ import annotations

import dis
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, TypeVar, cast, overload

from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.ir.code import Call, Operand
from mimgraph.ir.declared_graph import Block
from mimgraph.ir.expression import plain
from mimgraph.ir.grammar import NODE_WORDS
from mimgraph.ir.lowering import MODULE, RESULT, Lowering, Maker, Module, Port, Product
from mimgraph.ir.names import name_fault
from mimgraph.ir.types import BATCH, DTYPES, TensorType
from mimgraph.ops import registry
from mimgraph.ops.custom.module_signature import (
    Facts,
    MacsRule,
    Parts,
    ShapeRule,
    Unwritten,
    accepted,
    argument_code,
    check,
    class_of,
    doc_of,
    first_line,
    given_values,
    has_forward,
    is_maker,
    is_rest,
    is_shape,
    option_of,
    parameters_of,
    parts_of,
    path_of,
    sources_of,
    spelled,
)
from mimgraph.ops.layer_call import LayerOp, MergeOp, PythonOp
from mimgraph.ops.op import REQUIRED, InputSpec, Op, OpFault, OptionSpec
from mimgraph.support import plugins
from mimgraph.support.arguments import as_text, wrong
from mimgraph.support.entry_point import entry_point
from mimgraph.support.plugins import BrokenPlugin, Group, Plugin

if TYPE_CHECKING:
    from torch import nn


Made = TypeVar("Made", bound="Callable[..., nn.Module]")
RegisteredKind: TypeAlias = Literal["layer", "merge"]

_TAKEN = {*NODE_WORDS} - {"activation", "repeat"}  # a layer may have options of these names


Kept = TypeVar("Kept")


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
        macs: MacsRule | None = None,
    ) -> None:
        super().__init__(self.registered_kind, maker, family="registered")
        self.name = self.__name__ = name
        self.maker = maker
        self.rule = rule
        self.dtype = dtype
        self.macs = macs
        self.facts: dict[Any, Facts | OpFault] = {}  # found, or why they cannot be
        self.known_sources: dict[str, Registered | OpFault] = {}  # by options

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Return what a pickle holds: the class or function, which is registered where it is not."""
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
        return {p.name: option_of(p) for p in parameters_of(self.maker)}

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
        given = given_values(options)
        return _kept(self.known_sources, repr(given), lambda: self._with_sources(given))

    def _with_sources(self, options: Mapping[str, Any]) -> Registered:
        from mimgraph.ops.custom import probe  # which imports torch

        known = object.__new__(type(self))  # a copy, by `__reduce__`, is the op itself
        vars(known).update(vars(self), arguments=probe.sources(self, options))
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
        bare = given_values(options)
        facts, products = self._facts_of(sources, bare), self._macs(sources, bare)
        arguments = {
            name: argument_code(name, value)
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
        from mimgraph.ops.custom import probe  # which imports torch

        if self.rule is not None:
            facts = probe.owned(self, options)
            return facts._replace(parts=self._results_by_rule(self.rule, sources, options))
        positional, keywords = self._split(sources)
        by_position = [sources[key] for key in positional]
        by_name = {key: sources[key] for key in keywords}
        return probe.probe(self, options, by_position, by_name)

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
        if not is_shape([answer]):
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
            return rule(*shapes, **accepted(rule, options))
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
            if not is_shape(shape):
                message = f"the shape rule of {self.name} returns {shape!r}, which is not a shape"
                raise self._wrong_rule(message, "a shape is a tuple of sizes, without the batch")
            return TensorType(tuple(map(plain, shape)), dtype, batched=batched)

        found = {"": (RESULT, answer)} if is_shape(answer) else self.parts(answer)
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


@overload
def register(
    cls: Made,
    /,
    *,
    name: str | None = None,
    shape: ShapeRule | None = None,
    dtype: str | None = None,
    macs: MacsRule | None = None,
    kind: RegisteredKind = "layer",
) -> Made: ...


@overload
def register(
    *,
    name: str | None = None,
    shape: ShapeRule | None = None,
    dtype: str | None = None,
    macs: MacsRule | None = None,
    kind: RegisteredKind = "layer",
) -> Callable[[Made], Made]: ...


@entry_point
def register(
    cls: Maker | None = None,
    /,
    *,
    name: str | None = None,
    shape: ShapeRule | None = None,
    dtype: str | None = None,
    macs: MacsRule | None = None,
    kind: RegisteredKind = "layer",
) -> object:
    """Register a class of modules, or a function that makes one, as a layer; with `kind="merge"` as a merge.

        Gate = mg.register(Gate)
        Gate(64)(x), layers.Gate(64)(x)

    In a spec it is `{layer: Gate, from: x, hidden: 64}`.
    The layer has the name of the class or function, or `name`. As a decorator (`@mg.register`,
    `@mg.register(name="Fancy")`) it leaves the class as it is, and the layer is `layers.Gate`. A merge is called on its sources, `merges.blend(a, b, hidden=64)`, and
    written `{merge: blend, from: [a, b], hidden: 64}`.

    Its options are the parameters of the constructor (for its `**keywords`, those of the base
    classes), its sources those of `forward`: one with a default may be left out, keyword-only ones
    are given by name, `*tensors` are any number. It returns a tensor, or several as a tuple, a named
    tuple or a dict, whose positions, fields or keys are the ports.

    Of a function, `make_encoder` or the class method `Net.from_config`, which needs a `name`, the
    options are its own parameters. Its annotation `-> Net` says which `forward` takes the sources;
    without one it is that of the module which the options of a node make.

    The shapes of the results come from torch: the module is made and run on the meta device, which
    holds no data, with several numbers for each size that is a name. One that reads data is run on
    the CPU with small tensors, in a process whose time and memory are limited. `shape` gives them instead: a
    function of the shapes of the sources (tuples, without the batch) and of options by name, which
    returns a shape for each tensor: `lambda x, hidden: (*x[:-1], hidden)`. The dtype is then that of
    the first source (float32 for integers), or `dtype`. `macs`, also such a function, gives the
    multiply-accumulates of one sample, which are unknown without it.
    """

    @entry_point
    def decorate(maker: Made) -> Made:
        _add(made(maker, name, shape, dtype, macs, kind))
        return maker

    if cls is None:
        return decorate
    # frame 1 is that of `entry_point`
    if is_decorator_call(sys._getframe(2)):
        return decorate(cls)
    return _add(made(cls, name, shape, dtype, macs, kind))


def made(
    maker: Maker,
    name: str | None,
    shape: ShapeRule | None = None,
    dtype: str | None = None,
    macs: MacsRule | None = None,
    kind: RegisteredKind = "layer",
) -> Registered:
    """Check a class or function and its arguments, and return it as an op."""
    check(maker)
    if dtype is not None:
        dtype = str(dtype).removeprefix("torch.")
        if dtype not in DTYPES:
            raise ValueError(f"no dtype is called {dtype!r}")
    if name is not None:
        as_text("name", name)
    if kind not in ("layer", "merge"):
        raise wrong("kind", '"layer" or "merge"', kind)
    for what, rule in (("shape", shape), ("macs", macs)):
        if rule is not None and not callable(rule):
            raise wrong(what, "a function of the shapes of the sources", rule)
    of_kind = RegisteredMerge if kind == "merge" else RegisteredLayer
    op = of_kind(maker, name or spelled(maker), shape, dtype, macs)
    reason = name_fault(op.name)
    if reason is not None:
        help = f": give it one, name={maker.__name__!r}" if "." in op.name and name is None else ""
        raise ValueError(f"{op.name!r} cannot name a {kind}: {reason}{help}")
    _check_signatures(op)
    return op


def register_missing(makers: Mapping[str, Maker]) -> None:
    """Register the classes and functions of a pickle that are not registered; their shapes come from torch.

    The key of a layer is its name, and that of a merge has `merge ` before it.
    """
    for key, maker in makers.items():
        *merge, name = key.split()
        kind: RegisteredKind = "merge" if merge else "layer"
        if registry.find(kind, name) is None:
            _add(made(maker, name, kind=kind))


def registered(name: str, maker: Maker, kind: RegisteredKind = "layer") -> Op:
    """Return the op of this name in a pickle, of the class or function unless it is registered."""
    register_missing({name if kind == "layer" else f"{kind} {name}": maker})
    return registry.known(kind, name)


def _add(op: Registered) -> Registered:
    """Add an op to the registry; refuse a name that is taken, except by the same class or function, which
    may have been defined again, and by a plugin, which the user's own replaces."""
    there = registry.find(op.kind, op.name)
    if there is not None and not isinstance(there, Registered):
        raise ValueError(f"{op.name} is a {op.kind} of mimgraph: register yours by another name=")
    if there is not None and not there.plugin and path_of(there.maker) != path_of(op.maker):
        path = ".".join(path_of(there.maker))
        raise ValueError(f"{op.name} is registered already as {path}")
    return registry.add(op)


def _check_signatures(op: Registered) -> None:
    """Refuse a class or function whose options or sources no spec could give."""
    for name in op.options:
        if name in _TAKEN:
            raise ValueError(f"{op.name} has an option {name!r}, which is a word of every node")
    if isinstance(op.maker, type) and not has_forward(op.maker):
        raise TypeError(f"{op.name} has no forward that takes a tensor")
    if fault := op.sources_fault:
        raise TypeError(fault)
    if op.kind == "merge" and "name" in op.options:
        raise ValueError(f"{op.name} has an option 'name', which is the name of the node in Python")


def is_decorator_call(caller: FrameType) -> bool:
    """Return whether the running call in this frame applies a decorator.

    Python compiles that to a call without arguments, as the class is on the stack already.
    """
    code, at = caller.f_code.co_code, caller.f_lasti
    while code[at] == dis.opmap["CACHE"]:
        at -= 2
    return code[at] == dis.opmap["CALL"] and code[at + 1] == 0


# Make ops of the layers and merges that plugins bring, when a name is in no catalogue.
#
# An entry point of `mimgraph.layers` or `mimgraph.merges` is a class of modules, a function that
# makes one, or what `mg.register` returned for it, with a shape rule of its own.


GROUPS: dict[str, Group] = {"layer": "layers", "merge": "merges"}


def find(kind: str, name: str) -> Op | None:
    """Return the op of that kind and name: one of the registry, or else one that a plugin brings.

    A `BrokenPlugin` says why the plugin with that name cannot be used.
    """
    op = registry.find(kind, name)
    if op is not None and op.plugin and not plugins.are_on():
        return None
    if op is not None or kind not in GROUPS:
        return op
    plugin = plugins.plugin(GROUPS[kind], name)
    return None if plugin is None else _load(plugin)


def names(kind: str) -> list[str]:
    """Return the names that plugins bring for a kind of op."""
    return [one.name for one in plugins.plugins(GROUPS[kind])] if kind in GROUPS else []


def load_all() -> list[BrokenPlugin]:
    """Import the layers and merges of all plugins, and return why some cannot be used."""
    broken: dict[str, BrokenPlugin] = {}
    for kind in GROUPS:
        for name in names(kind):
            try:
                find(kind, name)
            except BrokenPlugin as error:
                broken[str(error)] = error
    return list(broken.values())


def _load(plugin: Plugin) -> Op:
    """Import the class or function of a plugin, and register it."""
    kind: RegisteredKind = "layer" if plugin.group == "layers" else "merge"
    given = _imported(plugin)
    there = registry.find(kind, plugin.name)
    op: object = there if isinstance(there, Registered) and there.maker == given else given
    if is_maker(op):
        try:
            op = made(cast("Maker", op), plugin.name, kind=kind)
        except (TypeError, ValueError) as error:
            raise plugins.cannot(plugin, "cannot be registered", error) from error
    if not isinstance(op, Registered):
        shown = f"is {type(op).__name__}, not a class of modules, a function, or what mg.register returned"
        raise plugins.cannot(plugin, shown)
    _check(plugin, op, kind)
    op.plugin = plugin.origin
    return registry.add(op)


def _imported(plugin: Plugin) -> object:
    """Return the object of a plugin; what its modules register when they are imported is the plugin's."""
    before = set(registry.loaded())
    try:
        return plugins.load(plugin)
    finally:
        for op in registry.loaded():
            if op not in before and isinstance(op, Registered):
                op.plugin = plugin.origin


def _check(plugin: Plugin, op: Registered, kind: RegisteredKind) -> None:
    """Refuse an op that was registered as something else than the plugin declares."""
    if op.name != plugin.name:
        raise plugins.cannot(plugin, f"is registered under another name, {op.name}")
    if isinstance(op, RegisteredMerge) != (kind == "merge"):
        raise plugins.cannot(
            plugin, f"is registered as a {op.kind}: give mg.register kind={kind!r}"
        )
