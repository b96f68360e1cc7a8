"""Source to classes: the very text that `emit` writes is run. With the prober, the only import of torch."""

from __future__ import annotations

import hashlib
import linecache
import sys
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

from torch import nn

_PREFIX = "mimgraph_compiled_"

Restore = Callable[[str, str], nn.Module]


def load(source: str, spec: Callable[[], str], restore: Restore) -> ModuleType:
    """The source as a module that `inspect`, debuggers and tracebacks find; run once a text, and
    forgotten with the last that lives of it, so that a search may compile without end.

    A pickle of an instance holds the spec and the name of its class, no code: `restore` makes an
    empty instance from them, in any process.
    """
    key = _PREFIX + hashlib.sha256(source.encode()).hexdigest()[:16]
    if key in sys.modules:
        return sys.modules[key]
    filename = f"<mimgraph {key.removeprefix(_PREFIX)}>"
    module = ModuleType(key, "Compiled by mimgraph.")
    module.__file__ = filename
    module.__dict__["__itself__"] = module  # each class and function of it keeps it alive
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    sys.modules[key] = weakref.proxy(module)
    weakref.finalize(module, _forget, key, filename).atexit = False
    code = compile(source, filename, "exec", dont_inherit=True)
    exec(code, module.__dict__)  # noqa: S102 - our own text
    for value in list(module.__dict__.values()):
        if isinstance(value, type) and value.__module__ == key:
            _pickle_by_spec(value, spec, restore)
    return module


def _forget(key: str, filename: str) -> None:
    sys.modules.pop(key, None)
    linecache.cache.pop(filename, None)


def _pickle_by_spec(cls: type, spec: Callable[[], str], restore: Restore) -> None:
    def reduce(self: Any, protocol: Any) -> tuple[Any, ...]:
        return restore, (spec(), cls.__name__), self.__dict__

    cls.__reduce_ex__ = reduce  # type: ignore[method-assign, assignment]
