"""Register a user's class of modules as a layer, for specs and for Python."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TypeVar, overload

from mimgraph.ir.names import NODE_WORDS, name_fault
from mimgraph.ir.types import DTYPES
from mimgraph.ops import registry
from mimgraph.ops.custom.decorator_use import is_decorator_call
from mimgraph.ops.custom.module_signature import MacsRule, Registered, ShapeRule
from mimgraph.ops.op import Op
from mimgraph.support.arguments import as_text, wrong
from mimgraph.support.entry_point import entry_point

Class = TypeVar("Class", bound=type)

_TAKEN = {*NODE_WORDS} - {"activation", "repeat"}  # a layer may have options of these names


@overload
def register(
    cls: Class,
    /,
    *,
    name: str | None = None,
    shape: ShapeRule | None = None,
    dtype: str | None = None,
    macs: MacsRule | None = None,
) -> Class: ...


@overload
def register(
    *,
    name: str | None = None,
    shape: ShapeRule | None = None,
    dtype: str | None = None,
    macs: MacsRule | None = None,
) -> Callable[[Class], Class]: ...


@entry_point
def register(
    cls: type | None = None,
    /,
    *,
    name: str | None = None,
    shape: ShapeRule | None = None,
    dtype: str | None = None,
    macs: MacsRule | None = None,
) -> object:
    """Register a class of modules as a layer, under its own name or `name`.

        Gate = mg.register(Gate)       # returns the layer: Gate(64)(x), also layers.Gate(64)(x)
        gated = {layer: Gate, from: x, hidden: 64}    # in a spec

    As a decorator (`@mg.register`, `@mg.register(name="Fancy")`) it leaves the class as it is, and the
    layer is `layers.Gate`.

    Its options are the parameters of the constructor (for its `**keywords`, those of the base
    classes), its sources those of `forward`: one with a default may be left out, keyword-only ones
    are given by name, `*tensors` are any number. It returns a tensor, or several as a tuple, a named
    tuple or a dict, whose positions, fields or keys are the ports.

    The shapes of the results come from torch: the module is made and run on the meta device, which
    holds no data, with several numbers for each size that is a name. `shape` gives them instead: a
    function of the shapes of the sources (tuples, without the batch) and of options by name, which
    returns a shape for each tensor: `lambda x, hidden: (*x[:-1], hidden)`. The dtype is then that of
    the first source (float32 for integers), or `dtype`. `macs`, also such a function, gives the
    multiply-accumulates of one sample, which are unknown without it.
    """

    @entry_point
    def decorate(cls: Class) -> Class:
        _add(cls, name, shape, dtype, macs)
        return cls

    if cls is None:
        return decorate
    # frame 1 is that of `entry_point`
    if is_decorator_call(sys._getframe(2)):
        return decorate(cls)
    return _add(cls, name, shape, dtype, macs)


def _add(
    cls: type,
    name: str | None,
    shape: ShapeRule | None = None,
    dtype: str | None = None,
    macs: MacsRule | None = None,
) -> Registered:
    """Check a class and its arguments, and add it to the registry."""
    from mimgraph.ops.custom import probe

    if not _is_module(cls):
        raise TypeError(f"{cls!r} is not a class of modules")
    if dtype is not None:
        dtype = str(dtype).removeprefix("torch.")
        if dtype not in DTYPES:
            raise ValueError(f"no dtype is called {dtype!r}")
    if name is not None:
        as_text("name", name)
    for what, rule in (("shape", shape), ("macs", macs)):
        if rule is not None and not callable(rule):
            raise wrong(what, "a function of the shapes of the sources", rule)
    op = Registered(cls, name or cls.__name__, shape, dtype, probe, macs)
    _check_name(cls, op.name)
    _check_signatures(op)
    registry.add(op)
    return op


def register_missing(layers: Mapping[str, type]) -> None:
    """Register the layers of a pickle that are not registered; their shapes come from torch."""
    for name, cls in layers.items():
        if registry.find("layer", name) is None:
            _add(cls, name)


def registered(name: str, cls: type) -> Op:
    """Return the layer of this name in a pickle, of the class unless it is registered."""
    register_missing({name: cls})
    return registry.known("layer", name)


def _is_module(cls: object) -> bool:
    """Return whether it is a class of modules, without importing torch."""
    bases = cls.__mro__ if isinstance(cls, type) else ()
    return any((b.__module__, b.__name__) == ("torch.nn.modules.module", "Module") for b in bases)


def _check_name(cls: type, name: str) -> None:
    """Refuse a name that is taken, except by the same class, which may have been defined again."""
    reason = name_fault(name)
    if reason is not None:
        raise ValueError(f"{name!r} cannot name a layer: {reason}")
    there = registry.find("layer", name)
    if isinstance(there, Registered) and _path(there.cls) != _path(cls):
        raise ValueError(f"{name} is registered already as {'.'.join(_path(there.cls))}")
    if there is not None and not isinstance(there, Registered):
        raise ValueError(f"{name} is a layer of mimgraph: register yours by another name=")


def _path(cls: type) -> tuple[str, str]:
    """Return the module and the qualified name of a class."""
    return cls.__module__, cls.__qualname__


def _check_signatures(op: Registered) -> None:
    """Refuse a class whose options or sources no spec could give."""
    for name in op.options:
        if name in _TAKEN:
            raise ValueError(f"{op.name} has an option {name!r}, which is a word of every node")
    if not op.arguments or op.cls.forward.__name__ == "_forward_unimplemented":  # type: ignore[attr-defined]
        raise TypeError(f"{op.name} has no forward that takes a tensor")
