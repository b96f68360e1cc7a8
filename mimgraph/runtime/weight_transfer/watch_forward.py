"""Watch a forward to learn how a module uses its tensors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from mimgraph.runtime.weight_transfer.align import owner
from mimgraph.runtime.weight_transfer.parts import Part, View, are_all, whole
from mimgraph.runtime.weight_transfer.row_provenance import (
    RowProvenance,
    activation_of,
    follow,
    product_of,
    with_bias,
)
from mimgraph.runtime.weight_transfer.usage import Edge, Usage, own_tensors

MATMULS = frozenset(("mm", "addmm", "bmm", "baddbmm"))
MAX_STEPS = 4  # of the way from one tensor to the next that are kept

NamedWays = frozenset[tuple[str, tuple[str, ...]]]  # inputs or tensors, and the steps since


def tensors_in(result: object) -> list[Tensor]:
    """Return the tensors in the result of a forward, also in a user's subclass of dict."""
    plain = dict(result) if isinstance(result, Mapping) else result
    return [leaf for leaf in tree_leaves(plain) if isinstance(leaf, Tensor)]


def usage_of(module: nn.Module, run: Callable[[], object], inputs: Mapping[str, Tensor]) -> Usage:
    """Run the module once in evaluation mode, and return how it used its tensors."""
    tensors = own_tensors(module)
    with predicting(module), _Watch(tensors, inputs) as watch:
        outputs = watch.ends(run())
    siblings = _siblings(tensors, watch.used)
    ranks = {key: watch.used.get(siblings.get(key, key), len(tensors)) for key in tensors}
    ordered = {key: tensors[key] for key in sorted(tensors, key=ranks.__getitem__)}
    parts = {key: watch.parts_of(key) for key in ordered}
    edges = frozenset(watch.edges())
    return Usage(ordered, parts, edges, watch.numbered, siblings, outputs, watch.tables)


def _siblings(keys: Iterable[str], used: Iterable[str]) -> dict[str, str]:
    """Return for each tensor without a use, such as a counter, the last one used of its module."""
    last = {owner(key): key for key in used}
    idle = set(keys) - set(used)
    return {key: last[owner(key)] for key in idle if owner(key) in last}


@contextmanager
def predicting(module: nn.Module) -> Iterator[None]:
    """Run in eval mode, without gradients, and without ops that fuse the steps of attention."""
    training = {part: part.training for part in module.modules()}
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    module.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]), sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for part, mode in training.items():
            part.training = mode


