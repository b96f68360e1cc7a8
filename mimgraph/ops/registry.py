"""Look ops up by kind and name; the models of libraries are layers, too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from mimgraph.diagnostics.nearest import nearest
from mimgraph.diagnostics.text import did_you_mean
from mimgraph.ir.typed_operations import Leaf, TypedKind
from mimgraph.ops import layers, merges
from mimgraph.support.entry_point import entry_points

if TYPE_CHECKING:
    from mimgraph.ops.layer_call import LayerCall, LayerOp
    from mimgraph.ops.op import Op

# by library the module of ours that knows its models, imported when a spec first names one
LIBRARIES = {
    "torchvision": "mimgraph.encoders.torchvision",
    "timm": "mimgraph.encoders.timm",
    "transformers": "mimgraph.encoders.transformers",
    "sentence_transformers": "mimgraph.encoders.sentence_transformers",
}


def is_model(name: str) -> bool:
    """Return whether a name begins with a library: `torchvision.resnet50`."""
    library, dot, _ = name.partition(".")
    return bool(dot) and library in LIBRARIES


@cache
def find_model(name: str) -> LayerOp | None:
    """Return the model with this name as a layer; None if its library has no such model."""
    library, _, model = name.partition(".")
    if not model or library not in LIBRARIES:
        return None
    found: LayerOp | None = import_module(LIBRARIES[library]).encoder(model)
    return found


def model_names(library: str) -> list[str]:
    """Return the models of a library that are known without importing it."""
    models: list[str] = import_module(LIBRARIES[library]).names()
    return [f"{library}.{model}" for model in models]


def how_to_list(library: str) -> str:
    """Return the help that lists the models of a library: by us if we know them, else by the library."""
    if model_names(library):
        return f"mimgraph layers --search {library}. lists the models"
    return f"{import_module(LIBRARIES[library]).LISTED_BY} lists the models"


def instead(name: str) -> str:
    """Return the help for a model that its library does not have here: the one that is probably meant, or how
    to list them."""
    library, _, model = name.partition(".")
    known = [one.partition(".")[2] for one in model_names(library)]
    near = nearest(model.rpartition(".")[2], known)
    return did_you_mean(f"{library}.{near}") if near else how_to_list(library)


def with_library(model: str) -> str:
    """Return a model with its library, `torchvision.resnet50` for `resnet50`; "" if none is known to have
    it."""
    every = (f"{library}.{model}" for library in LIBRARIES)
    return next((name for name in every if name in model_names(name.partition(".")[0])), "")


def how_to_install(package: str) -> str:
    """Return the command that installs a package, with what mimgraph needs beside a library."""
    if package in (*LIBRARIES, "peft"):  # which makes the adapters of `lora`
        return f"pip install 'mimgraph[{package.replace('_', '-')}]'"
    return f"pip install {package}"


@entry_points
class Library:
    """The models of a library by name: `layers.torchvision.resnet50(weights="DEFAULT")(image)`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"<the models of {self._name}>"

    def __getattr__(self, model: str) -> Callable[..., LayerCall]:
        """Return the model with this name as a layer; an `AttributeError` says what was probably meant."""
        message = f"{self._name} has no model {model!r}"
        if model.startswith("_"):  # Python and editors ask for such names
            raise AttributeError(message)
        name = f"{self._name}.{model}"
        if (found := find_model(name)) is not None:
            return found
        near = nearest(name, model_names(self._name))
        meant = f": did you mean {near.partition('.')[2]}?" if near else ""
        raise AttributeError(f"{message}{meant}")

    def __dir__(self) -> list[str]:
        return [name.partition(".")[2] for name in model_names(self._name)]


Added = TypeVar("Added", bound="Op")

_OPS: dict[str, dict[str, Op]] = {"layer": {}, "merge": {}, "tensor": {}, "part": {}}


def _homes(package: ModuleType, files: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the module that defines each op, by the op's name."""
    return {op: f"{package.__name__}.{file}" for file, ops in files for op in ops.split()}


# by kind and name the module that defines the op, imported when the op is first asked for
_HOMES: dict[str, dict[str, str]] = {
    "layer": _homes(layers, layers.FILES),
    "merge": _homes(merges, merges.FILES),
    "tensor": _homes(layers, layers.TENSORS),
    "part": {},
}


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
    if op is None and kind == "layer" and is_model(name):
        return find_model(name)
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
