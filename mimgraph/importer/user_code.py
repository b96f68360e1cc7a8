"""Load a module from the user's own code: `my_model.py:Net` or `package.module:make_net`.

This runs the code, as `python my_model.py` does.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
import sys
from collections.abc import Callable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from mimgraph.diagnostics.nearest import suggestion
from mimgraph.diagnostics.text import unmarked
from mimgraph.importer.user_errors import UserCodeError, is_users_file, run_users
from mimgraph.support.arguments import shown

if TYPE_CHECKING:
    from torch import nn

_NAME = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_FORM = re.compile(rf"(?P<place>.+\.py|{_NAME}):(?P<name>{_NAME})", re.DOTALL)


_MISSING = object()
G = TypeVar("G")


class _Entered(NamedTuple):
    """A folder that was put on `sys.path`, and the names of the modules that were imported before."""

    folder: str
    before: frozenset[str]


_entered: list[_Entered] = []  # at most one: the folder of the last file


class Reference(NamedTuple):
    """A name in a Python file or in a module that can be imported."""

    place: str
    name: str

    @property
    def is_file(self) -> bool:
        """Return whether the place is a file, not the name of a module."""
        return self.place.endswith(".py")

    def __str__(self) -> str:
        return f"{self.place}:{self.name}"


def reference(text: str) -> Reference | None:
    """Return the reference that a text is; None for any other text, and for a file of this name."""
    match = _FORM.fullmatch(text)
    return Reference(*match.groups()) if match and not os.path.exists(text) else None


def build(wanted: Reference, arguments: Mapping[str, Any], graphs: type[G]) -> nn.Module | G:
    """Return the module or graph that a reference names: one that is made already, or what a class or
    function returns for these arguments.

        build(Reference("my_model.py", "Net"), {"hidden": 64}, mg.Graph)

    Equal calls make equal weights. A `UserCodeError` has the fault of the code and the line that it is
    in.
    """
    import torch  # imported here, as `reference` is asked about specs, too
    from torch import nn

    from mimgraph.importer.recipe import remember

    torch.manual_seed(0)
    module = _load(wanted)
    found = _named(module, wanted)
    made = found
    if isinstance(found, nn.Module | graphs):
        if arguments:
            raise UserCodeError(f"{wanted} is made already, so it takes no --arg")
    elif not callable(found) or (isinstance(found, type) and not issubclass(found, nn.Module)):
        what = "a class" if isinstance(found, type) else shown(found)
        raise UserCodeError(
            f"{wanted} is {what}: name a mimgraph.Graph or nn.Module, or a class or function that makes one"
        )
    else:
        made = _call(found, arguments, wanted)
    if isinstance(made, graphs):
        return made
    if not isinstance(made, nn.Module):
        raise UserCodeError(f"{wanted} returned {shown(made)}, not a mimgraph.Graph or nn.Module")
    remember(made, module, wanted.name, arguments)
    return made


def load_function(wanted: Reference) -> Callable[..., Any]:
    """Return the function that a reference names, `train.py:objective`."""
    found = _named(_load(wanted), wanted)
    if not callable(found):
        raise UserCodeError(f"{wanted} is {shown(found)}: name a function")
    function: Callable[..., Any] = found
    return function


# --- the file -------------------------------------------------------------------------------------


def _load(wanted: Reference) -> ModuleType:
    """Return the Python module that a reference names, from the working directory too."""
    if wanted.is_file:
        return _load_file(wanted)
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return run_users(f"importing {wanted.place}", importlib.import_module, wanted.place)
    except UserCodeError as error:
        cause = error.__cause__
        parents = [wanted.place[: end.start()] for end in re.finditer(r"\.|$", wanted.place)]
        if isinstance(cause, ModuleNotFoundError) and cause.name in parents:
            help = "name a file (my_model.py:Net), or run this in the folder that has the package"
            raise UserCodeError(f"no module is called {cause.name!r}: {help}") from None
        raise


def _load_file(wanted: Reference) -> ModuleType:
    """Return the module of a file, loaded under its own name with its folder on `sys.path`."""
    path = Path(wanted.place).absolute()
    if not path.is_file():
        near = sorted(one.name for one in path.parent.glob("*.py"))
        help = unmarked(suggestion(path.name, near, "the folder has"))
        raise UserCodeError(f"there is no file {wanted.place}{help and f': {help}'}")
    _enter(str(path.parent))
    name, known = path.stem, sys.modules.get(path.stem)
    if known is not None:
        if _file_of(known) == str(path):
            return known
        name = f"users_{name}"  # `types.py` must not replace the module of Python
    spec = spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses and pickle look for it
    try:
        run_users(f"importing {wanted.place}", spec.loader.exec_module, module)
    except UserCodeError as error:
        del sys.modules[name]
        if isinstance(error.__cause__, ImportError) and "relative import" in str(error.__cause__):
            raise UserCodeError(f"{error}\n{_as_package(path, wanted.name)}") from None
        raise
    return module


def _enter(folder: str) -> None:
    """Put a folder first on `sys.path`, and forget what was imported from the folder before it: two
    versions of a model import helpers of the same names."""
    if _entered:
        last = _entered[-1]
        if last.folder == folder:
            return
        _entered.clear()
        if last.folder in sys.path:
            sys.path.remove(last.folder)
        for name, module in sys.modules.copy().items():  # other threads may import meanwhile
            file = _file_of(module)
            inside = file.startswith(last.folder + os.sep) and is_users_file(file)
            if inside and name not in last.before:
                del sys.modules[name]
    sys.path.insert(0, folder)
    _entered.append(_Entered(folder, frozenset(sys.modules)))


def _file_of(module: ModuleType) -> str:
    """Return the file of a module; an empty text if it has none."""
    return getattr(module, "__file__", None) or ""


def _as_package(path: Path, name: str) -> str:
    """Return the help for a file that imports relatively: how to name it as a part of its package."""
    root, parts = path.parent, [path.stem]
    while (root / "__init__.py").exists():
        parts.insert(0, root.name)
        root = root.parent
    if len(parts) == 1:
        parts.insert(0, root.name)
        root = root.parent
    return f"it is a part of a package: name {'.'.join(parts)}:{name}, in the folder {root}"


# --- the name -------------------------------------------------------------------------------------


def _named(module: ModuleType, wanted: Reference) -> Any:
    """Return what a module has by a name, which may be dotted."""
    found: Any = module
    for name in wanted.name.split("."):
        scope, found = found, run_users(f"{wanted}", getattr, found, name, _MISSING)
        if found is _MISSING:
            where = wanted.place if scope is module else getattr(scope, "__name__", shown(scope))
            help = unmarked(suggestion(name, _models(scope), "it has"))
            raise UserCodeError(f"{where} has no {name}{help and f': {help}'}")
    return found


def _models(scope: Any) -> list[str]:
    """Return the names that may be meant: of classes of modules and of modules, then of functions."""
    from torch import nn

    home = getattr(scope, "__name__", "")
    members = [(n, v) for n, v in getattr(scope, "__dict__", {}).items() if not n.startswith("_")]
    modules = [n for n, v in members if isinstance(v, nn.Module) or _is_class_of(v, home)]
    functions = [n for n, v in members if inspect.isfunction(v) and v.__module__ == home]
    return modules + functions


def _is_class_of(value: Any, module: str) -> bool:
    from torch import nn

    return isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == module


# --- the call -------------------------------------------------------------------------------------


def _call(function: Callable[..., Any], arguments: Mapping[str, Any], wanted: Reference) -> Any:
    """Return the result of a class or function for the arguments of `--arg`."""
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # a class in C may have no signature
        return run_users(f"{wanted}", function, **arguments)
    _check_names(arguments, parameters, wanted)
    by_position = [
        arguments[name]
        for name, one in parameters.items()
        if one.kind is one.POSITIONAL_ONLY and name in arguments
    ]
    by_name = {
        name: value
        for name, value in arguments.items()
        if name not in parameters or parameters[name].kind is not inspect.Parameter.POSITIONAL_ONLY
    }
    return run_users(f"{wanted}", function, *by_position, **by_name)


def _check_names(
    arguments: Mapping[str, Any], parameters: Mapping[str, inspect.Parameter], wanted: Reference
) -> None:
    """Raise a `UserCodeError` for an argument that the function does not have, or that it needs."""
    named = {n: p for n, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    if not any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        for name in arguments:
            if name not in named:
                help = unmarked(suggestion(name, named, "it takes")) or "it takes none"
                raise UserCodeError(f"{wanted} has no argument {name}: {help}")
    missing = [n for n, p in named.items() if p.default is p.empty and n not in arguments]
    if missing:
        help = " ".join(f"--arg {name}=VALUE" for name in missing)
        raise UserCodeError(
            f"{wanted} needs {help}\n"
            "what YAML cannot say is given by a function: def make(): return Net(...)"
        )
