"""Keep the rules that turn the call of a layer into nodes, by the name of its class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

from mimgraph.importer.foreign.keras.body import Body, Sources
from mimgraph.importer.foreign.keras.options import Layer
from mimgraph.importer.foreign.keras.value import Array, Value, Weight


class Use(NamedTuple):
    """One call of a layer: the values it is given, and the body that takes its nodes.

    In `args` and `kwargs`, values stand in place of tensors.
    """

    layer: Layer
    path: str  # of its weights in the file
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    body: Body
    shapes: tuple[
        tuple[int | None, ...] | None, ...
    ] = ()  # of its results, where another reads them

    @property
    def values(self) -> list[Value]:
        """The tensors among the arguments by position, in order."""
        return [*values_in(self.args)]

    @property
    def value(self) -> Value:
        """The first tensor; refuse a call without one."""
        if not self.values:
            self.layer.refuse("wrong-arity", "it is called without a tensor")
        return self.values[0]

    def add(
        self,
        entry: dict[str, Any],
        sources: Sources | Value,
        weights: Mapping[str, Weight] | None = None,
        suffix: str = "",
    ) -> str:
        """Add a node under the name of the layer, and return its name; its weights may be frozen.

        One with a suffix is a step towards the result.
        """
        if isinstance(sources, Value):
            sources = [sources.source]
        if weights and "buffer" not in entry and self.layer.options.get("trainable") is False:
            entry = {**entry, "freeze": True}
        return self.body.add(f"{self.layer.name}{suffix}", entry, sources, weights)

    def weight(
        self, name: str | int, make: Callable[[Array], Array] = lambda array: array
    ) -> Weight:
        """Return a weight made of one array of the file: `kernel`'s number, or a path of its own."""
        return Weight((self.array(name),), make)

    def array(self, name: str | int) -> str:
        """Return the path of an array of the layer: by number, or `cell/vars/0`."""
        return f"{self.path}/vars/{name}" if isinstance(name, int) else f"{self.path}/{name}"

    def note(self, reason: str, message: str) -> None:
        """Note something of the layer that the spec leaves out."""
        self.body.note("left-out", reason, message, self.layer.name)


Result = Value | tuple[Value, ...]
Rule = Callable[[Use], Result]


class Unsupported(Exception):
    """Say that a layer cannot be turned into nodes as it is used; it becomes an opaque layer."""


_LAYERS: dict[str, Rule] = {}
_OPERATIONS: dict[str, Rule] = {}
_HOMES = (
    "activations attention convolution dense dropout images merging normalization operations "
    "pooling recurrent reshaping wrappers"
)


def layer(*names: str) -> Callable[[Rule], Rule]:
    """Return a decorator that keeps a rule for layers of these classes."""
    return _keeper(_LAYERS, names)


def operation(*names: str) -> Callable[[Rule], Rule]:
    """Return a decorator that keeps a rule for functions of `keras.ops`, by the names of their classes."""
    return _keeper(_OPERATIONS, names)


def _keeper(rules: dict[str, Rule], names: tuple[str, ...]) -> Callable[[Rule], Rule]:
    def keep(rule: Rule) -> Rule:
        rules.update(dict.fromkeys(names, rule))
        return rule

    return keep


def find(layer: Layer) -> Rule | None:
    """Return the rule for a layer; None for one of the user's or one that is not known."""
    if not _LAYERS:
        for home in _HOMES.split():
            import_module(f"mimgraph.importer.foreign.keras.layers.{home}")
    rules = _OPERATIONS if layer.is_operation else _LAYERS
    return rules.get(layer.kind) if layer.is_keras else None


def mask_of(use: Use, value: Value) -> str | None:
    """Return the source of the mask of a value: that of the call, else the one that came with it."""
    given = use.kwargs.get("mask")
    return given.source if isinstance(given, Value) else value.mask


def values_in(arguments: Any) -> list[Value]:
    """Return the values in arguments, in order."""
    if isinstance(arguments, Value):
        return [arguments]
    if isinstance(arguments, dict):
        arguments = list(arguments.values())
    if isinstance(arguments, list | tuple):
        return [value for item in arguments for value in values_in(item)]
    return []
