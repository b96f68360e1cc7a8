"""Register a user's class of modules as a layer, for specs and for Python."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias, TypeVar, overload

from mimgraph.ir.names import NODE_WORDS, name_fault
from mimgraph.ir.types import DTYPES
from mimgraph.ops import registry
from mimgraph.ops.custom.decorator_use import is_decorator_call
from mimgraph.ops.custom.module_signature import (
    MacsRule,
    Registered,
    RegisteredLayer,
    RegisteredMerge,
    ShapeRule,
)
from mimgraph.ops.op import Op
from mimgraph.support.arguments import as_text, wrong
from mimgraph.support.entry_point import entry_point

Class = TypeVar("Class", bound=type)
RegisteredKind: TypeAlias = Literal["layer", "merge"]

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
    kind: RegisteredKind = "layer",
) -> Class: ...


@overload
def register(
    *,
    name: str | None = None,
    shape: ShapeRule | None = None,
    dtype: str | None = None,
    macs: MacsRule | None = None,
    kind: RegisteredKind = "layer",
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
    kind: RegisteredKind = "layer",
) -> object:
    """Register a class of modules as a layer, or with `kind="merge"` as a merge, under its own name or `name`.

        Gate = mg.register(Gate)
        Gate(64)(x), layers.Gate(64)(x)

    In a spec it is `{layer: Gate, from: x, hidden: 64}`.
    As a decorator (`@mg.register`, `@mg.register(name="Fancy")`) it leaves the class as it is, and the
    layer is `layers.Gate`. A merge is called on its sources, `merges.blend(a, b, hidden=64)`, and
    written `{merge: blend, from: [a, b], hidden: 64}`.

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
        add(cls, name, shape, dtype, macs, kind)
        return cls

    if cls is None:
        return decorate
    # frame 1 is that of `entry_point`
    if is_decorator_call(sys._getframe(2)):
        return decorate(cls)
    return add(cls, name, shape, dtype, macs, kind)


def add(
    cls: type,
    name: str | None,
    shape: ShapeRule | None = None,
    dtype: str | None = None,
    macs: MacsRule | None = None,
    kind: RegisteredKind = "layer",
) -> Registered:
    """Check a class and its arguments, and add it to the registry."""
    op = made(cls, name, shape, dtype, macs, kind)
    _check_free(cls, op.kind, op.name)
    registry.add(op)
    return op


def made(
    cls: type,
    name: str | None,
    shape: ShapeRule | None = None,
    dtype: str | None = None,
    macs: MacsRule | None = None,
    kind: RegisteredKind = "layer",
) -> Registered:
    """Check a class and its arguments, and return it as an op."""
    from mimgraph.ops.custom import probe

    if not is_module(cls):
        raise TypeError(f"{cls!r} is not a class of modules")
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
    op = of_kind(cls, name or cls.__name__, shape, dtype, probe, macs)
    reason = name_fault(op.name)
    if reason is not None:
        raise ValueError(f"{op.name!r} cannot name a {kind}: {reason}")
    _check_signatures(op)
    return op


def register_missing(classes: Mapping[str, type]) -> None:
    """Register the classes of a pickle that are not registered; their shapes come from torch.

    The key of a layer is its name, and that of a merge has `merge ` before it.
    """
    for key, cls in classes.items():
        *merge, name = key.split()
        kind: RegisteredKind = "merge" if merge else "layer"
        if registry.find(kind, name) is None:
            add(cls, name, kind=kind)


def registered(name: str, cls: type, kind: RegisteredKind = "layer") -> Op:
    """Return the op of this name in a pickle, of the class unless it is registered."""
    register_missing({name if kind == "layer" else f"{kind} {name}": cls})
    return registry.known(kind, name)


def is_module(cls: object) -> bool:
    """Return whether it is a class of modules, without importing torch."""
    bases = cls.__mro__ if isinstance(cls, type) else ()
    return any((b.__module__, b.__name__) == ("torch.nn.modules.module", "Module") for b in bases)


def _check_free(cls: type, kind: str, name: str) -> None:
    """Refuse a name that is taken, except by the same class, which may have been defined again, and by
    a plugin, which the user's own class replaces."""
    there = registry.find(kind, name)
    if there is not None and not isinstance(there, Registered):
        raise ValueError(f"{name} is a {kind} of mimgraph: register yours by another name=")
    if isinstance(there, Registered) and not there.plugin and _path(there.cls) != _path(cls):
        raise ValueError(f"{name} is registered already as {'.'.join(_path(there.cls))}")


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
    if op.kind == "merge" and op.inputs.kind == "one":
        raise TypeError(f"{op.name} takes one tensor: register it as a layer")
    if op.kind == "merge" and "name" in op.options:
        raise ValueError(f"{op.name} has an option 'name', which is the name of the node in Python")
