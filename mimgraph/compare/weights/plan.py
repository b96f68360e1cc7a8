"""Plan which tensors of a new graph take their values from an old one, without the tensors."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace

from mimgraph.compare.model import dotted
from mimgraph.compare.pair import Comparison
from mimgraph.compare.weights.adapters import Adapters, adapted_layers, with_adapters
from mimgraph.compare.weights.lanes import Moved
from mimgraph.compare.weights.places import paired_modules, paired_places
from mimgraph.compare.weights.steps import steps
from mimgraph.compare.weights.walk import Walk, tensors
from mimgraph.ir.tensor_copy import TensorCopy, size
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ir.typed_operations import Leaf


@dataclass(frozen=True, slots=True)
class OutputNews:
    """An output of the new graph, `was` in the old one: whether it is equal to that of the old one for equal inputs, in evaluation.

    `why` says why it may not be. `moved` has the old positions of one that was cut or lengthened, of which
    those that are still there are equal.
    """

    name: str
    was: str | None
    why: str
    moved: Moved | None = None

    @property
    def kept(self) -> tuple[int, int] | None:
        """How many positions are equal and how many there are, of an output that has others too."""
        if self.why or self.moved is None:
            return None
        every = self.moved.positions
        return sum(length for start, length in every if start is not None), size(every)


@dataclass(frozen=True, slots=True)
class LayerCopy:
    """A layer of the new graph with its tensors: the path of its module, and of the old one if it has one."""

    path: str
    was: str | None
    op: str
    copies: tuple[TensorCopy, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The layers of a new graph with the source of each tensor, the old tensors that are dropped, and the
    outputs.

    `old` has the shapes of all tensors of the old graph, `paths` its modules, of which the `foreign` ones may have more
    tensors, and buffers that no state_dict has: these are `unsure`.
    """

    layers: tuple[LayerCopy, ...]
    dropped: Mapping[str, tuple[int, ...]]
    outputs: tuple[OutputNews, ...]
    old: Mapping[str, tuple[int, ...]]
    paths: tuple[str, ...]
    foreign: frozenset[str]
    unsure: frozenset[str]

    @property
    def copies(self) -> Iterator[TensorCopy]:
        """Yield every tensor of the new graph."""
        for layer in self.layers:
            yield from layer.copies

    def of_given(self, given: Container[str]) -> Plan:
        """Return the plan without buffers that the given weights do not have."""
        gone = {key for key in self.unsure if key not in given}
        layers = (
            replace(layer, copies=tuple(one for one in layer.copies if one.source not in gone))
            for layer in self.layers
        )
        dropped = {key: shape for key, shape in self.dropped.items() if key not in gone}
        return replace(self, layers=tuple(layers), dropped=dropped)


def carry_plan(old: TypedGraph, new: TypedGraph) -> Plan:
    """Return the old tensor of each tensor of the new graph, and how it changes."""
    comparison = Comparison(old, new)
    pair = comparison.pair(*comparison.roots)
    before, after = (steps(graph, comparison.numbers) for graph in (old, new))
    places = paired_places(comparison)
    modules = paired_modules(before.modules, after.modules, places)
    adapters = Adapters(adapted_layers(old.body), adapted_layers(new.body))
    walk = Walk(before, after, places, modules, pair.back, adapters)
    walk.walk()
    bare = dict(_shapes(before.modules))
    layers = tuple(_layers(walk, bare))
    shapes = dict(with_adapters(bare, adapters.old))
    taken = {copy.source for layer in layers for copy in layer.copies}
    dropped = {key: shape for key, shape in shapes.items() if key not in taken}
    foreign = frozenset(path for path, leaf in before.modules.items() if _is_foreign(leaf))
    outputs = tuple(_outputs(walk, old, new, pair.outputs))
    unsure = frozenset(key for path in foreign for key in _buffers(path, before.modules[path]))
    return Plan(layers, dropped, outputs, shapes, tuple(before.modules), foreign, unsure)


def _layers(walk: Walk, old: Mapping[str, tuple[int, ...]]) -> Iterator[LayerCopy]:
    """Yield the layers of the new graph that have or may have tensors."""
    for path, leaf in walk.new.modules.items():
        copies = tuple(walk.adapters.copies(_copies(walk, path, leaf, old)))
        if copies or _is_foreign(leaf):
            yield LayerCopy(path, walk.modules.get(path), leaf.name, copies)


def _is_foreign(leaf: Leaf) -> bool:
    """Return whether a module is not torch's own, and so may have tensors that are not known here."""
    module = leaf.lowering.module
    return module is not None and (module.own is not None or not module.package.startswith("nn"))


def _buffers(path: str, leaf: Leaf) -> Iterator[str]:
    """Yield the keys of the buffers of a module."""
    if leaf.lowering.module is not None:
        yield from (dotted(path, name) for name in leaf.lowering.module.buffers)


def _copies(
    walk: Walk, path: str, leaf: Leaf, old: Mapping[str, tuple[int, ...]]
) -> Iterator[TensorCopy]:
    """Yield what each tensor of a module is made of, with the keys that it has without adapters."""
    known = walk.carried.get(path)
    for name, sizes in tensors(leaf.lowering.module).items():
        key, shape = dotted(path, name), tuple(map(int, sizes))
        source = None if known is None else dotted(known.was, name)
        before = None if source is None else old.get(source)
        if known is None or name not in known.axes:
            yield TensorCopy(key, None, (before, shape))
        else:
            yield TensorCopy(key, source, (before, shape), known.axes[name])


def _shapes(modules: Mapping[str, Leaf]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the key and shape of each tensor in a state_dict of modules without adapters."""
    for path, leaf in modules.items():
        for name, shape in tensors(leaf.lowering.module).items():
            yield dotted(path, name), tuple(map(int, shape))


def _outputs(
    walk: Walk, old: TypedGraph, new: TypedGraph, names: Mapping[str, str]
) -> Iterator[OutputNews]:
    """Yield for each output whether it is equal."""
    for name in new.body.outputs:
        was = walk.old_output(name, names)
        lanes = walk.lanes_of_output(was, name)
        why = lanes.why
        if was is not None and old.body.batch_dims.get(was) != new.body.batch_dims.get(name):
            why = why or "its batch is on another axis"
        yield OutputNews(name, was, why, lanes.moved)
