"""Trace a model at three sizes, and once in training, and name the sizes in the traces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from torch import nn

from mimgraph.diagnostics.nearest import suggestion
from mimgraph.diagnostics.text import unmarked
from mimgraph.importer.inputs.examples import Example, Examples, check_runs, evaluating
from mimgraph.importer.inputs.model import InputError
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.lifter import Opaque
from mimgraph.importer.sizes import BATCH, Sizes
from mimgraph.importer.trace.compare import Difference, unify
from mimgraph.importer.trace.records import Call, Step, Trace
from mimgraph.importer.trace.tracer import run
from mimgraph.importer.training import (
    draws_noise,
    extra_outputs,
    only_evaluated,
    take_rates,
    trace_training,
)
from mimgraph.support.progress import progress

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
    the positions `only_training` are computed in training alone, and so is noise if `noise_in_training`;
    those at `only_evaluation` the module returns in evaluation alone.
    """

    model: nn.Module
    first: Trace
    sizes: dict[str, tuple[int, ...]]
    only_training: set[int] = field(default_factory=set)
    only_evaluation: set[int] = field(default_factory=set)
    noise_in_training: bool = False
    closed: dict[str, Opaque] = field(default_factory=dict)
    refused: dict[Step, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    def close(self, path: str, error: CannotLift) -> None:
        """Let the module at a path stay Python."""
        for item in self.first.root.walk():
            if isinstance(item, Call) and item.path == path:
                item.opaque = error.message
        self.closed[path] = Opaque(path, error.reason, error.message, error.place)


@progress("tracing")
def trace(model: nn.Module, examples: Examples, opaque: Mapping[str, str]) -> Traces:
    """Return the traces of a model in evaluation mode; it is left in the mode in which it was."""
    with evaluating(model):
        samples = _Samples(model, examples, opaque)
        first, given = samples.trace(model, 0), samples.example(0)
        training = trace_training(model, given.arguments, given.tensors, opaque, first)
        if training.extra:
            found = samples.unified(training.model, samples.trace(training.model, 0))
            found.only_training |= extra_outputs(training.trace, first)
        elif draws_noise(training.trace) and not draws_noise(first):
            found = samples.unified(training.model, samples.trace(training.model, 0))
            found.noise_in_training = True
        else:
            found = samples.unified(model, first)
            found.only_evaluation |= only_evaluated(first, training.trace)
            is_part = bool(found.only_evaluation)
            for call in take_rates(first.root, training.trace.root, is_part):
                message = "training does something else than evaluation"
                found.close(call.path, CannotLift("training", message, place=call.place))
    return _without_faults(found)


@progress("tracing")
def trace_evaluation(model: nn.Module, examples: Examples, opaque: Mapping[str, str]) -> Traces:
    """Return the traces of a model that cannot be trained, such as an exported program."""
    samples = _Samples(model, examples, opaque)
    return _without_faults(samples.unified(model, samples.trace(model, 0)))


def _check_paths(model: nn.Module, opaque: Iterable[str]) -> None:
    """Raise an `InputError` for a path at which the model has no module."""
    modules = dict(model.named_modules())
    for path in opaque:
        if path not in modules:
            help = unmarked(suggestion(path, filter(None, modules), "it has"))
            what = f"{type(model).__name__} has no module {path!r} to keep as Python code"
            raise InputError(f"{what}{help and f': {help}'}")


class _Samples:
    """Runs a model at the sizes of each trace."""

    def __init__(self, model: nn.Module, examples: Examples, opaque: Mapping[str, str]) -> None:
        _check_paths(model, opaque)
        self.examples = examples
        self.opaque = opaque
        self.sizes = _sizes(model, examples)

    def example(self, index: int) -> Example:
        """Return the arguments of the trace of this number."""
        numbers = {name: found[index] for name, found in self.sizes.items()}
        return self.examples.make(BATCHES[index], numbers, seed=index)

    def trace(self, model: nn.Module, index: int) -> Trace:
        given = self.example(index)
        return run(model, given.arguments, given.tensors, self.opaque)

    def unified(self, model: nn.Module, first: Trace) -> Traces:
        """Return the first trace with sizes as expressions, with the modules that stay Python for
        what the traces show."""
        others = (self.trace(model, index) for index in range(1, len(BATCHES)))
        differences = unify([first, *others], Sizes({BATCH: BATCHES, **self.sizes}))
        found = Traces(model, first, self.sizes, differences=differences)
        for path, reason in self.opaque.items():
            found.close(path, CannotLift("asked", reason))
        for path, message, place in differences:
            found.close(path, CannotLift("branch", message, place=place))
        for note in first.notes:
            found.close(note.path, CannotLift(note.reason, note.message, place=note.place))
        return found


def _without_faults(traces: Traces) -> Traces:
    """Return the traces; raise the reason if the model itself would stay Python."""
    if "" in traces.closed:
        whole = traces.closed[""]
        raise CannotLift(whole.reason, whole.message, traces.first.root, whole.place)
    return traces


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
