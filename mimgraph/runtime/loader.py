"""Run emitted source, and return the module with its classes."""

from __future__ import annotations

import ast
import hashlib
import linecache
import sys
import weakref
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from torch import nn

from mimgraph.ir.lowering import Maker
from mimgraph.runtime.error_notes import origin_of

_PREFIX = "mimgraph_compiled_"

Restore = Callable[..., nn.Module]


def load(
    source: str,
    spec: Callable[[], str],
    restore: Restore,
    own: Mapping[str, Any],
    layers: Mapping[str, Maker],
) -> ModuleType:
    """Run the source, and return the Python module that it makes.

    `inspect`, debuggers and tracebacks find the module in `sys.modules`. The same source is run once.
    The module is removed when nothing refers to its classes any more, so that a search may compile
    any number of models.

    `own` has the user's classes that the source imports, as they may be defined in a function or
    defined again. A pickle of an instance holds the spec, the name of its class and the registered
    `layers`, but no code: `restore` makes an empty instance of them, in any process.
    """
    identity = source + "".join(f"\n{name} {id(thing)}" for name, thing in own.items())
    key = key_of(identity)
    if key in sys.modules:
        return sys.modules[key]
    module = ModuleType(key, "Compiled by mimgraph.")
    vars(module).update(own)
    run(module, source, _without(own, source))
    enter(module)
    for value in list(module.__dict__.values()):
        if isinstance(value, type) and value.__module__ == key:
            pickle_by_spec(value, spec, restore, layers)
    return module


def key_of(identity: str) -> str:
    """Return the name in `sys.modules` of a module that this text identifies."""
    return _PREFIX + hashlib.sha256(identity.encode()).hexdigest()[:16]


def run(module: ModuleType, source: str, program: ast.Module | str) -> None:
    """Run a program in a module; its lines are the same as in the source."""
    filename = _filename(module.__name__)
    module.__file__ = filename
    code = compile(program, filename, "exec", dont_inherit=True)
    # `__itself__` makes every class and function in it keep the module alive, by their globals
    module.__itself__ = module  # type: ignore[attr-defined]
    exec(code, vars(module))  # noqa: S102 - our own text
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)


def enter(module: ModuleType) -> None:
    """Enter a module in `sys.modules`, for as long as it lives."""
    key = module.__name__
    entry = sys.modules[key] = _entries.setdefault(key, _WeakModule(key))
    entry.refer_to(module)
    weakref.finalize(module, _forget, key, _filename(key)).atexit = False


def _filename(key: str) -> str:
    return f"<mimgraph {key.removeprefix(_PREFIX)}>"


class _WeakModule(ModuleType):
    """An entry of `sys.modules` with all names of a module, which does not keep the module alive."""

    def refer_to(self, module: ModuleType) -> None:
        self.__doc__ = module.__doc__
        self._module = weakref.ref(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module(), name)

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        return getattr(self._module(), "__dict__", {})


# torch's compiler keeps entries after their module is gone: they are reused if the source runs again
_entries: weakref.WeakValueDictionary[str, _WeakModule] = weakref.WeakValueDictionary()


def _forget(key: str, filename: str) -> None:
    sys.modules.pop(key, None)
    linecache.cache.pop(filename, None)


def _without(own: Mapping[str, Any], source: str) -> ast.Module | str:
    """Return the source without the imports of `own`; all other lines keep their numbers."""
    if not own:
        return source
    tree = ast.parse(source)
    tree.body = [
        statement
        for statement in tree.body
        if not isinstance(statement, ast.ImportFrom)
        or not any((alias.asname or alias.name) in own for alias in statement.names)
    ]
    return tree


def pickle_by_spec(
    cls: type, spec: Callable[[], str], restore: Restore, layers: Mapping[str, Maker]
) -> None:
    """Make pickles of instances hold the spec in place of the class."""

    def reduce(self: Any, protocol: Any) -> tuple[Any, ...]:
        return restore, (spec(), cls.__name__, layers, origin_of(self)), self.__getstate__()

    cls.__reduce_ex__ = reduce  # type: ignore[method-assign, assignment]
