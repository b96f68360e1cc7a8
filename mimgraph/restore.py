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
Classes = Mapping[str, "type[nn.Module]"]  # of a graph's source, by name


def classes(graph: TypedGraph, spec: Spec) -> Classes:
    """Return the classes that the source of a graph defines."""
    return _defined(graph, spec, restore)


def stage_classes(stage: TypedGraph, spec: Spec, starts: tuple[str, ...], index: int) -> Classes:
    """Return the classes of a stage, which is the one with this index in a split at `starts`."""
    return _defined(stage, spec, partial(restore_stage, starts, index))


def input_check(graph: TypedGraph, spec: Spec) -> InputCheck:
    """Return the hook that checks the inputs of a graph's module."""
    from mimgraph.runtime.input_check import InputCheck

    return InputCheck(graph, spec, restore_check)


def stage_input_check(
    stage: TypedGraph, spec: Spec, starts: tuple[str, ...], index: int
) -> InputCheck:
    """Return the hook that checks the inputs of a stage's module."""
    from mimgraph.runtime.input_check import InputCheck

    return InputCheck(stage, spec, partial(restore_stage_check, starts, index))


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
    return _without_weights(stage, stage_classes(stage, write, starts, index), class_name, origin)


def restore_check(spec: str) -> InputCheck:
    """Return the hook that checks the inputs of a graph's module."""
    return input_check(*_load(spec, {}))


def restore_stage_check(starts: tuple[str, ...], index: int, spec: str) -> InputCheck:
    """Return the hook that checks the inputs of a stage's module."""
    graph, write = _load(spec, {})
    return stage_input_check(_stage(graph, starts, index), write, starts, index)


# --- helpers --------------------------------------------------------------------------------------


def _defined(graph: TypedGraph, spec: Spec, restore: Callable[..., nn.Module]) -> Classes:
    """Return the classes that the source of a graph defines, by name."""
    from mimgraph.emit.emit import emit
    from mimgraph.runtime.loader import load

    file = emit(graph)
    return vars(load(file.text, spec, restore, file.own, file.layers))


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
