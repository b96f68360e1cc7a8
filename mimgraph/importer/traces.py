"""Trace a model at three sizes, and once in training, and name the sizes in the traces."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

from mimgraph.importer.inputs.examples import Example, Examples, check_runs, evaluating
from mimgraph.importer.inputs.model import InputError
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.lifter import Opaque
from mimgraph.importer.sizes import BATCH, Sizes
from mimgraph.importer.trace.compare import Difference, unify
from mimgraph.importer.trace.records import Call, Place, Step, Trace
from mimgraph.importer.trace.tracer import run
from mimgraph.importer.training import extra_outputs, take_rates, trace_training

# the batch and eight named sizes in three traces: no two of them lie on a line of small whole numbers
BATCHES = (2, 3, 5)
SAMPLES = (
    (7, 12, 18),
    (9, 13, 23),
    (10, 17, 21),
    (11, 19, 26),
    (14, 16, 27),
    (15, 22, 24),
    (6, 20, 25),
    (8, 28, 29),
)
SCALES = (1, 8, 64)  # of the sizes; convolutions of audio need long inputs


@dataclass(eq=False)
class Traces:
    """The first of the traces, in which sizes are expressions, and what else they say.

    `closed` has the modules that stay Python, and `refused` the functions, with the reason. Outputs at
    the positions `only_training` are computed in training alone.
    """

    model: nn.Module
    first: Trace
    sizes: dict[str, tuple[int, ...]]
    only_training: set[int] = field(default_factory=set)
    closed: dict[str, Opaque] = field(default_factory=dict)
    refused: dict[Step, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    def close(self, path: str, error: CannotLift) -> None:
        """Let the module at a path stay Python."""
        for item in self.first.root.walk():
            if isinstance(item, Call) and item.path == path:
                item.opaque = error.message
        self.closed[path] = Opaque(path, error.reason, error.message, error.place)


def trace(model: nn.Module, examples: Examples, opaque: dict[str, str]) -> Traces:
    """Return the traces of a model in evaluation mode; it is left in the mode in which it was."""
    with evaluating(model):
        return _trace(model, examples, opaque)


def _trace(model: nn.Module, examples: Examples, opaque: dict[str, str]) -> Traces:
    sizes = _sizes(model, examples)

    def example(index: int) -> Example:
        numbers = {name: found[index] for name, found in sizes.items()}
        return examples.make(BATCHES[index], numbers, seed=index)

    def traced(module: nn.Module, index: int) -> Trace:
        given = example(index)
        return run(module, given.arguments, given.tensors, opaque)

    first, given = traced(model, 0), example(0)
    training = trace_training(model, given.arguments, given.tensors, opaque, first)
    only_training, module = set[int](), model
    if training.extra:
        only_training, module = extra_outputs(training.trace, first), training.model
        first = traced(module, 0)
    unified = [first, traced(module, 1), traced(module, 2)]
    differences = unify(unified, Sizes({BATCH: BATCHES, **sizes}))
    found = Traces(model, first, sizes, only_training, differences=differences)
    for path, reason in opaque.items():
        found.closed[path] = Opaque(path, "asked", reason, Place("", 0))
    for path, message, place in differences:
        found.close(path, CannotLift("branch", message, place=place))
    for note in first.notes:
        found.close(note.path, CannotLift(note.reason, note.message, place=note.place))
    if not training.extra:
        for call in take_rates(first.root, training.trace.root):
            message = "training does something else than evaluation"
            found.close(call.path, CannotLift("training", message, place=call.place))
    if "" in found.closed:
        whole = found.closed[""]
        raise CannotLift(whole.reason, whole.message, first.root, whole.place)
    return found


def _sizes(model: nn.Module, examples: Examples) -> dict[str, tuple[int, ...]]:
    """Return the sizes of the traces by name, large enough for the model to run."""
    for scale in SCALES:
        sizes = {
            name: tuple(scale * number for number in numbers)
            for name, numbers in zip(examples.sizes, SAMPLES, strict=False)
        }
        try:
            check_runs(model, examples, {name: numbers[0] for name, numbers in sizes.items()})
        except InputError:
            if scale == SCALES[-1] or not sizes:
                raise
        else:
            return sizes
    return {}
