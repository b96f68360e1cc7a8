"""Look ops up by kind and name, and register rules as ops: `@layer`, `@merge`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

from mimgraph.ir.typed_operations import Leaf, TypedKind
from mimgraph.ops import layers, libraries, merges
from mimgraph.ops.layer_call import LayerOp, MergeOp
from mimgraph.ops.op import Op, Release
from mimgraph.ops.signature import Rule

Added = TypeVar("Added", bound=Op)

_OPS: dict[str, dict[str, Op]] = {"layer": {}, "merge": {}, "tensor": {}, "part": {}}


def _homes(package: ModuleType, files: Mapping[str, str]) -> dict[str, str]:
    """Return the module that defines each op, by the op's name."""
    return {op: f"{package.__name__}.{file}" for file, ops in files.items() for op in ops.split()}


# by kind and name the module that defines the op, imported when the op is first asked for
_HOMES: dict[str, dict[str, str]] = {
    "layer": _homes(layers, layers.FILES),
    "merge": _homes(merges, merges.FILES),
    "tensor": _homes(layers, layers.TENSORS),
    "part": {},
}


def layer(
    *sizes: str,
    family: str,
    inferred: tuple[str, ...] = (),
    ports: tuple[str, ...] = (),
    since: Mapping[str, Release] | None = None,
    package: str = "torch",
    unpacks: Mapping[str, tuple[str, ...]] | None = None,
) -> Callable[[Rule], LayerOp]:
    """Register a rule as a layer.

    `sizes` are the options that torch's class takes first and are inferred here, `inferred` the later
    ones; `family` is the heading under which `mimgraph layers` lists it. `ports` are the names of its results if it has several, unless
    they depend on the use (`Split`). Where torch's class returns others, or a tuple inside a tuple,
    `unpacks` has the ports that Python unpacks from the result "", and from a port. `since` has the torch release that added an option, if it is
    later than torch 2.5. `package` must be installed where the layer runs.
    """
    return lambda rule: add(
        LayerOp(
            *("layer", rule, sizes, ports, since),
            family=family,
            inferred=inferred,
            package=package,
            unpacks=unpacks,
        )
    )


def merge(
    *sizes: str, family: str, ports: tuple[str, ...] = (), alone: str = ""
) -> Callable[[Rule], MergeOp]:
    """Register a rule as a merge; it takes the arguments of `layer`.

    `alone` is the layer that does the same to a list of one source in Python, or to a group of one
    in YAML; without it a merge of two or more refuses these.
    """
    return lambda rule: add(MergeOp("merge", rule, sizes, ports, family=family, alone=alone))


def tensor(family: str) -> Callable[[Rule], Op]:
    """Register a rule as a tensor of the model itself, which has no sources."""
    return lambda rule: add(Op("tensor", rule, family=family))


def part() -> Callable[[Rule], Op]:
    """Register a rule as a part of merges that are blocks, which no spec can name."""
    return lambda rule: add(Op("part", rule, family=""))


def add(op: Added) -> Added:
    """Register an op under its name, instead of one with the same name, and return it."""
    _OPS[op.kind][op.name] = op
    return op


def known(kind: str, name: str) -> Op:
    """Return the op of a pickle; raise a `LookupError` if this version has none."""
    op = find(kind, name)
    if op is None:
        raise LookupError(f"mimgraph has no {kind} {name}: the pickle is of another version")
    return op


def find(kind: str, name: str) -> Op | None:
    """Return the op of that kind and name; its file is imported when it is first asked for.

    A layer with a dot in its name is a model of a library.
    """
    op = _OPS[kind].get(name)
    if op is None and name in _HOMES[kind]:
        import_module(_HOMES[kind][name])
        op = _OPS[kind][name]
    if op is None and kind == "layer" and libraries.is_model(name):
        return libraries.find(name)
    return op


def applied(operation: TypedKind) -> Op | None:
    """Return the op that a typed operation applies, with the sources that its options decide."""
    op = find(*operation.op) if operation.op else None
    if op is not None and op.options_decide and isinstance(operation, Leaf):
        return op.with_options(operation.options)
    return op


def loaded() -> list[Op]:
    """Return the ops whose files are imported, and those that are registered."""
    return [op for ops in _OPS.values() for op in ops.values()]


def names(kind: str) -> Collection[str]:
    """Return the names of all ops of a kind."""
    return {**_HOMES[kind], **_OPS[kind]}


def ops(kind: str) -> Mapping[str, Op]:
    """Return all ops of a kind by name."""
    return {name: op for name in names(kind) if (op := find(kind, name))}


def layer_of_one(
    merge: Op, options: Mapping[str, Any], given: str, wanted: str
) -> tuple[Op, dict[str, Any]]:
    """Return the layer that does what a merge with these options does to one source, and its options.

    A merge that returns another dtype than it is given, as average returns floats of integers, is a
    Cast. `options` may lack those that have their defaults.
    """
    layer = find("layer", merge.alone if given == wanted else "Cast")
    assert layer is not None
    if given != wanted:
        return layer, {"dtype": wanted}
    return layer, {name: options.get(name, merge.defaults[name]) for name in layer.options}
