"""Write how a model is made as Python: `my_model.Net(hidden=64)`."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import nn

from mimgraph.importer.user_errors import is_users_file


class Home(NamedTuple):
    """A Python module to import, and the folder of the user's that it lies in, "" if it is installed."""

    module: str
    folder: str


class Recipe(NamedTuple):
    """An expression that makes a model, and the Python module that it reads: `my_model.Net(64)`."""

    home: Home
    text: str


_recipes: WeakKeyDictionary[nn.Module, Recipe] = WeakKeyDictionary()


def remember(model: nn.Module, module: ModuleType, name: str, arguments: Mapping[str, Any]) -> None:
    """Keep how a model was made: by a class or function of a Python module, with these arguments; a
    model that the module has made itself is only named."""
    home = home_of(module)
    if home is not None:
        given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        found: Any = module
        for part in name.split("."):
            found = getattr(found, part)
        call = "" if found is model else f"({given})"
        _recipes[model] = Recipe(home, f"{home.module}.{name}{call}")


def recipe_of(model: nn.Module) -> Recipe | None:
    """Return how a model was made: as it is known, or by arguments of its constructor that its attributes
    have; None if that makes no model of the same structure."""
    return _recipes.get(model) or _recovered(model)


def home_of(module: ModuleType | None) -> Home | None:
    """Return how a file imports a Python module; None for one without a file, such as a notebook."""
    file = getattr(module, "__file__", None)
    if module is None or not file:
        return None
    name = module.__name__
    path = Path(file).absolute()
    if name == "__main__" or name.rpartition(".")[2] not in (path.stem, path.parent.name):
        name = path.stem
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    if not is_users_file(str(path)):
        return Home(name, "")
    depth = name.count(".") + (path.stem == "__init__")
    return Home(name, str(path.parents[depth]))


def home_of_class(cls: type) -> Home | None:
    """Return how a file imports the Python module of a class; None for a class inside of a function."""
    return None if "<locals>" in cls.__qualname__ else home_of(sys.modules.get(cls.__module__))


def _recovered(model: nn.Module) -> Recipe | None:
    cls = type(model)
    home, arguments = home_of_class(cls), _arguments(model)
    if home is None or arguments is None or not _makes(cls, arguments, model):
        return None
    given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    return Recipe(home, f"{home.module}.{cls.__qualname__}({given})")


def _arguments(model: nn.Module) -> dict[str, Any] | None:
    """Return the arguments of the constructor by the attributes of the same names."""
    try:
        parameters = [*inspect.signature(type(model)).parameters.values()]
    except (TypeError, ValueError):
        return None
    arguments: dict[str, Any] = {}
    for one in parameters:
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            continue
        value = vars(model).get(one.name, one.empty)
        if _is_plain(value) and value is not one.empty:
            if value != one.default:
                arguments[one.name] = value
        elif one.default is one.empty:
            return None
    return arguments


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


def _makes(cls: type[nn.Module], arguments: Mapping[str, Any], model: nn.Module) -> bool:
    """Return whether the constructor makes a model with the same weights in shape."""
    try:
        with torch.random.fork_rng(devices=[]):
            made = cls(**arguments)
    except Exception:  # noqa: BLE001 - the user's code may raise anything
        return False
    return _shapes(made) == _shapes(model)


def _shapes(model: nn.Module) -> dict[str, Any]:
    return {name: getattr(one, "shape", None) for name, one in model.state_dict().items()}


def relative(folder: str, start: str) -> str:
    """Return code for a folder, by its path from the folder of the file that has the code."""
    try:
        path = os.path.relpath(folder, start)
    except ValueError:  # on another drive
        return repr(folder)
    here = "Path(__file__).parent"
    return f"str({here})" if path == "." else f'str({here} / "{Path(path).as_posix()}")'
