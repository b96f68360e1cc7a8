"""Propose the names of ops, their options and the values of these."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from mimgraph.editor.features.completion.proposal import Proposal
from mimgraph.ir.option_types import choices, describe
from mimgraph.ir.types import DTYPES
from mimgraph.language.reference import default
from mimgraph.ops import layers as catalogue
from mimgraph.ops import registry
from mimgraph.ops.custom import registration
from mimgraph.ops.layers.tensors import INITS
from mimgraph.ops.op import REQUIRED, Op
from mimgraph.ops.registry import LIBRARIES, model_names
from mimgraph.support.plugins import BrokenPlugin

ACTIVATIONS = dict(catalogue.FILES)["activation"].split()


def op_of(kind: str, name: str) -> Op | None:
    """Return the op of a kind and name, also of a plugin; None if it is unknown or cannot be used."""
    try:
        return registration.find(kind, name) if kind else None
    except BrokenPlugin:
        return None


def layers(typed: str) -> Iterator[Proposal]:
    """Yield all layers, and the models of a library whose name is typed or begun."""
    for name in (*registry.names("layer"), *registration.names("layer")):
        yield Proposal(name, "layer", about=name)
    library, dot, _ = typed.partition(".")
    rank = 0 if dot else 2
    for known in LIBRARIES:
        if library and known.startswith(library):
            yield from (
                Proposal(name, "layer", about=name, rank=rank) for name in model_names(known)
            )


def merges() -> Iterator[Proposal]:
    """Yield all merges."""
    for name in (*registry.names("merge"), *registration.names("merge")):
        yield Proposal(name, "merge", about=name)


def activations() -> Iterator[Proposal]:
    """Yield the layers that are activations."""
    yield from (Proposal(name, "layer", about=name) for name in ACTIVATIONS)


def options(op: Op | None) -> Iterator[Proposal]:
    """Yield the options of an op: those that must be given first, those that follow from the input last."""
    for option in op.options.values() if op is not None else ():
        is_needed = option.default is REQUIRED and not option.inferred
        assert op is not None
        shown = op.shown(option.name)
        value = default(option) if not is_needed else "" if shown == "..." else shown
        detail = f"{describe(option.annotation)}; {default(option)}"
        rank = 0 if is_needed else 2 if option.inferred else 1
        about = f"{op.kind}:{op.name}"
        yield Proposal(option.name, "option", detail, "" if option.inferred else value, about, rank)


def option_values(op: Op | None, name: str) -> Iterator[Proposal]:
    """Yield the values that an option may have, as far as they are few: its choices, true and false, the
    inits, dtypes and layers."""
    option = None if op is None else op.options.get(name)
    if option is None:
        return
    yield from (Proposal(text, "value") for text in choices(option.annotation))
    if _takes(option.annotation, bool):
        yield from (Proposal("true", "value"), Proposal("false", "value"))
    if option.annotation is Any:
        yield from (Proposal(text, "value") for text in INITS)
    if name == "dtype":
        yield from (Proposal(text, "value") for text in DTYPES)


def _takes(annotation: Any, kind: type) -> bool:
    """Return whether an option may have a value of this type."""
    if annotation is kind:
        return True
    if get_origin(annotation) is Literal:
        return False
    return any(_takes(one, kind) for one in get_args(annotation) if one is not Ellipsis)
