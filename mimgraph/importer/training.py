"""Compare a trace in training with those in evaluation: rates of dropout, and what only training has."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn

from mimgraph.importer.inputs.model import Arguments
from mimgraph.importer.trace.compare import kind
from mimgraph.importer.trace.records import Call, Step, Trace, Value, values
from mimgraph.importer.trace.tracer import run

NORMAL = frozenset({"randn", "randn_like"})
UNIFORM = frozenset({"rand", "rand_like"})


class Training(NamedTuple):
    """The trace in training, the model that it is of, and the paths of modules that only it calls."""

    model: nn.Module
    trace: Trace
    extra: frozenset[str]


def trace_training(
    model: nn.Module,
    arguments: Arguments,
    inputs: Mapping[str, Tensor],
    opaque: Mapping[str, str],
    evaluated: Trace,
) -> Training:
    """Run a copy of the model in training, as batch norm changes its statistics there."""
    trained = copy.deepcopy(model).train()
    trace = run(trained, arguments, inputs, opaque)
    extra = _paths(trace) - _paths(evaluated)
    return Training(trained, trace, frozenset(extra))


def draws_noise(trace: Trace) -> bool:
    """Return whether a forward adds normal noise, as a variational encoder does in training.

    Uniform numbers decide what is dropped: without them evaluation is not the same with zeros.
    """
    called = {item.function for item in trace.root.walk() if isinstance(item, Step)}
    return bool(called & NORMAL) and not called & UNIFORM


def _paths(trace: Trace) -> set[str]:
    return {item.path for item in trace.root.walk() if isinstance(item, Call)}


def extra_outputs(training: Trace, evaluated: Trace) -> set[int]:
    """Return the positions of the outputs that are computed in training alone, by what makes them."""
    kept = _makers(evaluated)
    return {index for index, maker in enumerate(_makers(training)) if maker not in kept}


def _makers(trace: Trace) -> list[str]:
    """Return which module or function made each output."""
    made = dict[int, str]()

    def visit(call: Call) -> None:
        for item in call.items:
            name = item.path if isinstance(item, Call) else f"{call.path}/{item.function}"
            for value in item.results:
                made.setdefault(id(value), name)
            if isinstance(item, Call) and not item.is_closed:
                visit(item)

    visit(trace.root)
    results = values(trace.root.result)
    return [made.get(id(value), f"input {value.path}") for value in results]


def take_rates(call: Call, trained: Call, is_part: bool) -> list[Call]:
    """Give the dropouts of a call the rates that they have in training, as some are 0 in evaluation;
    return the calls inside which training does something else. If it is a part of evaluation, a call may
    end earlier."""
    differing = list[Call]()
    items = _without_counts(trained)
    if len(call.items) != len(items) and not is_part:
        return [call]
    for one, two in zip(call.items, items, strict=not is_part):
        if isinstance(one, Call) and isinstance(two, Call) and one.path == two.path:
            if not one.is_closed:
                differing += take_rates(one, two, is_part)
        elif isinstance(one, Step) and isinstance(two, Step) and one.function == two.function:
            _take_rate(one, two)
        else:
            return [call]
    return differing


def only_evaluated(evaluated: Trace, training: Trace) -> set[int]:
    """Return the positions of the outputs that evaluation has alone, where training computes the others as
    evaluation does, and no more; empty if it does not."""
    pairs = zip(_given(training), _given(evaluated), strict=True)
    same = {id(trained): id(value) for trained, value in pairs}

    def is_part(call: Call, trained: Call) -> bool:
        items = _without_counts(trained)
        return len(items) <= len(call.items) and all(map(is_same, call.items, items))

    def is_same(one: Step | Call, two: Step | Call) -> bool:
        read = [same.get(id(value)) for value in two.arguments]
        if kind(one) != kind(two) or read != [*map(id, one.arguments)]:
            return False
        if isinstance(one, Call) and isinstance(two, Call) and not one.is_closed:
            return is_part(one, two)
        same.update(zip(map(id, two.results), map(id, one.results), strict=False))
        return len(one.results) == len(two.results)

    outputs = [id(value) for value in values(evaluated.root.result)]
    if not is_part(evaluated.root, training.root):
        return set()
    trained = {same.get(id(value)) for value in values(training.root.result)}
    if not trained <= {*outputs}:
        return set()
    return {index for index, value in enumerate(outputs) if value not in trained}


def _given(trace: Trace) -> list[Value]:
    return [*trace.inputs.values(), *trace.weights.values()]


def _without_counts(call: Call) -> list[Step | Call]:
    """Return the items without the steps that count the batches of a batch norm, as the layer does."""
    return [item for item in call.items if isinstance(item, Call) or not _counts_batches(item)]


def _counts_batches(step: Step) -> bool:
    return any(value.path.endswith(".num_batches_tracked") for value in step.arguments)


def _take_rate(step: Step, trained: Step) -> None:
    if "dropout" in step.function:
        step.kwargs = {**trained.kwargs, "input": step.arguments[0]}
        names = ("input", "p", "training", "inplace")
        step.kwargs |= dict(zip(names[1:], trained.args[1:], strict=False))
        step.args = ()
    elif "dropout_p" in trained.kwargs:
        step.kwargs["dropout_p"] = trained.kwargs["dropout_p"]
    elif step.function == "scaled_dot_product_attention" and len(trained.args) > 4:
        step.args = (*step.args[:4], trained.args[4], *step.args[5:])
