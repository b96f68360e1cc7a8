"""Import a module: trace it at several sizes, lift the trace, tidy the draft, and declare it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from mimgraph.importer.blocks.patterns import name_sizes
from mimgraph.importer.blocks.unify import make_blocks
from mimgraph.importer.declare import declare
from mimgraph.importer.draft import Body, used_bodies
from mimgraph.importer.inputs.examples import Examples
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.lifter import LeftOut, Lifter, Opaque
from mimgraph.importer.names import name_body
from mimgraph.importer.sizes import BATCH, Sizes
from mimgraph.importer.tidy.chains import make_chains
from mimgraph.importer.trace.compare import Difference, unify
from mimgraph.importer.trace.records import Escape, Trace
from mimgraph.importer.trace.tracer import run
from mimgraph.importer.training import extra_outputs, take_rates, trace_training
from mimgraph.ir.declared.graph import Graph
from mimgraph.ir.names import class_fault

# the batch and up to eight named sizes in three traces: no three points of two of them are on a line
SAMPLES = (
    (2, 3, 5),
    (7, 12, 18),
    (9, 13, 23),
    (10, 17, 21),
    (11, 19, 26),
    (14, 16, 27),
    (15, 22, 24),
    (6, 20, 25),
    (8, 28, 29),
)
MOST_ROUNDS = 40  # of lifting, each with one more module that stays Python


@dataclass(eq=False)
class Draft:
    """What an import found: the declared graph, and what could not be declared as it is."""

    graph: Graph
    root: Body
    blocks: Mapping[str, Body]
    opaque: list[Opaque] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    escapes: list[Escape] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


def import_module(
    model: nn.Module, examples: Examples, name: str, opaque: Mapping[str, str], tidy: bool
) -> Draft:
    """Return the draft of a module. It is traced in evaluation mode, and once in training."""
    kept = dict(opaque)
    for _ in range(MOST_ROUNDS):
        try:
            return _import_once(model, examples, name, kept, tidy)
        except CannotLift as error:
            path = error.call.path if error.call else ""
            if not path or path in kept:
                raise
            kept[path] = error.message
    raise CannotLift("module", "too many modules must stay Python")


def _import_once(
    model: nn.Module, examples: Examples, name: str, opaque: Mapping[str, str], tidy: bool
) -> Draft:
    traces, only_training, traced = _traces(model, examples, opaque)
    named = {BATCH: SAMPLES[0]} | dict(zip(examples.sizes, SAMPLES[1:], strict=False))
    differences = unify(traces, Sizes(named))
    for difference in differences:
        raise CannotLift(
            "branch", difference.message, _call_at(traces[0], difference.path), difference.place
        )
    lifter = Lifter(traced, traces[0])
    root = lifter.lift()
    for index, output in enumerate(root.outputs):
        output.only_training = index in only_training
    make_chains(root)
    for body in used_bodies(root):
        if body is not root:
            name_sizes(body)
        name_body(body)
    blocks = make_blocks(root)
    graph = declare(root, blocks, _class_name(name), "", inspect.getsourcefile(type(model)) or "")
    return Draft(
        graph, root, blocks, lifter.opaque, lifter.left_out, traces[0].escapes, differences
    )


def _traces(
    model: nn.Module, examples: Examples, opaque: Mapping[str, str]
) -> tuple[list[Trace], set[int], nn.Module]:
    """Return the traces at three sizes, the outputs that only training has, and the traced module."""

    def trace(module: nn.Module, index: int) -> Trace:
        sizes = {n: SAMPLES[k + 1][index] for k, n in enumerate(examples.sizes)}
        given = examples.make(SAMPLES[0][index], sizes, seed=index)
        return run(module, given.arguments, given.tensors, opaque)

    first = trace(model, 0)
    sizes = {n: SAMPLES[k + 1][0] for k, n in enumerate(examples.sizes)}
    given = examples.make(SAMPLES[0][0], sizes, seed=0)
    training = trace_training(model, given.arguments, given.tensors, opaque, first)
    only_training, traced = set[int](), model
    if training.extra:
        only_training, traced = extra_outputs(training.trace, first), training.model
        first = trace(traced, 0)
    else:
        for call in take_rates(first.root, training.trace.root):
            if call.path:
                raise CannotLift("training", "training does something else", call, call.place)
    return [first, trace(traced, 1), trace(traced, 2)], only_training, traced


def _call_at(trace: Trace, path: str) -> Any:
    from mimgraph.importer.trace.records import Call

    calls = (item for item in trace.root.walk() if isinstance(item, Call))
    return next((call for call in calls if call.path == path), trace.root)


def _class_name(name: str) -> str:
    while class_fault(name):
        name += "_"
    return name
