"""Run the models of libraries on torch's meta device, without weights, and remember what they
give."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from mimgraph.encoders.cache import remembered
from mimgraph.ir.dim import Size, substitute, symbol
from mimgraph.ir.expression import evaluate, parse
from mimgraph.ir.lowering import LazyMapping, ShapesUnknown
from mimgraph.ir.types import TensorType
from mimgraph.ops.custom.module_signature import Facts, Parts, first_line, parts_of
from mimgraph.ops.op import OpFault
from mimgraph.ops.registry import how_to_install

if TYPE_CHECKING:
    from torch import nn

_Tensors: TypeAlias = Literal["weights", "buffers"]
_TENSORS: tuple[_Tensors, ...] = ("weights", "buffers")
Build: TypeAlias = "Callable[[], nn.Module]"


class Model(NamedTuple):
    """A model to probe: its name, `torchvision.resnet50`, the options that decide its tensors, and
    what makes it without weights."""

    name: str
    options: Mapping[str, Any]
    build: Build

    @property
    def library(self) -> str:
        """Return the package that has the model."""
        return self.name.partition(".")[0]

    @property
    def shape_help(self) -> str:
        """Return what to do if torch cannot find the shapes."""
        return "give its sources whole sizes: image: [3, 224, 224]"

    def tensors(self) -> tuple[LazyMapping[tuple[int, ...]], LazyMapping[tuple[int, ...]]]:
        """Return the shapes of the learned tensors and of the buffers, which are probed when they are read."""
        weights, buffers = (
            LazyMapping((self.name, repr(self.options), which), partial(shapes, self, which))
            for which in _TENSORS
        )
        return weights, buffers

    def layers(self) -> LazyMapping[str]:
        """Return the layers that can have adapters by path, each with its class, probed when they are read."""
        key = (self.name, repr(self.options), "layers")
        return LazyMapping(key, partial(layers, self))

    def parts(self, result: Any) -> Parts:
        """Return the results of the model by port."""
        return parts_of(self.name, result)


def results(model: Model, sources: Mapping[str, TensorType]) -> dict[str, TensorType]:
    """Return the types of the results by port, of a call with these sources by name of the argument."""
    shapes = {name: [*map(str, type_.shape), type_.dtype] for name, type_ in sources.items()}
    kept = remembered(question(model, {"called": shapes}), lambda: _run(model, sources))
    return {port: _type(*one) for port, one in kept["results"].items()}


def shapes(model: Model, which: _Tensors) -> Mapping[str, tuple[int, ...]]:
    """Return the shapes of the learned tensors, or of the buffers, by name."""
    return {name: tuple(shape) for name, shape in _kept_of(model)[which].items()}


def layers(model: Model) -> Mapping[str, str]:
    """Return the layers of a model that can have adapters, by path, each with its class in torch."""
    return dict(_kept_of(model)["layers"])


def _kept_of(model: Model) -> dict[str, Any]:
    try:
        return remembered(question(model, {"called": None}), lambda: _tensors(model))
    except OpFault as fault:
        raise ShapesUnknown(fault.message, fault.help) from fault


def question(model: Model, call: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the cache is asked: the model with its versions, and how it is called."""
    versions = [importlib.metadata.version(one) for one in ("torch", require(model.library))]
    return {"model": model.name, "options": model.options, "versions": versions, **call}


def require(library: str) -> str:
    """Return the name of the distribution of a library; raise the fault if it is not installed."""
    package = library.replace("_", "-")
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        message = f"{library} is not installed, and it is needed here to know the model"
        raise OpFault(
            "missing-package", message, help=how_to_install(library), at_node=True
        ) from None
    return package


def made(model: Model) -> nn.Module:
    """Return the model in evaluation mode, all of its tensors on the meta device."""
    from mimgraph.encoders import without_weights  # imports torch

    try:
        return without_weights.made(model.build)
    except OpFault:
        raise
    except Exception as error:
        message = f"{model.name} cannot be made with these options"
        raise OpFault("bad-option", message, note=first_line(error), at_node=True) from error


def _run(model: Model, sources: Mapping[str, TensorType]) -> dict[str, Any]:
    from mimgraph.ops.custom.probe import facts

    found = facts(model, made(model), [*sources.values()], {})
    types = {port: type_ for port, (_, type_) in found.parts.items()}
    kept = {port: [[*map(str, t.dims)], t.dtype, t.batched] for port, t in types.items()}
    return {"results": kept, **_kept(found)}


def _tensors(model: Model) -> dict[str, Any]:
    from mimgraph.ops.custom.probe import tensors

    return _kept(tensors(made(model), {}))


def _kept(facts: Facts) -> dict[str, Any]:
    return {"weights": facts.weights, "buffers": facts.buffers, "layers": facts.layers}


def _type(dims: Sequence[str], dtype: str, batched: bool) -> TensorType:
    return TensorType(tuple(map(size, dims)), dtype, batched=batched)


def size(text: str) -> Size:
    """Return the size with its names as symbols."""
    if text.isdecimal():
        return int(text)
    found: Size = evaluate(parse(text), lambda name: symbol(name.name))
    return found


def size_at(text: str, sizes: Mapping[str, Size]) -> Size:
    """Return the size with these sizes in place of its names."""
    return substitute(size(text), sizes)