class _Origin(NamedTuple):
    """The nearest inputs and tensors that a value was made from, each with the steps since.

    It is `data` if an input takes part.
    """

    ways: NamedWays
    data: bool

    def through(self, *steps: str) -> _Origin:
        """Return the origin of the value after these steps."""
        if not (steps and self.data):
            return self
        return _Origin(
            frozenset((name, (*way, *steps)[-MAX_STEPS:]) for name, way in self.ways), data=True
        )


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch types neither
    """Sees every op of a forward, and so which tensors of the module meet which data."""

    def __init__(self, tensors: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.used: dict[str, int] = {}
        self.numbered: dict[str, Part] = {}
        self.tables: dict[str, int] = {}
        self._fed = defaultdict[str, set[tuple[str, str]]](
            set
        )  # for each part, its sources and the steps from them
        self._numbers: dict[Part, str] = {}
        # the parts of each tensor: all that met data, and the ones whose results were used further
        self._begun = defaultdict[str, dict[Part, None]](dict)
        self._taken = defaultdict[str, dict[Part, None]](dict)
        self._tensors = tensors
        self._names = {id(tensor): key for key, tensor in tensors.items()}
        self._origins: Any = WeakIdKeyDictionary()
        self._provenance: Any = WeakIdKeyDictionary()
        self._views: Any = WeakIdKeyDictionary()  # the keys of the tensors that are viewed
        for name, tensor in inputs.items():
            self._origins[tensor] = _Origin(frozenset({(f"input {name}", ())}), data=True)

    def edges(self) -> set[Edge]:
        """Return which tensor feeds which, one edge for each way."""
        return {Edge(*way, target) for target, ways in self._fed.items() for way in ways}

    def ends(self, result: object) -> tuple[tuple[torch.Size, frozenset[str]], ...]:
        """Return the shape of each tensor in the result, with the tensors and inputs that made it."""
        found = [(leaf.shape, self._origin(leaf)) for leaf in tensors_in(result)]
        return tuple(
            (shape, frozenset(name for name, _ in origin.ways)) for shape, origin in found if origin
        )

    def parts_of(self, key: str) -> tuple[Part, ...]:
        """Return the parts in which the tensor was used if they cover it, else the whole tensor."""
        used = {part.addresses: part for part in self._taken[key] or self._begun[key]}
        largest = [used[rows] for rows in used if not any(rows < other for other in used)]
        tensor = self._tensors[key]
        if len(largest) == 1 and torch.Size(largest[0].shape).numel() == tensor.numel():
            return (largest[0],)
        largest.sort(key=lambda part: min(part.addresses))
        return tuple(largest) if are_all(largest, tensor) else (whole(key, tensor),)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        given = [value for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
        made = [value for value in tree_leaves(result) if isinstance(value, Tensor)]
        made = [value for value in made if id(value) not in self._names]
        name = func.overloadpacket.__name__
        if func.is_view and (key := self._stored(given[0])) is not None:
            for value in made:
                self._views[value] = key
        self._use(given)
        self._look_up(name, args)
        if (rows := product_of(name, args, result, self._stored)) is not None:
            self._begin(given, rows, result)
        elif not self._follow(func, name, args, kwargs, given, made, result):
            self._mix(name, given, made)
        return result

    def _stored(self, value: Any) -> str | None:
        """Return the key of the tensor that a value is, or is a view of."""
        if not isinstance(value, Tensor):
            return None
        found: str | None = self._names.get(id(value)) or self._views.get(value)
        return found

    def _use(self, given: Iterable[Tensor]) -> None:
        for value in given:
            if id(value) in self._names:
                self.used.setdefault(self._names[id(value)], len(self.used))

    def _look_up(self, name: str, args: Any) -> None:
        """Record the first row that is read of a table of positions."""
        match name, args:
            case "embedding", (table, places, *_) if places.numel() and not places.is_meta:
                start = None if self._is_known(places) else int(places.min())
            case "slice", (table, 0, int(start), *_) if start >= 0:
                pass
            case "slice", (table, 1, int(start), *_) if start >= 0 and table.shape[0] == 1:
                pass
            case _:
                return
        key = self._stored(table)
        if start is not None and key is not None:
            self.tables.setdefault(key, start)

    def _number(self, part: Part) -> str:
        """Return a provisional name of a part, until all parts are known."""
        number = self._numbers.setdefault(part, f"{part.key} {len(self._numbers)}")
        self.numbered[number] = part
        return number

    def _origin(self, value: Tensor) -> _Origin | None:
        """Return the origin of a value that an op takes: the parts whose rows made it count as used."""
        if id(value) in self._names:
            return _Origin(frozenset({(self._names[id(value)], ())}), data=False)
        found: _Origin | None = self._origins.get(value)
        rows: RowProvenance | None = self._provenance.get(value)
        if found is None or rows is None:
            return found
        numbers = {part.key: self._number(part) for part in rows.parts()}
        for part in rows.parts():
            self._taken[part.key][part] = None
        return _Origin(
            frozenset((numbers.get(key, key), way) for key, way in found.ways), data=True
        )

    def _begin(self, given: Iterable[Tensor], rows: RowProvenance, result: Tensor) -> None:
        """Record that data meet a matrix, and perhaps a bias."""
        origins = [self._origin(value) for value in given if self._stored(value) is None]
        ways = NamedWays().union(*(o.ways for o in origins if o))
        for key, view in rows.sources:
            self._begun[key][Part(key, view)] = None
            self._feed(ways, self._number(Part(key, view)))
        # a product of values that no input made, such as queries that are parameters, is data too
        self._origins[result] = _Origin(frozenset((key, ()) for key, _ in rows.sources), data=True)
        self._provenance[result] = rows

    def _follow(
        self,
        func: Any,
        name: str,
        args: Any,
        kwargs: Mapping[str, Any],
        given: list[Tensor],
        made: list[Tensor],
        result: Any,
    ) -> bool:
        """Return whether the results keep row provenance, as the op does not mix the rows of a value."""
        known = [value for value in given if self._is_known(value)]
        traced = [value for value in known if value in self._provenance]
        if len(traced) != 1:
            return False
        (value,) = traced
        rows, origin = self._provenance[value], self._origins[value]
        if name in ("add", "add_") and len(known) == 2:
            bias = next(other for other in known if other is not value)
            key = self._stored(bias)
            biased = with_bias(rows, key, bias) if key is not None else None
            if key is None or biased is None:
                return False
            number = self._number(Part(key, View.of(bias)))
            self._fed[number] |= self._fed[self._number(Part(*rows.sources[0]))]
            self._origins[made[0]] = _Origin(origin.ways | {(key, ())}, data=True)
            self._provenance[made[0]] = biased
            return True
        followed = follow(func, args, kwargs, value, rows, result) if len(known) == 1 else None
        if followed is None:
            return False
        for new, its in zip(made, followed, strict=True):
            self._origins[new] = origin.through(*activation_of(name))
            self._provenance[new] = its
        return True

    def _is_known(self, value: Tensor) -> bool:
        return id(value) in self._names or value in self._origins

    def _mix(self, name: str, given: list[Tensor], made: Iterable[Tensor]) -> None:
        """Record the origin of an op's results from the origins of its operands."""
        origins = [origin for origin in map(self._origin, given) if origin]
        if name in MATMULS and sum(origin.data for origin in origins[-2:]) == 2:
            origins[-2:] = [o.through(f"matmul{i}") for i, o in enumerate(origins[-2:])]
        origins = [origin.through(*activation_of(name)) for origin in origins]
        none = NamedWays()
        data = none.union(*(origin.ways for origin in origins if origin.data))
        fixed = none.union(*(origin.ways for origin in origins if not origin.data))
        for target, _ in fixed:
            self._feed(data, target)
        if origins:
            for value in made:
                self._provenance.pop(value, None)
                self._origins[value] = _Origin(fixed or data, data=bool(data))
                self._fill(value)

    def _fill(self, part: Tensor) -> None:
        """Record the origin of a tensor that an op writes a part of, as `padded[:, :5] = steps` does."""
        base, origin = part._base, self._origins[part]
        if base is None or id(base) in self._names:
            return
        before: _Origin | None = self._origins.get(base)
        ways = origin.ways if before is None else origin.ways | before.ways
        self._origins[base] = _Origin(ways, origin.data or (before is not None and before.data))
        self._provenance.pop(base, None)

    def _feed(self, ways: NamedWays, target: str) -> None:
        self._fed[target] |= {(source, "/".join(way)) for source, way in ways}
