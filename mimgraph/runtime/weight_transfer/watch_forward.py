"""Watch how a module uses its tensors in a forward: in which order, in what parts, and which feeds
which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from mimgraph.runtime.weight_transfer.align import Flow, owner
from mimgraph.runtime.weight_transfer.parts import Part, View, are_all, whole
from mimgraph.runtime.weight_transfer.row_provenance import (
    Lanes,
    activation_of,
    follow,
    product_of,
    with_bias,
)

MATMULS = frozenset(("mm", "addmm", "bmm", "baddbmm"))
LONGEST = 4  # steps that are kept of a way from one tensor to the next


def own_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return parameters and buffers by the first of their keys, in order of definition."""
    return once(module.state_dict(keep_vars=True))


def once(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the tensors of a state without those that are another one under a second key."""
    found: dict[Any, tuple[str, Tensor]] = {}
    for key, tensor in state.items():
        if isinstance(tensor, Tensor):  # a module may add state of another kind
            is_stored = tensor.numel() and not tensor.is_meta
            place = (tensor.data_ptr(), View.of(tensor)) if is_stored else id(tensor)
            found.setdefault(place, (key, tensor))
    return dict(found.values())


def tensors_in(result: object) -> list[Tensor]:
    """Return the tensors of what a forward returned; classes of others may be dicts."""
    plain = dict(result) if isinstance(result, Mapping) else result
    return [leaf for leaf in tree_leaves(plain) if isinstance(leaf, Tensor)]


class Edge(NamedTuple):
    """Describes what feeds a tensor of the module, and what happens to it on the way."""

    source: str  # an input, a tensor, or a part as it is numbered in Usage
    how: str
    target: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Holds the tensors of a module in order of use, with the parts in which each was used."""

    tensors: Mapping[str, Tensor]
    parts: Mapping[str, tuple[Part, ...]]  # several only if they make up the tensor
    edges: frozenset[Edge] = frozenset()
    numbered: Mapping[str, Part] = field(default_factory=dict)
    beside: Mapping[str, str] = field(default_factory=dict)  # of tensors without a use: a sibling
    outputs: tuple[tuple[torch.Size, frozenset[str]], ...] = ()  # shapes, and what made them
    tables: Mapping[str, int] = field(default_factory=dict)  # the first row read by place
    roles: Mapping[str, str] = field(default_factory=dict)  # that names tell, if no use is seen

    def named(self, joined: Iterable[str] = ()) -> dict[str, Part]:
        """Return the parts by name: that of the tensor, with a number in it where there are several.

        The parts of the tensors in `joined` are not told apart.
        """
        kept = set(joined)
        found = {}
        for key, parts in self.parts.items():
            if key in kept:
                found[key] = whole(key, self.tensors[key])
            elif len(parts) == 1:
                found[key] = parts[0]
            else:
                kind = "bias" if key.endswith("bias") else "weight"
                found |= {f"{owner(key)}#{i}.{kind}": part for i, part in enumerate(parts)}
        return found

    def flow(self, named: Mapping[str, Part]) -> Flow:
        """Return the shapes of these parts, and what feeds what."""
        names: dict[str, list[str]] = {}
        for name, part in named.items():
            names.setdefault(part.key, []).append(name)

        def meant(end: str) -> list[str]:
            used = self.numbered.get(end)
            candidates = names.get(used.key if used else end, [end])
            if used is None or len(candidates) == 1:
                return candidates
            return [name for name in candidates if named[name].addresses & used.addresses]

        ends = {end: meant(end) for edge in self.edges for end in (edge.source, edge.target)}
        feeds = {
            (source, target, edge.how)
            for edge in self.edges
            for source in ends[edge.source]
            for target in ends[edge.target]
        }
        feeds |= {
            (named_by, name, "")
            for key, sibling in self.beside.items()
            for named_by in names.get(sibling, ())
            for name in names.get(key, ())
        }
        feeds |= {
            (self.roles[key], name, "")
            for name, part in named.items()
            for key in (name, part.key)
            if key in self.roles
        }
        return Flow({name: part.shape for name, part in named.items()}, frozenset(feeds))

    def are_last(self, keys: Iterable[str]) -> bool:
        """Return whether these tensors feed no others."""
        last = set(keys)
        return all(
            self._key(edge.target) in last for edge in self.edges if self._key(edge.source) in last
        )

    def without_heads(self, other: Usage) -> Iterator[Usage]:
        """Yield this usage without the tensors that lead to no output with a shape of the other's;
        then, if one output is wanted and several have its shape, without those that lead to others.

        All are kept if an output of the other has no like here.
        """
        wanted = {shape for shape, _ in other.outputs}
        alike = [ends for shape, ends in self.outputs if shape in wanted]
        if not wanted <= {shape for shape, _ in self.outputs}:
            alike = []
        yield self._leading_to(frozenset().union(*alike)) if alike else self
        if len(alike) > 1 and len(other.outputs) == 1:
            yield from map(self._leading_to, alike)

    def _leading_to(self, ends: frozenset[str]) -> Usage:
        before = defaultdict[str, list[str]](list)
        for source, _, target in self.edges:
            before[self._key(target)].append(self._key(source))
        waiting = [self._key(end) for end in ends]
        needed = set[str]()
        while waiting:
            key = waiting.pop()
            if key not in needed:
                needed.add(key)
                waiting += before[key]
        used = {self._key(edge.target) for edge in self.edges}
        heads = {key for key in self.tensors if self.beside.get(key, key) in used - needed}
        tensors = {key: tensor for key, tensor in self.tensors.items() if key not in heads}
        edges = {
            edge
            for edge in self.edges
            if heads.isdisjoint((self._key(edge.source), self._key(edge.target)))
        }
        parts = {key: self.parts[key] for key in tensors}
        return replace(self, tensors=tensors, parts=parts, edges=frozenset(edges))

    def _key(self, end: str) -> str:
        return self.numbered[end].key if end in self.numbered else end


def usage_of(module: nn.Module, run: Callable[[], object], inputs: Mapping[str, Tensor]) -> Usage:
    """Run the module once in evaluation mode and watch; `inputs` are known by these names."""
    tensors = own_tensors(module)
    with predicting(module), _Watch(tensors, inputs) as watch:
        outputs = watch.ends(run())
    beside = _siblings(tensors, watch.used)
    ranks = {key: watch.used.get(beside.get(key, key), len(tensors)) for key in tensors}
    ordered = {key: tensors[key] for key in sorted(tensors, key=ranks.__getitem__)}
    parts = {key: watch.parts_of(key) for key in ordered}
    edges = frozenset(watch.edges())
    return Usage(ordered, parts, edges, watch.numbered, beside, outputs, watch.tables)


def _siblings(keys: Iterable[str], used: Iterable[str]) -> dict[str, str]:
    """For each tensor without a use, as a counter, the last one used of the same module."""
    last = {owner(key): key for key in used}
    idle = set(keys) - set(used)
    return {key: last[owner(key)] for key in idle if owner(key) in last}


@contextmanager
def predicting(module: nn.Module) -> Iterator[None]:
    """Be in eval mode, without gradients, and without ops that hide what attention is made of."""
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
    """Holds the nearest inputs and tensors that a value was made from, each with what happened
    since. It is `data` as soon as an input takes part."""

    ways: frozenset[tuple[str, tuple[str, ...]]]
    data: bool

    def through(self, *steps: str) -> _Origin:
        """Return the origin of the value after these steps."""
        if not (steps and self.data):
            return self
        return _Origin(
            frozenset((name, (*way, *steps)[-LONGEST:]) for name, way in self.ways), data=True
        )


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch types neither
    """Sees every op, and so which tensors of the module meet which data."""

    def __init__(self, tensors: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.used: dict[str, int] = {}
        self.numbered: dict[str, Part] = {}
        self.tables: dict[str, int] = {}
        self._fed = defaultdict[str, set[tuple[str, str]]](set)  # by whom, and how
        self._numbers: dict[Part, str] = {}
        self._begun = defaultdict[str, dict[Part, None]](dict)  # parts by their tensors,
        self._taken = defaultdict[str, dict[Part, None]](dict)  # and those that were used further
        self._tensors = tensors
        self._names = {id(tensor): key for key, tensor in tensors.items()}
        self._origins: Any = WeakIdKeyDictionary()
        self._lanes: Any = WeakIdKeyDictionary()
        self._views: Any = WeakIdKeyDictionary()  # of the module's tensors: their keys
        for name, tensor in inputs.items():
            self._origins[tensor] = _Origin(frozenset({(f"input {name}", ())}), data=True)

    def edges(self) -> set[Edge]:
        """Return what feeds what, one edge for each way."""
        return {Edge(*way, target) for target, ways in self._fed.items() for way in ways}

    def ends(self, result: object) -> tuple[tuple[torch.Size, frozenset[str]], ...]:
        """Return the shapes of a result's tensors, and what made each."""
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
        if (lanes := product_of(name, args, result, self._stored)) is not None:
            self._begin(given, lanes, result)
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
        """Record from which row on a table is read by position rather than by the data."""
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
        if id(value) in self._names:
            return _Origin(frozenset({(self._names[id(value)], ())}), data=False)
        found: _Origin | None = self._origins.get(value)
        lanes: Lanes | None = self._lanes.get(value)
        if found is None or lanes is None:
            return found
        numbers = {part.key: self._number(part) for part in lanes.parts()}
        for part in lanes.parts():
            self._taken[part.key][part] = None
        return _Origin(
            frozenset((numbers.get(key, key), way) for key, way in found.ways), data=True
        )

    def _begin(self, given: Iterable[Tensor], lanes: Lanes, result: Tensor) -> None:
        """Record that data meet a matrix, and perhaps a bias."""
        origins = [self._origin(value) for value in given if self._stored(value) is None]
        ways = frozenset[tuple[str, tuple[str, ...]]]().union(*(o.ways for o in origins if o))
        for key, view in lanes.sources:
            self._begun[key][Part(key, view)] = None
            self._feed(ways, self._number(Part(key, view)))
        is_data = any(origin and origin.data for origin in origins)
        self._origins[result] = _Origin(frozenset((key, ()) for key, _ in lanes.sources), is_data)
        if is_data:
            self._lanes[result] = lanes

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
        """Hand lanes on if the op does not mix the numbers of one value with those of others."""
        known = [value for value in given if self._is_known(value)]
        laned = [value for value in known if value in self._lanes]
        if len(laned) != 1:
            return False
        (value,) = laned
        lanes, origin = self._lanes[value], self._origins[value]
        if name in ("add", "add_") and len(known) == 2:
            bias = next(other for other in known if other is not value)
            key = self._stored(bias)
            biased = with_bias(lanes, key, bias) if key is not None else None
            if key is None or biased is None:
                return False
            number = self._number(Part(key, View.of(bias)))
            self._fed[number] |= self._fed[self._number(Part(*lanes.sources[0]))]
            self._origins[made[0]] = _Origin(origin.ways | {(key, ())}, data=True)
            self._lanes[made[0]] = biased
            return True
        followed = follow(func, args, kwargs, value, lanes, result) if len(known) == 1 else None
        if followed is None:
            return False
        for new, its in zip(made, followed, strict=True):
            self._origins[new] = origin.through(*activation_of(name))
            self._lanes[new] = its
        return True

    def _is_known(self, value: Tensor) -> bool:
        return id(value) in self._names or value in self._origins

    def _mix(self, name: str, given: list[Tensor], made: Iterable[Tensor]) -> None:
        """Make the origin of what an op makes of values of these origins."""
        origins = [origin for origin in map(self._origin, given) if origin]
        if name in MATMULS and sum(origin.data for origin in origins[-2:]) == 2:
            origins[-2:] = [o.through(f"matmul{i}") for i, o in enumerate(origins[-2:])]
        origins = [origin.through(*activation_of(name)) for origin in origins]
        none = frozenset[tuple[str, tuple[str, ...]]]()
        data = none.union(*(origin.ways for origin in origins if origin.data))
        fixed = none.union(*(origin.ways for origin in origins if not origin.data))
        for target, _ in fixed:
            self._feed(data, target)
        if origins:
            for value in made:
                self._lanes.pop(value, None)
                self._origins[value] = _Origin(fixed or data, data=bool(data))

    def _feed(self, ways: Iterable[tuple[str, tuple[str, ...]]], target: str) -> None:
        self._fed[target] |= {(source, "/".join(way)) for source, way in ways}
