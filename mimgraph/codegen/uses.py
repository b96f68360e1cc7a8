"""How a module uses its own tensors in a forward: in which order, and which feeds which."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from mimgraph.codegen.alignment import Flow, owner


def own_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by the first of their keys, in order of definition."""
    found: dict[int, tuple[str, Tensor]] = {}
    for key, tensor in module.state_dict(keep_vars=True).items():
        if isinstance(tensor, Tensor):  # a module may add state of another kind
            found.setdefault(id(tensor), (key, tensor))
    return dict(found.values())


def defined(tensors: Mapping[str, Tensor]) -> Flow:
    """The tensors in the order that they stand in, with nothing known of their use."""
    return Flow({key: tuple(tensor.shape) for key, tensor in tensors.items()})


def flow_of(module: nn.Module, inputs: Mapping[str, Tensor]) -> Flow:
    """Run the module once as for a prediction, and watch.

    The inputs go by keyword where its forward has their names, else by position.
    """
    tensors = own_tensors(module)
    device = next((tensor.device for tensor in tensors.values()), torch.device("cpu"))
    inputs = {name: tensor.to(device) for name, tensor in inputs.items()}
    named = inputs.keys() <= inspect.signature(module.forward).parameters.keys()
    with _predicting(module), _Watch(tensors, inputs) as watch:
        module(**inputs) if named else module(*inputs.values())
    beside = _siblings(tensors, watch.used)
    ranks = {key: watch.used.get(beside.get(key, key), len(tensors)) for key in tensors}
    return Flow(
        {key: tuple(tensors[key].shape) for key in sorted(tensors, key=ranks.__getitem__)},
        frozenset(watch.feeds | {(sibling, key) for key, sibling in beside.items()}),
    )


def _siblings(keys: Iterable[str], used: Iterable[str]) -> dict[str, str]:
    """For each tensor without a use, as a counter, the last one used of the same module."""
    last = {owner(key): key for key in used}
    idle = set(keys) - set(used)
    return {key: last[owner(key)] for key in idle if owner(key) in last}


@contextmanager
def _predicting(module: nn.Module) -> Iterator[None]:
    """In eval mode, without gradients, and without the op that is a whole encoder layer."""
    training = {part: part.training for part in module.modules()}
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    module.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for part, mode in training.items():
            part.training = mode


class _Origin(NamedTuple):
    """What a value was made from: the nearest inputs and tensors of the module. It is `data` as
    soon as an input has part in it."""

    names: frozenset[str]
    data: bool


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch types neither
    """Sees every op, and so which tensors of the module meet which data."""

    def __init__(self, tensors: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.used: dict[str, int] = {}
        self.feeds: set[tuple[str, str]] = set()
        self._names = {id(tensor): key for key, tensor in tensors.items()}
        self._origins: Any = WeakIdKeyDictionary()
        for name, tensor in inputs.items():
            self._origins[tensor] = _Origin(frozenset({f"input {name}"}), data=True)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        given = filter(None, map(self._origin, tree_leaves((args, kwargs))))
        origin = self._meet(list(given))
        for value in tree_leaves(result):
            if origin and isinstance(value, Tensor) and id(value) not in self._names:
                self._origins[value] = origin
        return result

    def _origin(self, value: Any) -> _Origin | None:
        if not isinstance(value, Tensor):
            return None
        if id(value) in self._names:
            key = self._names[id(value)]
            self.used.setdefault(key, len(self.used))
            return _Origin(frozenset({key}), data=False)
        found: _Origin | None = self._origins.get(value)
        return found

    def _meet(self, given: list[_Origin]) -> _Origin | None:
        """The origin of what an op makes of values of these origins."""
        data = frozenset[str]().union(*(origin.names for origin in given if origin.data))
        fixed = frozenset[str]().union(*(origin.names for origin in given if not origin.data))
        self.feeds |= {(source, target) for source in data for target in fixed}
        return _Origin(fixed or data, data=bool(data)) if given else None
