"""The use of a module's tensors: in which order, in which parts, and which tensor feeds which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mimgraph.runtime.weight_transfer.align import Flow, leaf, owner
from mimgraph.runtime.weight_transfer.parts import Part, View, whole

# what MultiheadAttention has in place of in_proj_weight, if keys are of another size than queries
SEPARATE = ("q_proj_weight", "k_proj_weight", "v_proj_weight")


def own_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return the parameters and buffers in order of definition, each by the first of its keys."""
    return unique_tensors(module.state_dict(keep_vars=True))


def unique_tensors(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the tensors of a state; a tensor that has several keys appears under the first."""
    found: dict[Any, tuple[str, Tensor]] = {}
    for key, tensor in state.items():
        if isinstance(tensor, Tensor):  # a module may add state of another kind
            is_stored = tensor.numel() and not tensor.is_meta
            place = (tensor.data_ptr(), View.of(tensor)) if is_stored else id(tensor)
            found.setdefault(place, (key, tensor))
    return dict(found.values())


def _part_name(key: str) -> str:
    """Return the key, or for a separate projection of torch's attention its name as part of a joined one."""
    name = leaf(key)
    return f"{owner(key)}#{SEPARATE.index(name)}.weight" if name in SEPARATE else key


class Edge(NamedTuple):
    """A step of the data flow: a tensor of the module meets a value made from `source` by some ops."""

    source: str  # an input, a tensor, or a part by its number in Usage
    how: str
    target: str


@dataclass(frozen=True, slots=True)
class Usage:
    """The tensors of a module in order of use, with the parts in which each is used."""

    tensors: Mapping[str, Tensor]
    parts: Mapping[str, tuple[Part, ...]]  # several only if they make up the tensor
    edges: frozenset[Edge] = frozenset()
    numbered: Mapping[str, Part] = field(default_factory=dict)
    # for a tensor without a use, another tensor of its module
    siblings: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[
        tuple[torch.Size, frozenset[str]], ...
    ] = ()  # shapes, and the tensors and inputs that made them
    tables: Mapping[str, int] = field(default_factory=dict)  # the first row read by position
    roles: Mapping[str, str] = field(default_factory=dict)  # known from names, if no use is seen

    def named_parts(self, joined: Iterable[str] = ()) -> dict[str, Part]:
        """Return the parts by name: the key of the tensor, with a number if it has several parts.

        A tensor in `joined` is one part.
        """
        kept = set(joined)
        found = {}
        for key, parts in self.parts.items():
            if key in kept:
                found[key] = whole(key, self.tensors[key])
            elif len(parts) == 1:
                found[_part_name(key)] = parts[0]
            else:
                kind = "bias" if key.endswith("bias") else "weight"
                found |= {f"{owner(key)}#{i}.{kind}": part for i, part in enumerate(parts)}
        return found

    def flow(self, named: Mapping[str, Part]) -> Flow:
        """Return the shapes of these parts, and which feed which."""
        names: dict[str, list[str]] = {}
        for name, part in named.items():
            names.setdefault(part.key, []).append(name)

        def parts_at(end: str) -> list[str]:
            used = self.numbered.get(end)
            candidates = names.get(used.key if used else end, [end])
            if used is None or len(candidates) == 1:
                return candidates
            return [name for name in candidates if named[name].addresses & used.addresses]

        ends = {end: parts_at(end) for edge in self.edges for end in (edge.source, edge.target)}
        feeds = {
            (source, target, edge.how)
            for edge in self.edges
            for source in ends[edge.source]
            for target in ends[edge.target]
        }
        feeds |= {
            (named_by, name, "")
            for key, sibling in self.siblings.items()
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
        """Return whether these tensors feed no other tensors."""
        last = set(keys)
        return all(
            self._key(edge.target) in last for edge in self.edges if self._key(edge.source) in last
        )

    def without_heads(self, other: Usage) -> Iterator[Usage]:
        """Yield this usage without the tensors that lead only to outputs that the other model lacks.

        Outputs are compared by shape. If the other model has one output and several here have its
        shape, yield this usage for each of them alone. If an output of the other model has a shape
        that none has here, yield this usage as it is.
        """
        wanted = {shape for shape, _ in other.outputs}
        alike = [ends for shape, ends in self.outputs if shape in wanted]
        if not wanted <= {shape for shape, _ in self.outputs}:
            alike = []
        yield self._leading_to(frozenset().union(*alike)) if alike else self
        if len(alike) > 1 and len(other.outputs) == 1:
            yield from map(self._leading_to, alike)

    def _leading_to(self, ends: frozenset[str]) -> Usage:
        """Return this usage without the tensors that lead to other ends only."""
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
        return self.without(
            {key for key in self.tensors if self.siblings.get(key, key) in used - needed}
        )

    def without(self, keys: set[str]) -> Usage:
        """Return this usage without some of the tensors."""
        tensors = {key: tensor for key, tensor in self.tensors.items() if key not in keys}
        edges = {
            edge
            for edge in self.edges
            if keys.isdisjoint((self._key(edge.source), self._key(edge.target)))
        }
        parts = {key: self.parts[key] for key in tensors}
        return replace(self, tensors=tensors, parts=parts, edges=frozenset(edges))

    def _key(self, end: str) -> str:
        """Return the key of a tensor that may be given as a numbered part."""
        return self.numbered[end].key if end in self.numbered else end
