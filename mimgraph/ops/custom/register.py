"""`register`: a module of the user's becomes a layer, in specs and in Python."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, TypeVar, overload

from mimgraph.ir.names import NODE_WORDS, name_fault
from mimgraph.ir.types import DTYPES
from mimgraph.ops import registry
from mimgraph.ops.custom.module_signature import MacsRule, Registered, ShapeRule
from mimgraph.support.arguments import as_text, wrong

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


def register(
    cls: Any = None,
    /,
    *,
    name: str | None = None,
    shape: ShapeRule | None = None,
    dtype: str | None = None,
    macs: MacsRule | None = None,
) -> Any:
    """Make a class of modules a layer, called by its own name or by `name`.

        Gate = mg.register(Gate)       # returns the layer: Gate(64)(x), also layers.Gate(64)(x)
        gated = {layer: Gate, from: x, hidden: 64}    # in a spec

    As a decorator (`@mg.register`, `@mg.register(name="Fancy")`) it leaves the class as it is, and the
    layer is `layers.Gate`.

    Its options are the parameters of the constructor (of its `**keywords`, those of the classes
    above), its sources those of `forward`: one with a default may be left out, keyword-only ones go
    by keyword, `*tensors` are any number. It returns a tensor, or several as a tuple, a named tuple
    or a dict, whose ports are their positions, fields or keys.

    The shapes of the results are torch's own answer: the module is made and run on the meta
    device, which holds no data, with several lengths in place of those that have names. `shape` gives
    them instead: a function of the sources' shapes (tuples, without the batch) and of the options
    that it names, which returns a shape in place of each tensor: `lambda x, hidden: (*x[:-1], hidden)`. The
    dtype is then that of the first source (of whole numbers: float32), or `dtype`. `macs`, such a
    function too, gives the multiply-accumulates of one sample, which `summary` cannot tell without.
    """

    def decorate(cls: Class) -> Class:
        _add(cls, name, shape, dtype, macs)
        return cls

    if cls is None:
        return decorate
    if _decorates(sys._getframe(1)):
        return decorate(cls)
    return _add(cls, name, shape, dtype, macs)


def _add(
    cls: Any,
    name: str | None,
    shape: ShapeRule | None = None,
    dtype: str | None = None,
    macs: MacsRule | None = None,
) -> Registered:
    from mimgraph.ops.custom import probe

    if not _is_module(cls):
        raise TypeError(f"{cls!r} is no class of modules")
    if dtype is not None:
        dtype = str(dtype).removeprefix("torch.")
        if dtype not in DTYPES:
            raise ValueError(f"no dtype is called {dtype!r}")
    if name is not None:
        as_text("name", name)
    for what, rule in (("shape", shape), ("macs", macs)):
        if rule is not None and not callable(rule):
            raise wrong(what, "a function of the sources' shapes", rule)
    op = Registered(cls, name or cls.__name__, shape, dtype, probe, macs)
    _check_name(cls, op.name)
    _check_signatures(op)
    registry.add(op)
    return op


def register_missing(layers: Mapping[str, type]) -> None:
    """What a pickle needs, where its own module has not registered it: with torch's own answer."""
    for name, cls in layers.items():
        if registry.find("layer", name) is None:
            _add(cls, name)


def _is_module(cls: Any) -> bool:
    """Whether it is a class of modules; torch need not be there to say no."""
    bases = getattr(cls, "__mro__", ()) if isinstance(cls, type) else ()
    return any((b.__module__, b.__name__) == ("torch.nn.modules.module", "Module") for b in bases)


def _check_name(cls: type, name: str) -> None:
    """A name is free, or that of the same class, defined anew perhaps."""
    reason = name_fault(name)
    if reason is not None:
        raise ValueError(f"{name!r} cannot name a layer: {reason}")
    there = registry.find("layer", name)
    if isinstance(there, Registered) and _path(there.cls) != _path(cls):
        raise ValueError(f"{name} is registered already, as {'.'.join(_path(there.cls))}")
    if there is not None and not isinstance(there, Registered):
        raise ValueError(f"{name} is a layer of mimgraph: register yours by another name=")


def _path(cls: type) -> tuple[str, str]:
    return cls.__module__, cls.__qualname__


def _check_signatures(op: Registered) -> None:
    """What a spec could not say is told at once."""
    for name in op.options:
        if name in _TAKEN:
            raise ValueError(f"{op.name} has an option {name!r}, which is a word of every node")
    if not op.arguments or op.cls.forward.__name__ == "_forward_unimplemented":  # type: ignore[attr-defined]
        raise TypeError(f"{op.name} has no forward that takes a tensor")


def _decorates(caller: FrameType) -> bool:
    """Whether the caller applies a decorator: Python compiles that to a call without arguments, as
    the class is on the stack already."""
    code, at = caller.f_code.co_code, caller.f_lasti
    while code[at] == dis.opmap["CACHE"]:
        at -= 2
    return code[at] == dis.opmap["CALL"] and code[at + 1] == 0
