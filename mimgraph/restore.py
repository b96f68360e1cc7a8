"""Compile graphs so that their modules can be pickled, and restore modules from pickles.

A pickle holds no code: it holds the spec and refers to a function of this file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from mimgraph.ir.lowering import Maker
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.language.spec_file import load_text
from mimgraph.ops.custom.registration import register_missing
from mimgraph.pipeline.split import split

if TYPE_CHECKING:
    from torch import nn

    from mimgraph.runtime.error_notes import Origin
    from mimgraph.runtime.input_check import InputCheck

Spec = Callable[[], str]  # writes the spec of a whole graph
# the nodes at which stages begin, and the index of a stage
StagePlace = tuple[tuple[str, ...], int]
Classes = Mapping[str, "type[nn.Module]"]  # of a graph's source, by name


def classes(graph: TypedGraph, spec: Spec, place: StagePlace | None = None) -> Classes:
    """Return the classes that the source of a graph defines, by name; a stage has a `place`."""
    from mimgraph.emit.emit import emit
    from mimgraph.runtime.loader import load

    file = emit(graph)
    again = restore if place is None else partial(restore_stage, *place)
    return vars(load(file.text, spec, again, file.own, file.layers))


def input_check(graph: TypedGraph, spec: Spec, place: StagePlace | None = None) -> InputCheck:
    """Return the hook that checks the inputs of the module of a graph; a stage has a `place`."""
    from mimgraph.runtime.input_check import InputCheck

    again = restore_check if place is None else partial(restore_stage_check, *place)
    return InputCheck(graph, spec, again)


# --- what pickles refer to ------------------------------------------------------------------------


def restore(
    spec: str, class_name: str, layers: Mapping[str, Maker], origin: Origin | None = None
) -> nn.Module:
    """Return an instance without weights of a class of a graph's source."""
    graph, write = _load(spec, layers)
    return _without_weights(graph, classes(graph, write), class_name, origin)


def restore_stage(
    starts: tuple[str, ...],
    index: int,
    spec: str,
    class_name: str,
    layers: Mapping[str, Maker],
    origin: Origin | None = None,
) -> nn.Module:
    """Return an instance without weights of a class of a stage's source."""
    graph, write = _load(spec, layers)
    stage = _stage(graph, starts, index)
    return _without_weights(stage, classes(stage, write, (starts, index)), class_name, origin)


def restore_check(spec: str) -> InputCheck:
    """Return the hook that checks the inputs of a graph's module."""
    return input_check(*_load(spec, {}))


def restore_stage_check(starts: tuple[str, ...], index: int, spec: str) -> InputCheck:
    """Return the hook that checks the inputs of a stage's module."""
    graph, write = _load(spec, {})
    return input_check(_stage(graph, starts, index), write, (starts, index))


# --- helpers --------------------------------------------------------------------------------------


def _load(spec: str, layers: Mapping[str, Maker]) -> tuple[TypedGraph, Spec]:
    """Return the graph of a spec that uses these registered layers, and a function that writes it."""
    from mimgraph.language.writer import write

    register_missing(layers)
    declared, typed = load_text(spec)
    return typed, partial(write, declared)


def _stage(graph: TypedGraph, starts: tuple[str, ...], index: int) -> TypedGraph:
    """Return one stage of a graph."""
    return split(graph, starts)[index]


def _without_weights(
    graph: TypedGraph, classes: Classes, class_name: str, origin: Origin | None
) -> nn.Module:
    """Return a new instance whose constructor has not run."""
    from mimgraph.runtime.error_notes import explain_failures

    made = classes[class_name]
    instance: nn.Module = made.__new__(made)
    is_whole = class_name == graph.name
    return explain_failures(instance, graph, origin) if is_whole else instance
