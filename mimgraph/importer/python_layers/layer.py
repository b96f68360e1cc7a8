"""Make the class of a layer that stays Python, and register it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import nn

from mimgraph.importer.device import copied
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.python_layers.fingerprint import fingerprint, text_of
from mimgraph.importer.returned import tensors
from mimgraph.ir.names import class_fault
from mimgraph.ops import registry
from mimgraph.ops.custom.registration import RegisteredLayer


@dataclass(eq=False)
class PythonLayer:
    """A layer whose forward is Python: that of `module`, or one call of a function of torch.

    `forward` is the body of its forward, whose parameters are `sources`. `shape` is the rule of its
    shapes as a lambda, None if torch finds them. `kept` are the arguments that no text gives.
    """

    name: str
    doc: str
    sources: tuple[str, ...]
    forward: str
    shape: str | None = None
    dtype: str | None = None
    kept: Mapping[str, Any] = field(default_factory=dict)
    module: nn.Module | None = None
    path: str = ""

    @property
    def key(self) -> object:
        """What two layers have in common that are one."""
        kept = tuple(f"{name}={text_of(one)}" for name, one in self.kept.items())
        made = None if self.module is None else fingerprint(self.module)
        return self.sources, self.forward, self.shape, self.dtype, kept, made

    def class_text(self, base: str, init: Sequence[str]) -> str:
        """Return the class as Python; `init` are the statements of its constructor."""
        lines = [f"class {self.name}({base}):", f'    """{self.doc}"""', ""]
        lines += [f"    {name} = ...  # to fill in: an argument of forward" for name in self.kept]
        lines += [""] if self.kept else []
        if init:
            lines += ["    def __init__(self):", *(f"        {one}" for one in init), ""]
        lines += [f"    def forward(self, {', '.join(self.sources)}):", f"        {self.forward}"]
        return "\n".join(lines) + "\n"

    def make_class(self) -> type[nn.Module]:
        """Return the class; its instances are copies of the module."""
        names: dict[str, Any] = {"torch": torch, "nn": nn, "Base": nn.Module, "tensors": tensors}
        init = list[str]()
        if (module := self.module) is not None:
            names |= {"Base": type(module), "become": partial(_become, module)}
            init = ["become(self)"]
        exec(self.class_text("Base", init), names)  # noqa: S102 - our own text
        made: type[nn.Module] = names[self.name]
        for name, value in self.kept.items():
            setattr(made, name, value)
        return made


class PythonOp(RegisteredLayer):
    """A registered layer that an import made."""

    def __init__(self, layer: PythonLayer, home: str) -> None:
        cls = layer.make_class()
        cls.__module__ = home
        rule = None if layer.shape is None else eval(layer.shape)
        super().__init__(cls, layer.name, rule, layer.dtype)
        self.key = layer.key


def register(layer: PythonLayer, home: str) -> PythonOp:
    """Register a layer under a name that no other layer has, and return it; the layer gets this name.

    `home` is the Python module that pictures and emitted files say it is from. A layer of an earlier
    import that is alike is replaced.
    """
    for name in _names(layer):
        there = registry.find("layer", name)
        if not class_fault(name) and (
            there is None or (isinstance(there, PythonOp) and there.key == layer.key)
        ):
            layer.name = name
            break
    return registry.add(PythonOp(layer, home))


def _names(layer: PythonLayer) -> Iterator[str]:
    """Yield the name of the class, the one of its path, then either with a number."""
    by_path = "".join(part[:1].upper() + part[1:] for part in re.split(r"\W|_", layer.path))
    names = [layer.name, *([by_path] if by_path and not by_path[0].isdigit() else [])]
    yield from names
    number = 2
    while True:
        yield f"{names[-1]}{number}"
        number += 1


def _become(module: nn.Module, layer: nn.Module) -> None:
    """Make a layer a copy of a module, on the device where new tensors are made."""
    device = torch.empty(0).device
    nn.Module.__init__(layer)
    vars(layer).update(vars(copy_of(module, device)))
    layer.train()


def copy_of(module: nn.Module, device: torch.device) -> nn.Module:
    """Return a copy of a module on a device; raise `CannotLift` if Python cannot copy it."""
    try:
        return copied(module, device)
    except Exception as error:
        message = f"{type(module).__name__} cannot be copied: {error}"
        raise CannotLift("copy", message) from error
