"""Write the Python file that registers the layers of a spec that stay Python."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from errno import EEXIST
from pathlib import Path

from torch import nn

from mimgraph.importer.python_layers.layer import PythonLayer
from mimgraph.importer.recipe import Home, Recipe, home_of_class, recipe_of, relative

MARK = '"""Layers of '  # a file that begins otherwise is the user's

BECOME = '''\
def become(layer, path):
    """Make a layer a copy of a part of the model, with the same names of weights."""
    part = deepcopy(model().get_submodule(path))
    nn.Module.__init__(layer)
    vars(layer).update(vars(part))
    layer.to(torch.empty(0).device)
'''
TENSORS = '''\
def tensors(given):
    """Return the tensors in nested tuples, lists, dicts and dataclasses, in order."""
    if isinstance(given, torch.Tensor):
        return (given,)
    if hasattr(given, "values"):
        given = given.values()
    elif is_dataclass(given):
        given = vars(given).values()
    elif not isinstance(given, list | tuple):
        return ()
    return tuple(one for part in given for one in tensors(part))
'''


def check_replaceable(file: Path) -> None:
    """Raise a `FileExistsError` if there is such a file, and no import wrote it."""
    if file.exists() and not file.read_bytes().startswith(MARK.encode()):
        reason = "it is not what an import wrote, so name the spec otherwise"
        raise FileExistsError(EEXIST, reason, str(file))


def companion(layers: Sequence[PythonLayer], model: nn.Module, spec: str, path: str) -> str:
    """Return the text of the Python file at `path` that the spec of a model needs for its layers."""
    return _Companion(layers, model, spec, path).text()


class _Companion:
    def __init__(
        self, layers: Sequence[PythonLayer], model: nn.Module, spec: str, path: str
    ) -> None:
        self.layers = layers
        self.model = model
        self.spec = spec
        self.path = os.path.abspath(path)
        self.modules = [layer for layer in layers if layer.module is not None]
        self.recipe: Recipe | None = recipe_of(model) if self.modules else None
        self.homes = {
            layer.name: home
            for layer in self.modules
            if (home := home_of_class(type(layer.module))) is not None
        }

    def text(self) -> str:
        """Return the whole file: its imports, the model, helpers, and a class for each layer."""
        sections = ["\n".join(self._head())]
        if self.modules:
            sections += [self._model(), BECOME]
        if any("tensors(" in layer.forward for layer in self.layers):
            sections.append(TENSORS)
        sections += map(self._layer, self.layers)
        return "\n\n".join(section.rstrip("\n") + "\n" for section in sections)

    def _head(self) -> Iterator[str]:
        """Yield the docstring and the imports."""
        stem = os.path.splitext(os.path.basename(self.path))[0]
        yield f"{MARK}{self.spec} that stay Python code; the spec needs this file."
        yield ""
        yield f"    mimgraph run {self.spec} --import {stem}"
        yield '"""'
        yield ""
        if self.modules:
            yield "from copy import deepcopy"
        if any("tensors(" in layer.forward for layer in self.layers):
            yield "from dataclasses import is_dataclass"
        if self.modules:
            yield "from functools import cache"
        homes = [*self.homes.values(), *([self.recipe.home] if self.recipe else [])]
        folders = dict.fromkeys(home.folder for home in homes if home.folder)
        if folders:
            yield "from pathlib import Path"
            yield "import sys"
        yield ""
        yield "import mimgraph as mg"
        yield "import torch"
        yield "from torch import nn"
        if homes:
            yield ""
        for folder in folders:
            yield f"sys.path.append({relative(folder, os.path.dirname(self.path))})"
        yield from (f"import {name}" for name in dict.fromkeys(home.module for home in homes))

    def _model(self) -> str:
        """Return the function that makes the model."""
        lines = [
            "@cache",
            "def model():",
            '    """Return the model that has the layers as parts."""',
        ]
        if self.recipe is not None:
            return "\n".join(
                [*lines, '    with torch.device("cpu"):', f"        return {self.recipe.text}"]
            )
        name = type(self.model).__name__
        message = f"return the {name}: how it was made is not known"
        return "\n".join([*lines, f'    raise NotImplementedError("{message}")'])

    def _layer(self, layer: PythonLayer) -> str:
        """Return the class of a layer with its registration."""
        arguments = {"shape": layer.shape, "dtype": layer.dtype and f'"{layer.dtype}"'}
        given = ", ".join(f"{name}={one}" for name, one in arguments.items() if one)
        register = f"@mg.register({given})" if given else "@mg.register"
        init = [f'become(self, "{layer.path}")'] if layer.module is not None else []
        return f"{register}\n{layer.class_text(self._base(layer), init)}"

    def _base(self, layer: PythonLayer) -> str:
        """Return the class that a layer inherits from: the user's, as the layer has its methods."""
        if layer.module is None:
            return "nn.Module"
        home: Home | None = self.homes.get(layer.name)
        if home is None:  # a class inside of a function is found in the model only
            return f'type(model().get_submodule("{layer.path}"))'
        return f"{home.module}.{type(layer.module).__qualname__}"
