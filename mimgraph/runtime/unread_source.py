"""Make the class of plain layers before its source: that is written and run when something first reads it.

Until then the class has descriptors in place of its methods. Afterwards it is the class that the source
defines, and has no trace of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from threading import RLock
from types import FunctionType, ModuleType
from typing import Any
from weakref import WeakSet, WeakValueDictionary

from torch import nn

from mimgraph.emit.classes.plain_layers import Layer, Layers
from mimgraph.emit.emit import emit
from mimgraph.ir.typed.graph import TypedGraph
from mimgraph.runtime.loader import Restore, enter, key_of, load, pickle_by_spec, run
from mimgraph.support.gc_pause import uncollected

TORCHS_COMPILER = "torch._dynamo"


def load_unread(
    graph: TypedGraph, layers: Layers, spec: Callable[[], str], restore: Restore
) -> Mapping[str, Any]:
    """Return the names of the module of a graph's class, which makes only these layers.

    Graphs of one source share the class. So the source of another graph with the same layers is
    written at once, and compared.
    """
    key = key_of(_identity(graph, layers))
    module = _modules.get(key)
    if module is None:
        module = _modules[key] = UnreadModule(key, graph, layers)
        pickle_by_spec(module.made, spec, restore, {})
        enter(module)
        _read_before_torchs_compiler(module)
    elif module.graph is not graph:
        file = emit(graph)
        if module.read() != file.text:
            return vars(load(file.text, spec, restore, file.own, file.layers))
    return vars(module)


def may_stay_unread() -> bool:
    """Return whether nothing wraps the constructor of every new class, as DeepSpeed does to split weights."""
    return "__init_subclass__" not in vars(nn.Module)


def _identity(graph: TypedGraph, layers: Layers) -> str:
    """Return a text that differs for most graphs of different sources."""
    distinct = {id(layer): layer for _, layer in layers}
    texts = {key: repr(layer) for key, layer in distinct.items()}
    inputs = [f"{name} {type_} {type_.dtype}" for name, type_ in graph.body.inputs.items()]
    made = [f"{attribute} {texts[id(layer)]}" for attribute, layer in layers]
    return "\n".join([graph.name, *inputs, *made])


class UnreadModule(ModuleType):
    """A module whose source runs when something reads a name that it does not have yet."""

    __slots__ = ("_lock", "graph", "layers", "made", "source")

    def __init__(self, key: str, graph: TypedGraph, layers: Layers) -> None:
        super().__init__(key, "Compiled by mimgraph.")
        self._lock = RLock()
        self.graph = graph
        self.layers = layers
        self.source = ""
        unread = {name: _Unread(self, name) for name in ("__doc__", "__init__", "forward")}
        self.made = type(graph.name, (nn.Module,), {"__module__": key, **unread})
        vars(self)[graph.name] = self.made

    def read(self) -> str:
        """Return the source; write and run it if that was not done yet."""
        with self._lock, uncollected():
            if not self.source:
                source, name = emit(self.graph).text, self.graph.name
                made = vars(self).pop(name)  # the source may read a builtin of this name
                run(self, source, source)
                _become(made, vars(self)[name])
                vars(self)[name] = made
                self.source, self.layers = source, []
                _unread.discard(self)
        return self.source

    def __getattr__(self, name: str) -> Any:
        self.read()
        try:
            return vars(self)[name]
        except KeyError:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}") from None


class _Unread:
    """What stands in a class for an attribute that its source defines."""

    def __init__(self, module: UnreadModule, name: str) -> None:
        self.module = module
        self.name = name

    def __get__(self, instance: object, owner: type) -> Any:
        self.module.read()
        return getattr(owner if instance is None else instance, self.name)


def make(cls: type[nn.Module]) -> nn.Module:
    """Return a new instance of a class: what its `__init__` makes, which need not be read for that.

    If a layer cannot be made, the source runs, as its lines name the node.
    """
    init = vars(cls).get("__init__")
    if isinstance(init, _Unread) and init.module.layers:
        with suppress(Exception):
            return _made(cls, init.module.layers)
        init.module.read()
    return cls()


def read_now(cls: type[nn.Module]) -> None:
    """Run the source of a class, so that the first call need not."""
    init = vars(cls).get("__init__")
    if isinstance(init, _Unread):
        init.module.read()


def _made(cls: type[nn.Module], layers: Layers) -> nn.Module:
    """Return a new instance of a class with these layers."""
    made = cls.__new__(cls)
    nn.Module.__init__(made)
    distinct = {id(layer): layer for _, layer in layers}
    makers = {key: _maker(layer) for key, layer in distinct.items()}
    for attribute, layer in layers:
        setattr(made, attribute, makers[id(layer)]())
    return made


def _maker(layer: Layer) -> Callable[[], nn.Module]:
    """Return what makes a layer, a new one each time."""
    made = getattr(nn, layer.class_name)
    if layer.items:
        items = [_maker(item) for item in layer.items]
        return lambda: made(*[item() for item in items])
    return partial(made, *layer.arguments, **layer.keywords)


def _become(cls: type, other: type) -> None:
    """Give a class the methods of another in place of unread ones; a method that the user has set stays."""
    for name, value in vars(other).items():
        if name in ("__dict__", "__weakref__"):
            continue
        if isinstance(value, FunctionType):
            for free, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
                if free == "__class__":  # which `super()` reads
                    cell.cell_contents = cls
        if name not in vars(cls) or isinstance(vars(cls)[name], _Unread):
            setattr(cls, name, value)


_modules: WeakValueDictionary[str, UnreadModule] = WeakValueDictionary()
_unread: WeakSet[UnreadModule] = WeakSet()


def _read_before_torchs_compiler(module: UnreadModule) -> None:
    """Read a module before torch's compiler does: that looks into classes without running descriptors."""
    if TORCHS_COMPILER in sys.modules:
        module.read()
        return
    _unread.add(module)
    if _BeforeTorchsCompiler not in sys.meta_path:
        sys.meta_path.insert(0, _BeforeTorchsCompiler)


class _BeforeTorchsCompiler:
    """A finder of `sys.meta_path` that finds nothing, but reads all modules when the compiler is imported."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: Any = None) -> None:
        if name == TORCHS_COMPILER:
            stop_watching()


def stop_watching() -> None:
    """Read every module, and wait for torch's compiler no more."""
    if _BeforeTorchsCompiler in sys.meta_path:
        sys.meta_path.remove(_BeforeTorchsCompiler)
    for module in list(_unread):
        module.read()
