"""Find the models of other libraries by name, `torchvision.resnet50`, without importing a library."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module

from mimgraph.diagnostics.nearest import nearest
from mimgraph.ops.layer_call import LayerCall, LayerOp
from mimgraph.ops.op import Op
from mimgraph.support.entry_point import entry_points

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
def find(name: str) -> Op | None:
    """Return the model with this name as a layer; None if its library has no such model."""
    library, _, model = name.partition(".")
    if not model or library not in LIBRARIES:
        return None
    found: Op | None = import_module(LIBRARIES[library]).encoder(model)
    return found


def names(library: str) -> list[str]:
    """Return the models of a library that are known without importing it."""
    models: list[str] = import_module(LIBRARIES[library]).names()
    return [f"{library}.{model}" for model in models]


def how_to_list(library: str) -> str:
    """Return the help that lists the models of a library: by us if we know them, else by the library."""
    if names(library):
        return f"mimgraph layers --search {library}. lists the models"
    return f"{import_module(LIBRARIES[library]).LISTED_BY} lists the models"


def instead(name: str) -> str:
    """Return the help for a model that its library does not have here: the one that is probably meant, or how
    to list them."""
    library, _, model = name.partition(".")
    known = [one.partition(".")[2] for one in names(library)]
    near = nearest(model.rpartition(".")[2], known)
    return f"did you mean {library}.{near}?" if near else how_to_list(library)


def with_library(model: str) -> str:
    """Return a model with its library, `torchvision.resnet50` for `resnet50`; "" if none is known to have
    it."""
    every = (f"{library}.{model}" for library in LIBRARIES)
    return next((name for name in every if name in names(name.partition(".")[0])), "")


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
        found = None if model.startswith("_") else find(f"{self._name}.{model}")
        if isinstance(found, LayerOp):
            return found
        message = f"{self._name} has no model {model!r}"
        near = (
            None if model.startswith("_") else nearest(f"{self._name}.{model}", names(self._name))
        )
        meant = f": did you mean {near.partition('.')[2]}?" if near else ""
        raise AttributeError(f"{message}{meant}")

    def __dir__(self) -> list[str]:
        return [name.partition(".")[2] for name in names(self._name)]
