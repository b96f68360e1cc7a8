"""Source to classes: the very text that `emit` writes is run."""

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

from mimgraph.runtime.error_notes import origin_of

_PREFIX = "mimgraph_compiled_"

Restore = Callable[..., nn.Module]


def load(
    source: str,
    spec: Callable[[], str],
    restore: Restore,
    own: Mapping[str, Any],
    layers: Mapping[str, type],
) -> ModuleType:
    """The source as a module that `inspect`, debuggers and tracebacks find; run once a text, and
    forgotten with the last that lives of it, so that a search may compile without end.

    The user's own classes are given, by the names that the text imports: they may stand in a
    function, or be defined anew. A pickle of an instance holds the spec, the name of its class and
    the registered `layers`, no code: `restore` makes an empty instance of them, in any process.
    """
    identity = source + "".join(f"\n{name} {id(thing)}" for name, thing in own.items())
    key = _PREFIX + hashlib.sha256(identity.encode()).hexdigest()[:16]
    if key in sys.modules:
        return sys.modules[key]
    filename = f"<mimgraph {key.removeprefix(_PREFIX)}>"
    module = ModuleType(key, "Compiled by mimgraph.")
    module.__file__ = filename
    code = compile(_without(own, source), filename, "exec", dont_inherit=True)
    # every class and function of it holds its names, and so keeps it alive
    vars(module).update(own, __itself__=module)
    exec(code, vars(module))  # noqa: S102 - our own text
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    face = sys.modules[key] = _faces.setdefault(key, _Face(key))
    face.show(module)
    weakref.finalize(module, _forget, key, filename).atexit = False
    for value in list(module.__dict__.values()):
        if isinstance(value, type) and value.__module__ == key:
            _pickle_by_spec(value, spec, restore, layers)
    return module


class _Face(ModuleType):
    """A module as `sys.modules` has it: with all of its names, but not keeping it alive."""

    def show(self, module: ModuleType) -> None:
        self.__doc__ = module.__doc__
        self._module = weakref.ref(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module(), name)

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        return getattr(self._module(), "__dict__", {})


# What holds a face, as torch's compiler does, finds the module again that is made anew of its text.
_faces: weakref.WeakValueDictionary[str, _Face] = weakref.WeakValueDictionary()


def _forget(key: str, filename: str) -> None:
    sys.modules.pop(key, None)
    linecache.cache.pop(filename, None)


def _without(own: Mapping[str, Any], source: str) -> ast.Module | str:
    """The source without the imports of what is given, every line at its place."""
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


def _pickle_by_spec(
    cls: type, spec: Callable[[], str], restore: Restore, layers: Mapping[str, type]
) -> None:
    def reduce(self: Any, protocol: Any) -> tuple[Any, ...]:
        return restore, (spec(), cls.__name__, layers, origin_of(self)), self.__dict__

    cls.__reduce_ex__ = reduce  # type: ignore[method-assign, assignment]
