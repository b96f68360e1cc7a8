"""Register classes and functions of the user and of plugins as layers and merges."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, cast, overload

from mimgraph.ir.lowering import Maker
from mimgraph.ir.names import NODE_WORDS, name_fault
from mimgraph.ir.types import DTYPES
from mimgraph.ops import registry
from mimgraph.ops.custom import module_signature as makers
from mimgraph.ops.custom.module_signature import (
    MacsRule,
    Registered,
    RegisteredLayer,
    RegisteredMerge,
    ShapeRule,
    is_maker,
)
from mimgraph.ops.op import Op
from mimgraph.support import plugins
from mimgraph.support.arguments import as_text, wrong
from mimgraph.support.entry_point import entry_point
from mimgraph.support.plugins import BrokenPlugin, Group, Plugin

if TYPE_CHECKING:
    from torch import nn


Made = TypeVar("Made", bound="Callable[..., nn.Module]")
RegisteredKind: TypeAlias = Literal["layer", "merge"]

_TAKEN = {*NODE_WORDS} - {"activation", "repeat"}  # a layer may have options of these names


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
        add(maker, name, shape, dtype, macs, kind)
        return maker

    if cls is None:
        return decorate
    # frame 1 is that of `entry_point`
    if is_decorator_call(sys._getframe(2)):
        return decorate(cls)
    return add(cls, name, shape, dtype, macs, kind)


def add(
    maker: Maker,
    name: str | None,
    shape: ShapeRule | None = None,
    dtype: str | None = None,
    macs: MacsRule | None = None,
    kind: RegisteredKind = "layer",
) -> Registered:
    """Check a class or function and its arguments, and add it to the registry."""
    op = made(maker, name, shape, dtype, macs, kind)
    _check_free(maker, op.kind, op.name)
    registry.add(op)
    return op


def made(
    maker: Maker,
    name: str | None,
    shape: ShapeRule | None = None,
    dtype: str | None = None,
    macs: MacsRule | None = None,
    kind: RegisteredKind = "layer",
) -> Registered:
    """Check a class or function and its arguments, and return it as an op."""
    from mimgraph.ops.custom import probe

    makers.check(maker)
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
    op = of_kind(maker, name or makers.spelled(maker), shape, dtype, probe, macs)
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
            add(maker, name, kind=kind)


def registered(name: str, maker: Maker, kind: RegisteredKind = "layer") -> Op:
    """Return the op of this name in a pickle, of the class or function unless it is registered."""
    register_missing({name if kind == "layer" else f"{kind} {name}": maker})
    return registry.known(kind, name)


def _check_free(maker: Maker, kind: str, name: str) -> None:
    """Refuse a name that is taken, except by the same class or function, which may have been defined
    again, and by a plugin, which the user's own replaces."""
    there = registry.find(kind, name)
    if there is not None and not isinstance(there, Registered):
        raise ValueError(f"{name} is a {kind} of mimgraph: register yours by another name=")
    if not isinstance(there, Registered) or there.plugin:
        return
    path = makers.path_of(there.maker)
    if path != makers.path_of(maker):
        raise ValueError(f"{name} is registered already as {'.'.join(path)}")


def _check_signatures(op: Registered) -> None:
    """Refuse a class or function whose options or sources no spec could give."""
    for name in op.options:
        if name in _TAKEN:
            raise ValueError(f"{op.name} has an option {name!r}, which is a word of every node")
    if isinstance(op.maker, type) and not makers.has_forward(op.maker):
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
