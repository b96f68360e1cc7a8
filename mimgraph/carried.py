"""Carry weights from a graph to an edited one: `carry`, and the state_dict with a report that it returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING

from mimgraph.compare.weights.fit import check_weights
from mimgraph.compare.weights.plan import LayerCopy, Plan, carry_plan
from mimgraph.compare.weights.report import CarryReport
from mimgraph.graph import Graph
from mimgraph.ir.tensor_copy import TensorCopy
from mimgraph.language.spec_file import metadata, read_shapes
from mimgraph.runtime.carry import carried_state, known_shapes
from mimgraph.runtime.weights import as_weights, read_state, write_state
from mimgraph.support.arguments import as_path, wrong
from mimgraph.support.entry_point import entry_point, entry_points

if TYPE_CHECKING:
    from torch import Tensor, nn


@entry_points
class Carried(Mapping[str, "Tensor"]):
    """The weights of an old model for a new one: a `state_dict`, and the `report` of how each was made.

    model.load_state_dict(carried)
    """

    def __init__(self, graph: Graph, state: Mapping[str, Tensor], report: CarryReport) -> None:
        self._graph, self._state = graph, dict(state)
        self.report: CarryReport = report

    def __getitem__(self, key: str) -> Tensor:
        return self._state[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._state)

    def __len__(self) -> int:
        return len(self._state)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the weights as .safetensors, with the spec of the new graph, as `Graph.save` does."""
        file = as_path("the file to write", path)
        write_state(self._state, file, metadata(self._graph.dumps()))

    def __repr__(self) -> str:
        return f"<Carried {self.report!r}>"


@entry_point
def carry(
    old: Graph,
    new: Graph,
    weights: nn.Module | Mapping[str, Tensor] | str | PathLike[str],
    *,
    seed: int | None = None,
) -> Carried:
    """Return the weights of a trained model of the old graph as the `state_dict` of a model of the new one.

        carried = mg.carry(old, new, "old.safetensors")
        model = new.compile()
        model.load_state_dict(carried)
        print(carried.report)

    Nodes are found as `diff` finds them: by name, renamed, or moved into or out of a block. A tensor that
    was widened, narrowed or rearranged is padded, cut or rearranged so that outputs stay equal where
    they can; the report says of which outputs that is so. What has no counterpart starts anew, with the
    values that a new model has: torch's seed decides them, or `seed`, which leaves torch's as it is.

    `weights` is a module, its `state_dict`, or the path of a .safetensors file. A `ValueError` names
    tensors that are not of the old graph.
    """
    plan = carry_report(old, new).plan
    if isinstance(weights, str | PathLike):
        path = as_path("the weights", weights)
        given, what = read_state(path), f"the weights in {path}"
    else:
        taken = as_weights(weights, "weights")
        given = dict(taken if isinstance(taken, Mapping) else taken.state_dict())
        what = "the weights"
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
        raise wrong("seed", "an integer", seed)
    check_weights(plan, known_shapes(given), what)
    plan = plan.of_given(given)
    paths = {layer.path: layer.was for layer in plan.layers if layer.was is not None}
    state, others = carried_state(plan.copies, paths, given, new.compile, seed)
    return Carried(new, state, CarryReport(_with_others(plan, others, known_shapes(given))))


def carry_report(old: Graph, new: Graph, weights: str | None = None) -> CarryReport:
    """Return which weights carry over from one graph to another, as far as the graphs know them.

    Of the .safetensors file `weights` only the list of its tensors is read; a `ValueError` names those
    that are not of the old graph.
    """
    for graph in (old, new):
        if not isinstance(graph, Graph):
            raise TypeError(f"carry takes two graphs, but one is {graph!r:.40}")
    plan = carry_plan(old.typed, new.typed)
    if weights is not None:
        shapes = read_shapes(weights)
        check_weights(plan, shapes, f"the weights in {weights}")
        plan = plan.of_given(shapes)
    return CarryReport(plan)


def _with_others(
    plan: Plan, others: Iterable[TensorCopy], given: Mapping[str, tuple[int, ...]]
) -> Plan:
    """Return a plan with tensors that the graphs did not know."""
    more: dict[str, list[TensorCopy]] = {}
    for copy in others:
        owner = _owner(copy.key, plan)
        more.setdefault(owner, []).append(copy)
    known = {layer.path: layer for layer in plan.layers}
    layers = [
        replace(layer, copies=(*layer.copies, *more.pop(path, ()))) for path, layer in known.items()
    ]
    layers += [LayerCopy(path, None, "", tuple(copies)) for path, copies in more.items()]
    taken = {copy.source for layer in layers for copy in layer.copies}
    dropped = {key: shape for key, shape in given.items() if key not in taken}
    return replace(plan, layers=tuple(layers), dropped=dropped)


def _owner(key: str, plan: Plan) -> str:
    """Return the path of the layer that has a tensor."""
    paths = {layer.path for layer in plan.layers}
    path = key
    while path and path not in paths:
        path = path.rpartition(".")[0]
    return path or key.rpartition(".")[0]
